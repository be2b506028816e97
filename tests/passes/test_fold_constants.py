"""fold_constants."""

from __future__ import annotations

import numpy as np

from tests.passes.filecheck import filecheck
from tests.passes.graphs import Builder, transformed
from tinygen.ir.tensor import Quantization
from tinygen.ops.activation import Activation
from tinygen.ops.add import Add
from tinygen.ops.pad import Pad
from tinygen.ops.relu import Relu
from tinygen.ops.transpose import Transpose
from tinygen.passes.fold_constants import fold_constants

QUANT = Quantization((0.5,), (0,))


def test_constants_fold_through_several_operators() -> None:
    b = Builder()
    x, y = b.tensor((3, 2)), b.tensor((3, 2))
    constant = b.constant(np.array([[-1, 2, -3], [4, -5, 6]], np.int8), QUANT)
    order = b.constant(np.array([1, 0], np.int32))
    turned, clamped = b.tensor((3, 2)), b.tensor((3, 2))
    b.op(Transpose, (constant, order), turned)
    b.op(Relu, (turned,), clamped)
    b.op(Add, (x, clamped), y, activation=Activation.NONE)
    filecheck(
        transformed(fold_constants, b.graph((x,), (y,))),
        """
        CHECK: const %5: int8[3x2] q(0.5, 0) = [[0,4],[2,0],[0,6]]
        CHECK-NOT: TRANSPOSE
        CHECK-NOT: RELU
        CHECK: ADD(%0, %5)
        """,
    )


def test_an_output_of_the_graph_is_left() -> None:
    b = Builder()
    constant, y = b.constant(np.array([-1, 2], np.int8), QUANT), b.tensor((2,))
    b.op(Relu, (constant,), y)
    filecheck(transformed(fold_constants, b.graph((), (y,))), "CHECK: %1: int8[2] q(0.5, 0) = RELU(%0)")


def test_what_would_grow_the_model_out_of_proportion_is_left() -> None:
    b = Builder()
    constant = b.constant(np.array([[-1, 2]], np.int8), QUANT)
    amounts = b.constant(np.array([[0, 0], [0, 70_000]], np.int32))
    padded, x, y = b.tensor((1, 70_002)), b.tensor((1, 70_002)), b.tensor((1, 70_002))
    b.op(Pad, (constant, amounts), padded)
    b.op(Add, (x, padded), y, activation=Activation.NONE)
    filecheck(transformed(fold_constants, b.graph((x,), (y,))), "CHECK: %2: int8[1x70002] q(0.5, 0) = PAD(%0, %1)")
