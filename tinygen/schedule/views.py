"""Views: operators that only move bytes and need not, as their output is a part of their input or made up of inputs.

    SPLIT:          CONCATENATION:
    input  aabbbb   a  aa                  a and b are written where the output has them,
    a      aa       b    bbbb              one after the other or, where rows are joined, side by side:
    b        bbbb   output  aabbbb         then their rows lie a row of the output apart

Both are an inlay: row r of the part is at first + r * pitch in the whole. The part moves into the storage of the whole,
with everything that shares its bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.rows import Inlay
from tinygen.ir.tensor import pixel_of
from tinygen.schedule.storages import (
    Group,
    Layout,
    Place,
    Rules,
    Sharing,
    movable,
    overwrite,
    readers,
    row_geometry,
    rows_of,
    start_groups,
    storage,
)

Kernels = Sequence[Kernel | None]


def find_layout(graph: Graph, kernels: Kernels, rules: Rules, sharing: Sharing) -> Layout:
    """The storages of a graph in the order they are first written; `kernels` are those of its operators, in order."""
    groups = start_groups(graph)
    inlays = {op: found for op in graph.ops if sharing.views and (found := op.inlays(graph))}
    if sharing.in_place:
        # A part that is a view saves a copy, a part that is written over only its place.
        cut_off = {inlay.part for op, found in inlays.items() for inlay in found if inlay.part in op.outputs}
        overwrite(graph, kernels, rules, groups, kept=cut_off | set(graph.inputs if sharing.keep_inputs else ()))
    views: set[int] = set()
    for op, found in inlays.items():
        if _become_view(graph, kernels, rules, groups, op, found):
            views.update(op.outputs)
    distinct = tuple(dict.fromkeys(groups.values()))
    places = {t: place for group in distinct for t, place in group.places.items()}
    return Layout(tuple(storage(graph, rules, group) for group in distinct), places, frozenset(views))


def _become_view(
    graph: Graph, kernels: Kernels, rules: Rules, groups: dict[int, Group], op: Op, inlays: tuple[Inlay, ...]
) -> bool:
    """Moves all parts into the storage of the whole, or none."""
    whole = groups.get(inlays[0].whole)
    parts = [groups.get(inlay.part) for inlay in inlays]
    if whole is None or None in parts or len({*parts, whole}) <= len(parts):
        return False
    moved: list[tuple[Group, dict[int, Place]]] = []
    for inlay, part in zip(inlays, parts, strict=True):
        if part is None or not movable(graph, rules, (*whole.places, *part.places)):
            return False
        if any(t in graph.inputs or t in graph.outputs for t in part.places):
            return False
        if not _contents_stay(graph, op, whole, part, inlay):
            return False
        places = _places(graph, whole, part, inlay)
        if places is None or not _usable(graph, kernels, op, places):
            return False
        moved.append((part, places))
    for inlay, (part, places) in zip(inlays, moved, strict=True):
        apart = inlay.part in op.outputs or any(other is not op for other in readers(graph, part.values[-1]))
        whole.read_apart |= part.read_apart or apart
        whole.places |= places
        groups.update(dict.fromkeys(places, whole))
    return True


def _contents_stay(graph: Graph, op: Op, whole: Group, part: Group, inlay: Inlay) -> bool:
    """Nobody overwrites bytes in one of the groups that are still read in the other."""
    if inlay.part in op.outputs:
        # Whoever writes over the part would write over the whole; the whole is not written over, as it has this reader.
        return len(part.values) == 1
    alone = not part.read_apart and all(other is op for other in readers(graph, part.values[-1]))
    return inlay.part in part.values[-1] and (alone or len(whole.values) == 1)


def _places(graph: Graph, whole: Group, part: Group, inlay: Inlay) -> dict[int, Place] | None:
    """The places that the tensors of a part get in the storage of the whole; None where they would be in pieces."""
    outer = whole.places[inlay.whole]
    root = _inside(graph, inlay.whole, outer, inlay.part, Place(inlay.first, inlay.pitch))
    tensor = graph.tensors[inlay.part]
    pixel = pixel_of(tensor.shape) * tensor.dtype.itemsize
    if inlay.pixel_pitch != pixel and row_geometry(tensor)[1] > pixel:
        return None
    fills = tensor.nbytes == part.nbytes and part.places[inlay.part] == Place(0, row_geometry(tensor)[1])
    if root is None or not fills:
        return None
    found = {t: _inside(graph, inlay.part, root, t, place) for t, place in part.places.items()}
    return {t: place for t, place in found.items() if place} if None not in found.values() else None


def _inside(graph: Graph, outer: int, outer_place: Place, inner: int, place: Place) -> Place | None:
    """Where a tensor is that is at a place inside another one which itself is at a place."""
    rows, size = row_geometry(graph.tensors[outer])
    inner_rows, inner_size = row_geometry(graph.tensors[inner])
    pitch = place.pitch if inner_rows > 1 else inner_size
    if rows == 1 or outer_place.pitch == size:
        return Place(outer_place.first + place.first, pitch)
    row, start = divmod(place.first, size)
    if start + inner_size > size or (inner_rows > 1 and pitch % size):
        return None
    if inner_rows > 1:
        pitch = pitch // size * outer_place.pitch
    return Place(outer_place.first + row * outer_place.pitch + start, pitch)


def _usable(graph: Graph, kernels: Kernels, view: Op, places: dict[int, Place]) -> bool:
    """Whoever reads or writes tensors whose rows lie apart does so row by row."""
    geometries = {t: row_geometry(graph.tensors[t]) for t in places}
    apart = {t for t, (rows, size) in geometries.items() if rows > 1 and places[t].pitch != size}
    for op, kernel in zip(graph.ops, kernels, strict=True):
        if op is view or kernel is None or apart.isdisjoint((*op.inputs, *op.outputs)):
            continue
        rows = rows_of(graph, op, kernel)
        if not rows.writes_row and not apart.isdisjoint(op.outputs):
            return False
        if any(op.inputs[position] in apart and window is None for position, window in rows.inputs):
            return False
    return True
