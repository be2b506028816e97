"""fold_pads."""

from __future__ import annotations

import numpy as np
import pytest

from tests.passes.filecheck import filecheck
from tests.passes.graphs import Builder, transformed
from tinygen.ir.graph import Graph
from tinygen.ops.activation import Activation
from tinygen.ops.average_pool_2d import AveragePool2D
from tinygen.ops.max_pool_2d import MaxPool2D
from tinygen.ops.pad import Pad
from tinygen.ops.relu import Relu
from tinygen.passes.fold_pads import fold_pads


def padded(amounts: list[list[int]], value: int | None = None, zero_point: int = 7) -> tuple[Builder, int]:
    """A graph that pads an input of [1, 4, 4, 2]; the padded tensor is %1."""
    b = Builder()
    x = b.tensor((1, 4, 4, 2), 0.5, zero_point)
    shape = tuple(n + sum(pair) for n, pair in zip((1, 4, 4, 2), amounts, strict=True))
    a = b.tensor(shape, 0.5, zero_point)
    inputs = (x, b.constant(np.array(amounts, np.int32)))
    if value is not None:
        inputs = (*inputs, b.constant(np.array([value], np.int8), b.tensors[x].quant))
    return b, b.op(Pad, inputs, a)


def with_conv(b: Builder, a: int, **options: object) -> Graph:
    _, height, width, _ = b.tensors[a].shape
    padding = options.get("padding", (0, 0, 0, 0))
    assert isinstance(padding, tuple)
    top, bottom, left, right = padding
    y = b.tensor((1, height + top + bottom - 2, width + left + right - 2, 3), 0.3)
    b.conv(a, y, **options)
    return b.graph((0,), (y,))


def with_pool(b: Builder, a: int, kind: type, activation: Activation = Activation.NONE) -> Graph:
    _, height, width, channels = b.tensors[a].shape
    quant = b.tensors[a].quant
    assert quant is not None
    y = b.tensor((1, height - 2, width - 2, channels), quant.scale, quant.zero_point)
    b.op(kind, (a,), y, strides=(1, 1), padding=(0, 0, 0, 0), size=(3, 3), activation=activation)
    return b.graph((0,), (y,))


def test_into_a_convolution() -> None:
    filecheck(
        transformed(fold_pads, with_conv(*padded([[0, 0], [1, 2], [0, 1], [0, 0]]), padding=(0, 1, 1, 0))),
        """
        CHECK-NOT: PAD
        CHECK: CONV_2D(%0, {{%[0-9]+}})
        CHECK: padding=1x3x1x1
        """,
    )


@pytest.mark.parametrize(
    ("amounts", "value"),
    [([[0, 0], [1, 1], [1, 1], [0, 1]], None), ([[0, 0], [1, 1], [1, 1], [0, 0]], 6)],
    ids=["channels", "another value"],
)
def test_what_a_convolution_cannot_pad_is_left(amounts: list[list[int]], value: int | None) -> None:
    filecheck(transformed(fold_pads, with_conv(*padded(amounts, value))), "CHECK: PAD(%0\nCHECK: CONV_2D(%1")


def test_a_pad_that_others_read_is_left() -> None:
    b, a = padded([[0, 0], [1, 1], [1, 1], [0, 0]])
    other = b.op(Relu, (a,), b.tensor(b.tensors[a].shape))
    y = b.tensor((1, 4, 4, 3), 0.3)
    b.conv(a, y)
    filecheck(transformed(fold_pads, b.graph((0,), (y, other))), "CHECK: PAD(%0\nCHECK: CONV_2D(%1")


@pytest.mark.parametrize(
    ("zero_point", "value", "activation"),
    [(-128, None, Activation.NONE), (5, None, Activation.RELU), (5, -128, Activation.NONE)],
    ids=["smallest value", "clamped below", "padded with the smallest"],
)
def test_into_max_pooling_where_it_raises_no_maximum(
    zero_point: int, value: int | None, activation: Activation
) -> None:
    b, a = padded([[0, 0], [2, 1], [0, 2], [0, 0]], value, zero_point)
    filecheck(
        transformed(fold_pads, with_pool(b, a, MaxPool2D, activation)),
        """
        CHECK-NOT: PAD
        CHECK: MAX_POOL_2D(%0)
        CHECK: padding=2x1x0x2
        """,
    )


@pytest.mark.parametrize(
    ("kind", "zero_point", "amount"),
    [(MaxPool2D, 5, 1), (MaxPool2D, -128, 3), (AveragePool2D, -128, 1)],
    ids=["raises the maximum", "windows of padding alone", "average"],
)
def test_what_pooling_cannot_pad_is_left(kind: type, zero_point: int, amount: int) -> None:
    b, a = padded([[0, 0], [amount, 0], [0, 0], [0, 0]], None, zero_point)
    filecheck(transformed(fold_pads, with_pool(b, a, kind)), "CHECK: PAD(%0\nCHECK: POOL_2D(%1)")
