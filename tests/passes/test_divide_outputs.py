"""divide_outputs."""

from __future__ import annotations

import numpy as np

from tests.passes.filecheck import filecheck
from tests.passes.graphs import Builder, transformed
from tinygen.ops.relu import Relu
from tinygen.ops.split import Split, SplitV
from tinygen.passes.divide_outputs import divide_outputs


def test_parts_are_operators_of_their_own() -> None:
    b = Builder()
    x = b.tensor((1, 6, 2))
    axis = b.constant(np.array(-2, np.int32))
    halves = b.several(Split, (axis, x), (b.tensor((1, 3, 2)), b.tensor((1, 3, 2))))
    sizes = b.constant(np.array([1, -1], np.int32))
    parts = b.several(SplitV, (halves[1], sizes, axis), (b.tensor((1, 1, 2)), b.tensor((1, 2, 2))))
    result = b.op(Relu, (parts[1],), b.tensor((1, 2, 2)))
    graph = b.graph((x,), (halves[0], parts[0], result))
    filecheck(
        transformed(divide_outputs, graph),
        """
        CHECK: %2: int8[1x3x2] q(0.5, 0) = SPLIT(%0) {axis=1 begin=0 count=3}
        CHECK: %3: int8[1x3x2] q(0.5, 0) = SPLIT(%0) {axis=1 begin=3 count=3}
        CHECK: %5: int8[1x1x2] q(0.5, 0) = SPLIT(%3) {axis=1 begin=0 count=1}
        CHECK: %6: int8[1x2x2] q(0.5, 0) = SPLIT(%3) {axis=1 begin=1 count=2}
        CHECK: %7: int8[1x2x2] q(0.5, 0) = RELU(%6)
        """,
    )
    assert [op.origin.part for op in divide_outputs(graph).ops] == [0, 1, 0, 1, None]
