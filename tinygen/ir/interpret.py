"""Runs a graph in numpy through the operators' references: what every backend has to reproduce bit for bit."""

from __future__ import annotations

from collections.abc import Sequence

from tinygen.errors import Origin, error
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.ir.tensor import Array


def interpret(graph: Graph, inputs: Sequence[Array], numerics: Numerics = Numerics.LITERT) -> tuple[Array, ...]:
    """The outputs of a graph, in the order of `graph.outputs`.

    Args:
        graph: a verified graph.
        inputs: one array for each of `graph.inputs`, of exactly its shape and type.
        numerics: whose rounding to follow.

    Raises:
        TinygenError: TG505 when the inputs are not those of the graph.
    """
    values = trace(graph, inputs, numerics)
    return tuple(values[i] for i in graph.outputs)


def trace(graph: Graph, inputs: Sequence[Array], numerics: Numerics = Numerics.LITERT) -> dict[int, Array]:
    """Every tensor's value by id, constants included; arguments and errors as of `interpret`."""
    _check_inputs(graph, inputs)
    values = {i: tensor.data for i, tensor in graph.tensors.items() if tensor.data is not None}
    values |= dict(zip(graph.inputs, inputs, strict=True))
    for op in graph.ops:
        results = op.reference(graph, [values[i] if i >= 0 else None for i in op.inputs], numerics)
        for i, result in zip(op.outputs, results, strict=True):
            tensor = graph.tensors[i]
            if result.shape != tensor.shape or result.dtype != tensor.dtype.numpy:
                found = f"{result.dtype} {result.shape}"
                raise ValueError(f"{op.kind}.reference made {found} where {tensor.describe()} was promised")
            values[i] = result
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
