"""Storages: which tensors of a graph share bytes, because they reshape, overwrite or are part of one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd, prod

from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.rows import SAME_ROW, Rows
from tinygen.ir.tensor import Tensor
from tinygen.schedule.places import Place, pixels_apart, row_geometry, rows_apart, together


@dataclass(frozen=True)
class Storage:
    """The bytes of a tensor and of all that shares them, as rows that none of these tensors' rows begins inside of.

    Only where a tensor is part of another one's rows, a row of it is less than a row of the storage.
    """

    id: int
    """The id of the first of its tensors."""
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


@dataclass(frozen=True)
class Sharing:
    """What may share bytes besides reshapes: outputs with the inputs they are written over, and parts with the whole.

    With `keep_inputs` nothing is written over an input of the graph.
    """

    in_place: bool = False
    views: bool = False
    keep_inputs: bool = False


@dataclass(frozen=True, eq=False)
class Layout:
    """The storages, where each tensor is in its own, and the operators that have nothing to compute, by output."""

    storages: tuple[Storage, ...]
    places: Mapping[int, Place]
    views: frozenset[int]


@dataclass(eq=False)
class Group:
    """Tensors that share bytes, while storages are found."""

    values: list[list[int]]
    """What fills it in turn: tensors of the same value under different shapes."""
    places: dict[int, Place]
    """Of these and of all tensors that are parts of them."""
    nbytes: int
    name: str
    read_apart: bool = False
    """Somebody reads a part by itself."""


def rows_of(graph: Graph, op: Op, kernel: Kernel) -> Rows:
    """The row model of an operator with a kernel."""
    return op.rows(graph) if kernel.rows is None else kernel.rows


def start_groups(graph: Graph) -> dict[int, Group]:
    """For each tensor that is not constant the group of the value it is; reshapes are one value, others have their own.

    Constants under another shape have none.
    """
    groups: dict[int, Group] = {}

    def start(i: int) -> None:
        tensor = graph.tensors[i]
        size = prod(tensor.shape) * tensor.dtype.itemsize
        groups[i] = Group([[i]], {i: together(tensor)}, size, tensor.name)

    for i in graph.inputs:
        start(i)
    for op in graph.ops:
        if op.alias and op.inputs[0] in groups:
            group = groups[op.inputs[0]]
            (output,) = op.outputs
            group.values[0].append(output)
            group.places[output] = together(graph.tensors[output])
            groups[output] = group
        elif not op.alias:
            for i in op.outputs:
                start(i)
    return groups


def overwrite(
    graph: Graph, kernels: Sequence[Kernel | None], rules: Rules, groups: dict[int, Group], *, kept: set[int]
) -> None:
    """Joins outputs with the inputs they may be written over, which are never those in `kept`."""
    for op, kernel in zip(graph.ops, kernels, strict=True):
        written = groups.get(op.outputs[0])
        if kernel is None or written is None:
            continue
        for position in kernel.in_place:
            group = groups.get(op.inputs[position])
            if (
                group is not None
                and kept.isdisjoint(group.values[-1])
                and _may_overwrite(graph, rules, op, kernel, group, written)
            ):
                group.values += written.values
                group.places |= written.places
                groups.update(dict.fromkeys(written.places, group))
                break


def _may_overwrite(graph: Graph, rules: Rules, op: Op, kernel: Kernel, group: Group, written: Group) -> bool:
    """The operator reads row y of a value when it writes row y, and nobody else needs the value or its place."""
    value = group.values[-1]
    if any(t in graph.outputs for t in value):
        return False
    if any(other is not op for other in readers(graph, value)):
        return False
    if not movable(graph, rules, (*group.places, *written.places)):
        return False
    rows = rows_of(graph, op, kernel)
    size = row_geometry(graph.tensors[op.outputs[0]])
    reads = [(op.inputs[position], window) for position, window in rows.inputs if op.inputs[position] in value]
    return rows.writes_row and all(w == SAME_ROW and row_geometry(graph.tensors[t]) == size for t, w in reads)


def readers(graph: Graph, tensors: Iterable[int]) -> list[Op]:
    """The operators that read any of the tensors; reshapes do not read."""
    found = [graph.ops[i] for t in tensors for i in graph.consumers(t)]
    return [op for op in found if not op.alias]


def movable(graph: Graph, rules: Rules, tensors: Iterable[int]) -> bool:
    """The user has no demands as to where the tensors are."""
    pinned = {name for name, _ in rules.pins}
    return not any(
        graph.tensors[t].name in pinned or (rules.io_outside and (t in graph.inputs or t in graph.outputs))
        for t in tensors
    )


def storage(graph: Graph, rules: Rules, group: Group) -> Storage:
    """The group as rows that all its tensors are made of."""
    members = list(group.places)
    kind = "activation"
    if any(t in graph.outputs for t in members):
        kind = "output"
    if any(t in graph.inputs for t in members):
        kind = "input"
    row_bytes = gcd(group.nbytes, *(n for t in members for n in _boundaries(graph.tensors[t], group.places[t])))
    offsets = [offset for name, offset in rules.pins if name in {graph.tensors[t].name for t in members}]
    return Storage(
        id=members[0],
        tensors=tuple(members),
        name=group.name,
        kind=kind,
        rows=group.nbytes // row_bytes,
        row_bytes=row_bytes,
        outside=rules.io_outside and kind != "activation",
        pinned=offsets[0] if offsets else None,
    )


def _boundaries(tensor: Tensor, place: Place) -> tuple[int, ...]:
    """Numbers of bytes that storage rows must divide so that each begins where a row of the tensor or its gap does."""
    if rows_apart(tensor, place):
        return (place.pitch,)
    return () if pixels_apart(tensor, place) else (place.first, row_geometry(tensor)[1])
