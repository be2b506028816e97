"""Replaces operators of several outputs by operators of one output each, which can be computed when each is needed."""

from __future__ import annotations

from tinygen.ir.graph import Graph


def divide_outputs(graph: Graph) -> Graph:
    """The graph in which every operator has one output."""
    return graph.with_ops(tuple(part for op in graph.ops for part in op.parts(graph)))
