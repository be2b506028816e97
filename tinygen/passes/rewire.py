"""What passes share: who reads and makes a tensor, and taking out operators whose output equals another tensor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from tinygen.ir.graph import Graph
from tinygen.ir.op import Op

AnyOp = TypeVar("AnyOp", bound=Op)


def uses(graph: Graph) -> Counter[int]:
    """How often each tensor is read, by operators and as an output of the graph."""
    return Counter([*(i for op in graph.ops for i in op.inputs if i >= 0), *graph.outputs])


def producers(graph: Graph) -> dict[int, Op]:
    """The operator that computes each tensor; inputs and constants have none."""
    return {i: op for op in graph.ops for i in op.outputs}


def renamed(op: AnyOp, names: Mapping[int, int]) -> AnyOp:
    """The operator with other tensors in place of those in `names`, inputs and outputs alike."""
    inputs = tuple(names.get(i, i) for i in op.inputs)
    outputs = tuple(names.get(i, i) for i in op.outputs)
    return op if (inputs, outputs) == (op.inputs, op.outputs) else replace(op, inputs=inputs, outputs=outputs)


def bypass(graph: Graph, same: Mapping[int, int]) -> Graph:
    """The graph without the operators that compute the keys of `same`, whose readers read the values instead.

        a ──▶ op ──▶ b ──▶ reads b          a ──▶ reads a          same = {b: a}

    Either tensor has the bytes, shape, type and quantization of the other. Where b is an output of the graph its name
    has to stay, and what computes a computes b instead. Where that is impossible too, because a is an input, a constant
    or an output, the operator is a copy and stays.
    """
    roots: dict[int, int] = {}
    for op in graph.ops:
        for i in op.outputs:
            if i in same:
                roots[i] = roots.get(same[i], same[i])
    fixed = {*graph.inputs, *graph.outputs, *(i for i, t in graph.tensors.items() if t.data is not None)}
    copies: set[int] = set()
    names: dict[int, int] = {}
    for i in graph.outputs:
        if i not in roots:
            continue
        if roots[i] in fixed:
            copies.add(i)
        else:
            fixed.add(roots[i])
            names[roots[i]] = i
    names |= {i: names.get(root, root) for i, root in roots.items() if i not in copies}
    dropped = roots.keys() - copies
    return graph.with_ops(tuple(renamed(op, names) for op in graph.ops if not dropped.intersection(op.outputs)))
