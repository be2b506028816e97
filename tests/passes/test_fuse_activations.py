"""fuse_activations."""

from __future__ import annotations

import pytest

from tests.passes.filecheck import filecheck
from tests.passes.graphs import Builder, transformed
from tinygen.ir.op import Op
from tinygen.ops.activation import Activation
from tinygen.ops.average_pool_2d import AveragePool2D
from tinygen.ops.relu import Relu, Relu6, ReluN1To1
from tinygen.passes.fuse_activations import fuse_activations


def conv_then(*kinds: type[Op], scale: float = 0.1, activation: Activation = Activation.NONE) -> tuple[Builder, int]:
    b = Builder()
    x, a = b.tensor((1, 4, 4, 2), 0.5), b.tensor((1, 2, 2, 3), scale, 5)
    b.conv(x, a, activation=activation)
    for kind in kinds:
        a = b.op(kind, (a,), b.tensor((1, 2, 2, 3), scale, 5))
    return b, a


@pytest.mark.parametrize(("kind", "name"), [(Relu, "relu"), (Relu6, "relu6"), (ReluN1To1, "relu_n1_to_1")])
def test_an_activation_in_the_same_quantization(kind: type[Op], name: str) -> None:
    b, y = conv_then(kind)
    filecheck(
        transformed(fuse_activations, b.graph((0,), (y,))),
        f"""
        CHECK: %3: int8[1x2x2x3] q(0.1, 5) = CONV_2D(%0, %2)
        CHECK: activation={name}
        CHECK-NOT: RELU
        CHECK: output %3
        """,
    )


def test_several_in_a_row_become_the_clamp_they_amount_to() -> None:
    b, y = conv_then(Relu, Relu6, activation=Activation.RELU)
    filecheck(
        transformed(fuse_activations, b.graph((0,), (y,))),
        """
        CHECK: %4: int8[1x2x2x3] q(0.1, 5) = CONV_2D(%0, %2)
        CHECK: activation=relu6
        CHECK-NOT: RELU
        """,
    )


def test_a_range_that_no_activation_has_is_left() -> None:
    """The clamps of RELU and RELU_N1_TO_1 meet in [0, 1]."""
    b, y = conv_then(ReluN1To1, activation=Activation.RELU)
    filecheck(transformed(fuse_activations, b.graph((0,), (y,))), "CHECK: activation=relu\nCHECK: RELU_N1_TO_1(%1)")


@pytest.mark.parametrize("scale", [0.05, 0.1000001])
def test_another_quantization_is_left(scale: float) -> None:
    """With 0.1000001 the activation maps bytes as with 0.1, but the convolution before it would round otherwise."""
    b, a = conv_then()
    y = b.op(Relu, (a,), b.tensor((1, 2, 2, 3), scale, 5))
    filecheck(transformed(fuse_activations, b.graph((0,), (y,))), "CHECK: activation=none\nCHECK: = RELU(%1)")


def test_a_value_that_others_read_is_left() -> None:
    b, y = conv_then(Relu)
    filecheck(transformed(fuse_activations, b.graph((0,), (1, y))), "CHECK: activation=none\nCHECK: = RELU(%1)")


def test_pooling_clamps_too() -> None:
    b = Builder()
    x, a, y = b.tensor((1, 4, 4, 2), 0.1, 3), b.tensor((1, 2, 2, 2), 0.1, 3), b.tensor((1, 2, 2, 2), 0.1, 3)
    b.op(
        AveragePool2D,
        (x,),
        a,
        strides=(2, 2),
        padding=(0, 0, 0, 0),
        size=(2, 2),
        activation=Activation.NONE,
    )
    b.op(Relu6, (a,), y)
    filecheck(
        transformed(fuse_activations, b.graph((x,), (y,))),
        """
        CHECK: %2: int8[1x2x2x2] q(0.1, 3) = AVERAGE_POOL_2D(%0)
        CHECK: activation=relu6
        CHECK-NOT: RELU6
        """,
    )
