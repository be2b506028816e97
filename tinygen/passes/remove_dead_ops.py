"""Removes operators whose outputs nothing reads."""

from __future__ import annotations

from tinygen.ir.graph import Graph
from tinygen.ir.op import Op


def remove_dead_ops(graph: Graph) -> Graph:
    """The graph with only what the outputs depend on; its inputs stay, read or not."""
    alive = set(graph.outputs)
    kept: list[Op] = []
    for op in reversed(graph.ops):
        if alive.intersection(op.outputs):
            alive.update(op.inputs)
            kept.append(op)
    return graph.with_ops(tuple(reversed(kept)))
