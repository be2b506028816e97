"""A program: the layers of a graph with their kernels chosen, and the storages their tensors live in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from math import gcd, prod

from tinygen.errors import error
from tinygen.ir.call import Call, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.rows import Rows, Window
from tinygen.ir.tensor import Tensor, geometry


@dataclass(frozen=True)
class Storage:
    """The bytes of a tensor and of all that merely reshapes it, as rows of which the rows of all of them are made."""

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


@dataclass(frozen=True)
class Access:
    """How a layer reads or writes a tensor: in rows of `row_bytes`, `rows` of them, through a window per step.

    Without a window a step reads or writes the whole tensor. `storage` is None for a constant, which lies in flash.
    """

    tensor: int
    storage: int | None
    rows: int
    row_bytes: int
    window: Window | None


@dataclass(frozen=True, eq=False)
class Layer:
    """An operator with the kernel that computes it."""

    op: Op
    kernel: Kernel
    call: Call
    rows: Rows
    reads: tuple[Access, ...]
    write: Access


@dataclass(frozen=True, eq=False)
class Program:
    """What schedules and plans are made for."""

    graph: Graph
    layers: tuple[Layer, ...]
    storages: tuple[Storage, ...]

    def storage_of(self, tensor: int) -> Storage:
        return next(s for s in self.storages if tensor in s.tensors)


def row_geometry(tensor: Tensor) -> tuple[int, int]:
    """Rows of a tensor and bytes per row."""
    rows, elements = geometry(tensor.shape)
    return rows, elements * tensor.dtype.itemsize


def build_program(graph: Graph, kernels: tuple[Kernel | None, ...], rules: Rules = Rules()) -> Program:
    """The program of a graph; `kernels` has the chosen kernel of each operator, None for aliases.

    Raises:
        TinygenError: TG307 when a pinned tensor is not in the arena.
    """
    storages = tuple(_storages(graph, rules))
    _check_pins(graph, storages, rules)
    where = {t: s.id for s in storages for t in s.tensors}
    layers = tuple(
        _layer(graph, op, kernel, where) for op, kernel in zip(graph.ops, kernels, strict=True) if kernel is not None
    )
    return Program(graph, layers, storages)


def _layer(graph: Graph, op: Op, kernel: Kernel, where: dict[int, int]) -> Layer:
    rows = op.rows(graph)

    def access(tensor: int, window: Window | None) -> Access:
        count, size = row_geometry(graph.tensors[tensor])
        return Access(tensor, where.get(tensor), count, size, window)

    reads = tuple(access(op.inputs[position], window) for position, window in rows.inputs)
    write = access(op.outputs[0], Window() if rows.writes_row else None)
    return Layer(op, kernel, kernel.call(), rows, reads, write)


def _check_pins(graph: Graph, storages: tuple[Storage, ...], rules: Rules) -> None:
    there = {graph.tensors[t].name for s in storages if not s.outside for t in s.tensors}
    for name, _ in rules.pins:
        if name not in there:
            near = get_close_matches(name, there, 3)
            hints = (f"did you mean {' or '.join(near)}?",) if near else ("`tinygen inspect` lists the tensors",)
            raise error("TG307", f"there is no tensor '{name}' in the arena to be pinned", hints=hints)


def _storages(graph: Graph, rules: Rules) -> Iterator[Storage]:
    """Tensors grouped with their aliases, in the order they are first written."""
    groups: dict[int, list[int]] = {i: [i] for i in graph.inputs}
    for op in graph.ops:
        if op.alias:
            group = next(g for g in groups.values() if op.inputs[0] in g)
            group.append(op.outputs[0])
        else:
            groups.update({i: [i] for i in op.outputs})
    for root, members in groups.items():
        kind = "activation"
        if any(t in graph.outputs for t in members):
            kind = "output"
        if root in graph.inputs:
            kind = "input"
        first = graph.tensors[root]
        row_bytes = gcd(*(row_geometry(graph.tensors[t])[1] for t in members))
        total = prod(first.shape) * first.dtype.itemsize
        offsets = [offset for name, offset in rules.pins if name in {graph.tensors[t].name for t in members}]
        yield Storage(
            id=root,
            tensors=tuple(members),
            name=first.name,
            kind=kind,
            rows=total // row_bytes,
            row_bytes=row_bytes,
            outside=rules.io_outside and kind != "activation",
            pinned=offsets[0] if offsets else None,
        )
