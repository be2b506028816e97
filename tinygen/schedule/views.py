"""Views: operators that only move bytes and need not, as their output is a part of their input or made up of inputs.

    SPLIT:          CONCATENATION:
    input  aabbbb   a  aa                  a and b are written where the output has them,
    a      aa       b    bbbb              one after the other or, where rows are joined, side by side:
    b        bbbb   output  aabbbb         then their rows lie a row of the output apart

Both are an inlay: row r of the part is at first + r * pitch in the whole. The part moves into the storage of the whole,
with everything that shares its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tinygen.ir.call import TOGETHER, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.rows import Inlay
from tinygen.schedule.places import Place, inside, pixels_apart, rows_apart, together
from tinygen.schedule.storages import (
    Group,
    Layout,
    Rules,
    Sharing,
    movable,
    overwrite,
    readers,
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
        kept = {t for op, found in inlays.items() for t in _not_overwritten(graph, groups, op, found)}
        overwrite(graph, kernels, rules, groups, kept=kept | set(graph.inputs if sharing.keep_inputs else ()))
    views: set[int] = set()
    # What is put together first: a part of something that goes into something else is copied there straight away.
    for op, found in sorted(inlays.items(), key=lambda item: item[1][0].part in item[0].outputs):
        if _become_view(graph, kernels, rules, groups, views, op, found):
            views.update(op.outputs)
    distinct = tuple(dict.fromkeys(groups.values()))
    places = {t: place for group in distinct for t, place in group.places.items()}
    return Layout(tuple(storage(graph, rules, group) for group in distinct), places, frozenset(views))


def _not_overwritten(graph: Graph, groups: dict[int, Group], op: Op, inlays: tuple[Inlay, ...]) -> set[int]:
    """What must keep its bytes for an operator to become a view: that saves a copy, overwriting only a place."""
    if inlays[0].part in op.outputs:
        return set(op.outputs)
    parts = [t for inlay in inlays if inlay.part in groups for t in groups[inlay.part].values[0]]
    return set(op.outputs) if any(other is not op for other in readers(graph, parts)) else set()


def _become_view(
    graph: Graph,
    kernels: Kernels,
    rules: Rules,
    groups: dict[int, Group],
    views: set[int],
    op: Op,
    inlays: tuple[Inlay, ...],
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
        if places is None or not _usable(graph, kernels, views, op, places):
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
    tensor = graph.tensors[inlay.part]
    laid = Place(inlay.first, inlay.pitch, inlay.pixel_pitch)
    root = inside(graph.tensors[inlay.whole], whole.places[inlay.whole], tensor, laid)
    if root is None or tensor.nbytes != part.nbytes or part.places[inlay.part] != together(tensor):
        return None
    found = {t: inside(tensor, root, graph.tensors[t], place) for t, place in part.places.items()}
    return {t: place for t, place in found.items() if place} if None not in found.values() else None


def _usable(graph: Graph, kernels: Kernels, views: set[int], view: Op, places: dict[int, Place]) -> bool:
    """Whoever reads or writes tensors whose rows or pixels lie apart does so row by row, with a kernel that can."""
    apart = {t for t, place in places.items() if rows_apart(graph.tensors[t], place)}
    in_pixels = {t for t, place in places.items() if pixels_apart(graph.tensors[t], place)}
    for op, kernel in zip(graph.ops, kernels, strict=True):
        touched = {*op.inputs, *op.outputs}
        if op is view or kernel is None or not views.isdisjoint(op.outputs) or touched.isdisjoint(apart | in_pixels):
            continue
        if kernel.apart is None and not touched.isdisjoint(in_pixels):
            return False
        rows = rows_of(graph, op, kernel)
        if not rows.writes_row and not apart.isdisjoint(op.outputs):
            return False
        if any(op.inputs[position] in apart and window is None for position, window in rows.inputs):
            return False
    return True


def placed(graph: Graph, op: Op, kernel: Kernel, places: Mapping[int, Place]) -> Kernel:
    """The kernel of an operator for where its tensors are."""

    def pitch(tensor: int) -> int | None:
        place = places.get(tensor)
        return place.pixel_pitch if place is not None and pixels_apart(graph.tensors[tensor], place) else None

    inputs = ((position, found) for position, t in enumerate(op.inputs) if (found := pitch(t)) is not None)
    pitches = Pitches(tuple(inputs), pitch(op.outputs[0]))
    if pitches == TOGETHER:
        return kernel
    if kernel.apart is None:
        raise ValueError(f"{kernel.name} cannot follow pixels that lie apart")
    return kernel.apart(pitches)
