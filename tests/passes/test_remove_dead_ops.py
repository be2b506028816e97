"""remove_dead_ops."""

from __future__ import annotations

from tests.passes.filecheck import filecheck
from tests.passes.graphs import Builder, transformed
from tinygen.ops.relu import Relu, Relu6
from tinygen.passes.remove_dead_ops import remove_dead_ops


def test_chains_that_end_nowhere_are_removed() -> None:
    b = Builder()
    x, alive, dead, deader = (b.tensor((1, 4)) for _ in range(4))
    b.op(Relu, (x,), alive)
    b.op(Relu6, (x,), dead)
    b.op(Relu6, (dead,), deader)
    filecheck(
        transformed(remove_dead_ops, b.graph((x,), (alive,))),
        """
        CHECK: %1: int8[1x4] q(0.5, 0) = RELU(%0)
        CHECK-NOT: RELU6
        CHECK: output %1
        """,
    )


def test_an_input_that_is_not_read_stays() -> None:
    b = Builder()
    x, unread, y = (b.tensor((1, 4)) for _ in range(3))
    b.op(Relu, (x,), y)
    filecheck(transformed(remove_dead_ops, b.graph((x, unread), (y,))), "CHECK: input %1: int8[1x4]")
