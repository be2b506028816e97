"""Storages: which tensors of a graph share the same bytes, because they reshape or overwrite one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import gcd, prod

from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.rows import SAME_ROW
from tinygen.ir.tensor import Tensor, geometry


@dataclass(frozen=True)
class Storage:
    """The bytes of a tensor and of all that reshapes or overwrites it, as rows of which the rows of all are made."""

    id: int
    """The id of the tensor the bytes are first written for."""
    tensors: tuple[int, ...]
    name: str
    kind: str
    """`input`, `output` or `activation`, as in plan.model.Buffer."""
    rows: int
    row_bytes: int
    outside: bool = False
    """It has memory of its own, outside the arena."""
    pinned: int | None = None
    """The offset in the arena that the user wants."""

    @property
    def nbytes(self) -> int:
        return self.rows * self.row_bytes


@dataclass(frozen=True)
class Rules:
    """What the user demands of the arena: inputs and outputs outside it, and offsets of tensors by name."""

    io_outside: bool = False
    pins: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Overwriting:
    """Where outputs may be written over inputs: the chosen kernels, and whether the inputs of the graph are kept."""

    kernels: Sequence[Kernel | None]
    keep_inputs: bool


@dataclass(eq=False)
class _Value:
    """What one layer writes, or an input of the graph, under all its shapes."""

    tensors: list[int]
    storage: list[_Value]
    """The values that follow one another in the same bytes, this one among them."""


def row_geometry(tensor: Tensor) -> tuple[int, int]:
    """Rows of a tensor and bytes per row."""
    rows, elements = geometry(tensor.shape)
    return rows, elements * tensor.dtype.itemsize


def find_storages(graph: Graph, rules: Rules, overwriting: Overwriting | None) -> Iterator[Storage]:
    """The storages of a graph, in the order they are first written; without `overwriting` every value has its own."""
    values: dict[int, _Value] = {}
    storages: list[list[_Value]] = []

    def start(tensor: int, storage: list[_Value] | None = None) -> None:
        if storage is None:
            storage = []
            storages.append(storage)
        values[tensor] = _Value([tensor], storage)
        storage.append(values[tensor])

    for i in graph.inputs:
        start(i)
    # Reshapes first: whoever reads a value may do so under a shape that it only gets later.
    for op in graph.ops:
        if op.alias:
            value = values[op.inputs[0]]
            value.tensors.append(op.outputs[0])
            values[op.outputs[0]] = value
        else:
            for i in op.outputs:
                start(i)
    if overwriting is not None:
        for op, kernel in zip(graph.ops, overwriting.kernels, strict=True):
            if kernel is not None:
                _overwrite(graph, rules, overwriting, values, storages, op, kernel)
    for storage in storages:
        yield _storage(graph, rules, [tensor for value in storage for tensor in value.tensors])


def _overwrite(
    graph: Graph,
    rules: Rules,
    overwriting: Overwriting,
    values: Mapping[int, _Value],
    storages: list[list[_Value]],
    op: Op,
    kernel: Kernel,
) -> None:
    """Lets the output of an operator follow the first of its inputs that it may be written over in the same bytes."""
    written = values[op.outputs[0]]
    for position in kernel.in_place:
        value = values.get(op.inputs[position])
        if value is not None and _may_overwrite(graph, rules, overwriting, op, value, written):
            storages.remove(written.storage)
            value.storage.append(written)
            written.storage = value.storage
            return


def _may_overwrite(
    graph: Graph, rules: Rules, overwriting: Overwriting, op: Op, value: _Value, written: _Value
) -> bool:
    """The operator reads row y of a value when it writes row y, and nobody else needs the value or its place."""
    if any(t in graph.outputs for t in value.tensors) or (overwriting.keep_inputs and value.tensors[0] in graph.inputs):
        return False
    if any(other is not op and not other.alias for t in value.tensors for other in _readers(graph, t)):
        return False
    together = [t for v in (*value.storage, written) for t in v.tensors]
    if rules.io_outside and any(t in graph.inputs or t in graph.outputs for t in together):
        return False
    pinned = {name for name, _ in rules.pins}
    if any(graph.tensors[t].name in pinned for t in together):
        return False
    rows = op.rows(graph)
    size = row_geometry(graph.tensors[op.outputs[0]])
    reads = [(op.inputs[position], window) for position, window in rows.inputs if op.inputs[position] in value.tensors]
    same = all(window == SAME_ROW and row_geometry(graph.tensors[t]) == size for t, window in reads)
    return rows.writes_row and same


def _readers(graph: Graph, tensor: int) -> list[Op]:
    return [graph.ops[i] for i in graph.consumers(tensor)]


def _storage(graph: Graph, rules: Rules, members: list[int]) -> Storage:
    root = members[0]
    kind = "activation"
    if any(t in graph.outputs for t in members):
        kind = "output"
    if root in graph.inputs:
        kind = "input"
    first = graph.tensors[root]
    row_bytes = gcd(*(row_geometry(graph.tensors[t])[1] for t in members))
    total = prod(first.shape) * first.dtype.itemsize
    offsets = [offset for name, offset in rules.pins if name in {graph.tensors[t].name for t in members}]
    return Storage(
        id=root,
        tensors=tuple(members),
        name=first.name,
        kind=kind,
        rows=total // row_bytes,
        row_bytes=row_bytes,
        outside=rules.io_outside and kind != "activation",
        pinned=offsets[0] if offsets else None,
    )
