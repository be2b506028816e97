"""alias_reshapes."""

from __future__ import annotations

import numpy as np

from tests.passes.filecheck import filecheck
from tests.passes.graphs import Builder, transformed
from tinygen.ops.relu import Relu
from tinygen.ops.reshape import ExpandDims, Reshape, Squeeze
from tinygen.ops.transpose import Transpose
from tinygen.passes.alias_reshapes import alias_reshapes


def test_a_chain_reads_the_tensor_that_holds_the_bytes() -> None:
    b = Builder()
    x, a, c, d, y = b.tensor((1, 6)), b.tensor((6,)), b.tensor((1, 6, 1)), b.tensor((2, 3)), b.tensor((2, 3))
    axis, shape = b.constant(np.array([0], np.int32)), b.constant(np.array([2, -1], np.int32))
    b.op(Squeeze, (x,), a)
    b.op(ExpandDims, (a, axis), c)
    b.op(Reshape, (c, shape), d)
    b.op(Relu, (d,), y)
    filecheck(
        transformed(alias_reshapes, b.graph((x,), (y,))),
        """
        CHECK-NOT: const
        CHECK: %1: int8[6] q(0.5, 0) = RESHAPE(%0)
        CHECK: %2: int8[1x6x1] q(0.5, 0) = RESHAPE(%0)
        CHECK: %3: int8[2x3] q(0.5, 0) = RESHAPE(%0)
        CHECK: RELU(%3)
        """,
    )


def test_a_transpose_of_dimensions_of_one() -> None:
    b = Builder()
    x, y = b.tensor((1, 4, 1, 3)), b.tensor((4, 3, 1, 1))
    b.op(Transpose, (x, b.constant(np.array([1, 3, 0, 2], np.int32))), y)
    filecheck(
        transformed(alias_reshapes, b.graph((x,), (y,))),
        """
        CHECK-NOT: TRANSPOSE
        CHECK: %1: int8[4x3x1x1] q(0.5, 0) = RESHAPE(%0)
        """,
    )


def test_a_transpose_that_moves_bytes_is_left() -> None:
    b = Builder()
    x, y = b.tensor((1, 3, 3)), b.tensor((1, 3, 3))
    b.op(Transpose, (x, b.constant(np.array([0, 2, 1], np.int32))), y)
    filecheck(transformed(alias_reshapes, b.graph((x,), (y,))), "CHECK: TRANSPOSE(%0, %2)")
