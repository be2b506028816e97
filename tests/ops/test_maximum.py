"""MAXIMUM and MINIMUM: LiteRT BUILTIN_REF, numpy reference and compiled C on any broadcast and quantization."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ops.binary import BINARY_SHAPES, binary_model
from tests.ops.builder import Options, TensorDef
from tests.ops.harness import Case, check
from tests.ops.strategies import samples
from tinygen.errors import TinygenError
from tinygen.ir.op import Numerics
from tinygen.ir.rows import SAME_ROW, Window
from tinygen.tflite import read_bytes

ACTIVATION = TensorDef.activation
KINDS = ("MAXIMUM", "MINIMUM")


def model(kind: str, *tensors: TensorDef, constant: int | None = None) -> tuple[bytes, list[TensorDef]]:
    return binary_model(kind, *tensors, constant=constant, options=Options("MaximumMinimumOptions"))


def test_every_broadcast() -> None:
    """Scales that differ are not looked at, as in LiteRT."""
    cases = []
    for number, (a, b) in enumerate(BINARY_SHAPES):
        for swapped in (False, True):
            shapes = (b, a) if swapped else (a, b)
            tensors = [ACTIVATION(shape, 0.03, 5) for shape in (*shapes, np.broadcast_shapes(a, b))]
            tensors[1] = ACTIVATION(shapes[1], 0.05, -7)
            constant = (None, 0, 1)[number % 3]
            made, inputs = model(KINDS[(number + swapped) % 2], *tensors, constant=constant)
            cases.append(Case(made, samples(np.random.default_rng(number), *(t.shape for t in inputs))))
    check(*cases)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_pipelined_and_in_place(kind: str) -> None:
    full, column = ACTIVATION((1, 6, 5, 4)), ACTIVATION((1, 1, 1, 4))
    graph = read_bytes(model(kind, full, column, full)[0], "m.tflite")
    (kernel,) = graph.ops[0].kernels(graph, Numerics.LITERT)
    assert graph.ops[0].rows(graph).inputs == ((0, SAME_ROW), (1, Window(stride=0)))
    assert kernel.in_place == (0,)


def test_what_is_refused() -> None:
    for tensors, code, text in (
        ((ACTIVATION((1, 4)), ACTIVATION((1, 3)), ACTIVATION((1, 4))), "TG203", r"int8 \[1x4\] and int8 \[1x3\]"),
        ((ACTIVATION((2, 3, 3, 1)),) * 3, "TG203", "batch size 1"),
        ((ACTIVATION((1, 4)), TensorDef((1, 4), "float32"), ACTIVATION((1, 4))), "TG202", "input 1 must be int8"),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(model("MAXIMUM", *tensors)[0], "m.tflite")
        assert caught.value.code == code
