"""A program: the layers of a graph with their kernels chosen, and the storages their tensors live in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from tinygen.errors import error
from tinygen.ir.call import Call, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.rows import Rows, Window
from tinygen.schedule.places import pixel_geometry, row_geometry, together
from tinygen.schedule.storages import Layout, Rules, Sharing, Storage, rows_of
from tinygen.schedule.views import find_layout, placed


@dataclass(frozen=True)
class Access:
    """How a layer reads or writes a tensor: in rows of `row_bytes`, `rows` of them, through a window per step.

    Without a window a step reads or writes the whole tensor. `storage` is None for a constant, which lies in flash. Row
    0 begins `first` bytes into the storage, each row `pitch` bytes after the one before. In a row there are pixels of
    `pixel_bytes`, each `pixel_pitch` bytes after the one before.
    """

    tensor: int
    storage: int | None
    rows: int
    row_bytes: int
    window: Window | None
    first: int
    pitch: int
    pixel_bytes: int
    pixel_pitch: int

    @property
    def span(self) -> int:
        """Bytes from the first of a row to its last, those between pixels that lie apart included."""
        return (self.row_bytes // self.pixel_bytes - 1) * self.pixel_pitch + self.pixel_bytes


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
        write = (self.write.storage, self.write.first, self.write.pitch, self.write.row_bytes)
        return any((access.storage, access.first, access.pitch, access.row_bytes) == write for access in self.reads)


@dataclass(frozen=True, eq=False)
class Program:
    """What schedules and plans are made for."""

    graph: Graph
    layers: tuple[Layer, ...]
    storages: tuple[Storage, ...]
    writers: Mapping[int, tuple[int, ...]]
    """For each tensor the positions of the layers that compute it, several for a view of several outputs."""

    def storage_of(self, tensor: int) -> Storage:
        return self._storages[tensor]

    @cached_property
    def _storages(self) -> Mapping[int, Storage]:
        """By tensor."""
        return {t: s for s in self.storages for t in s.tensors}


def build_program(
    graph: Graph,
    kernels: tuple[Kernel | None, ...],
    rules: Rules = Rules(),  # noqa: B008
    sharing: Sharing = Sharing(),  # noqa: B008
) -> Program:
    """The program of a graph; `kernels` has the chosen kernel of each operator, None for aliases.

    Operators that become views have no layer.

    Raises:
        TinygenError: TG307 when a pinned tensor is not in the arena.
    """
    layout = find_layout(graph, kernels, rules, sharing)
    _check_pins(graph, layout.storages, rules)
    where = {t: s.id for s in layout.storages for t in s.tensors}
    layers: list[Layer] = []
    writers: dict[int, tuple[int, ...]] = {}
    for op, kernel in zip(graph.ops, kernels, strict=True):
        if kernel is not None and layout.views.isdisjoint(op.outputs):
            writers.update(dict.fromkeys(op.outputs, (len(layers),)))
            layers.append(_layer(graph, op, kernel, where, layout))
        else:
            sources = dict.fromkeys(w for i in op.inputs for w in writers.get(i, ()))
            writers.update(dict.fromkeys(op.outputs, tuple(sources)))
    return Program(graph, tuple(layers), layout.storages, writers)


def _layer(graph: Graph, op: Op, kernel: Kernel, where: dict[int, int], layout: Layout) -> Layer:
    kernel = placed(graph, op, kernel, layout.places)
    rows = rows_of(graph, op, kernel)

    def access(tensor: int, window: Window | None) -> Access:
        count, size = row_geometry(graph.tensors[tensor])
        _, pixel = pixel_geometry(graph.tensors[tensor])
        place = layout.places.get(tensor) or together(graph.tensors[tensor])
        return Access(
            tensor, where.get(tensor), count, size, window, place.first, place.pitch, pixel, place.pixel_pitch
        )

    reads = tuple(access(op.inputs[position], window) for position, window in rows.inputs)
    write = access(op.outputs[0], Window() if rows.writes_row else None)
    return Layer(op, kernel, kernel.made, rows, reads, write)


def _check_pins(graph: Graph, storages: tuple[Storage, ...], rules: Rules) -> None:
    there = {graph.tensors[t].name for s in storages if not s.outside for t in s.tensors}
    for name, _ in rules.pins:
        if name not in there:
            near = get_close_matches(name, there, 3)
            hints = (f"did you mean {' or '.join(near)}?",) if near else ("`tinygen inspect` lists the tensors",)
            raise error("TG307", f"there is no tensor '{name}' in the arena to be pinned", hints=hints)
