"""A program: the layers of a graph with their kernels chosen, and the storages their tensors live in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from tinygen.errors import error
from tinygen.ir.call import Call, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.rows import Rows, Window
from tinygen.schedule.storages import Overwriting, Rules, Storage, find_storages, row_geometry


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

    @property
    def in_place(self) -> bool:
        """The output is written over an input."""
        return any(access.storage == self.write.storage for access in self.reads)


@dataclass(frozen=True, eq=False)
class Program:
    """What schedules and plans are made for."""

    graph: Graph
    layers: tuple[Layer, ...]
    storages: tuple[Storage, ...]
    writers: Mapping[int, int]
    """For each tensor but inputs and constants the position of the layer that computes it, whatever its shape."""

    def storage_of(self, tensor: int) -> Storage:
        return next(s for s in self.storages if tensor in s.tensors)


def build_program(
    graph: Graph,
    kernels: tuple[Kernel | None, ...],
    rules: Rules = Rules(),  # noqa: B008
    *,
    in_place: bool = False,
    keep_inputs: bool = False,
) -> Program:
    """The program of a graph; `kernels` has the chosen kernel of each operator, None for aliases.

    With `in_place`, outputs are written over inputs that nobody else reads where the kernel can do that, but never over
    the graph's inputs with `keep_inputs`.

    Raises:
        TinygenError: TG307 when a pinned tensor is not in the arena.
    """
    overwriting = Overwriting(kernels, keep_inputs) if in_place else None
    storages = tuple(find_storages(graph, rules, overwriting))
    _check_pins(graph, storages, rules)
    where = {t: s.id for s in storages for t in s.tensors}
    layers = tuple(
        _layer(graph, op, kernel, where) for op, kernel in zip(graph.ops, kernels, strict=True) if kernel is not None
    )
    return Program(graph, layers, storages, _writers(graph, kernels))


def _writers(graph: Graph, kernels: tuple[Kernel | None, ...]) -> dict[int, int]:
    writers: dict[int, int] = {}
    position = 0
    for op, kernel in zip(graph.ops, kernels, strict=True):
        if kernel is not None:
            writers.update((t, position) for t in op.outputs)
            position += 1
        elif op.inputs[0] in writers:
            writers[op.outputs[0]] = writers[op.inputs[0]]
    return writers


def _layer(graph: Graph, op: Op, kernel: Kernel, where: dict[int, int]) -> Layer:
    rows = op.rows(graph) if kernel.rows is None else kernel.rows

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
