"""Runs a graph in numpy through the operators' references: what every backend has to reproduce bit for bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinygen.errors import Origin, error
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.ir.tensor import Array, reset_value

States = dict[int, Array]
"""What a graph keeps from one inference to the next, by the variable tensor's id."""


def reset_states(graph: Graph) -> States:
    """The states before the first inference: zero points of int8, zeros of everything else, as LiteRT has it."""
    return {t.id: np.full(t.shape, reset_value(t), t.dtype.numpy) for t in graph.variables}


def interpret(
    graph: Graph, inputs: Sequence[Array], numerics: Numerics = Numerics.LITERT, states: States | None = None
) -> tuple[Array, ...]:
    """The outputs of a graph, in the order of `graph.outputs`.

    Args:
        graph: a verified graph.
        inputs: one array for each of `graph.inputs`, of exactly its shape and type.
        numerics: whose rounding to follow.
        states: those that the last inference left, replaced by what this one leaves; without them it is the first.

    Raises:
        TinygenError: TG505 when the inputs are not those of the graph.
    """
    values = trace(graph, inputs, numerics, states)
    return tuple(values[i] for i in graph.outputs)


def trace(
    graph: Graph, inputs: Sequence[Array], numerics: Numerics = Numerics.LITERT, states: States | None = None
) -> dict[int, Array]:
    """Every tensor's value by id, constants and new states included; arguments and errors as of `interpret`."""
    _check_inputs(graph, inputs)
    states = reset_states(graph) if states is None else states
    values = {i: tensor.data for i, tensor in graph.tensors.items() if tensor.data is not None}
    values |= dict(zip(graph.inputs, inputs, strict=True)) | states
    for op in graph.ops:
        results = op.reference(graph, [values[i] if i >= 0 else None for i in op.inputs], numerics)
        for i, result in zip((*op.outputs, *op.kept), results, strict=True):
            tensor = graph.tensors[i]
            if result.shape != tensor.shape or result.dtype != tensor.dtype.numpy:
                found = f"{result.dtype} {result.shape}"
                raise ValueError(f"{op.kind}.reference made {found} where {tensor.describe()} was promised")
            values[i] = result
    states.update((i, values[i]) for i in states)
    return values


def _check_inputs(graph: Graph, inputs: Sequence[Array]) -> None:
    if len(inputs) != len(graph.inputs):
        message = f"{len(inputs)} inputs were given, the model takes {len(graph.inputs)}"
        raise error("TG505", message, origin=Origin(graph.name))
    for i, array in zip(graph.inputs, inputs, strict=True):
        tensor = graph.tensors[i]
        if array.shape != tensor.shape or array.dtype != tensor.dtype.numpy:
            message = f"input must be {tensor.describe()}, found {array.dtype} {list(array.shape)}"
            raise error("TG505", message, origin=Origin(graph.name, tensor=tensor.name))
