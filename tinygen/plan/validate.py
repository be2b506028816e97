"""Checks a memory plan rectangle by rectangle, the slow obvious way and with nothing borrowed from the solver."""

from __future__ import annotations

import math

import numpy as np

from tinygen.errors import TinygenError, error
from tinygen.plan.model import Buffer, Plan, Rect


def validate(plan: Plan) -> None:
    """Raise TG304 unless every buffer of `plan` lies in the arena, where it must, and on no other buffer's bytes.

    Checked are the shape of each buffer, alignment, pinned offsets, the arena's limits, every pair of rectangles of
    different buffers that are alive together, that no buffer is in two areas, and that `lower_bound` is what the live
    bytes say.
    """
    if len(plan.offsets) != len(plan.buffers):
        raise _invalid(f"{len(plan.buffers)} buffers but {len(plan.offsets)} offsets")
    for buffer, offset in zip(plan.buffers, plan.offsets, strict=True):
        _check_shape(buffer)
        _check_place(buffer, offset, plan.arena_bytes)
    _check_areas(plan)
    _check_overlaps(plan)
    bound = live_bytes_bound(plan.buffers)
    if plan.lower_bound != bound:
        raise _invalid(f"the plan states a lower bound of {plan.lower_bound} bytes, the live bytes give {bound}")
    gap = plan.arena_bytes - plan.lower_bound
    if gap < 0:
        raise _invalid(f"an arena of {plan.arena_bytes} bytes is below the lower bound of {bound} bytes")


def live_bytes_bound(buffers: tuple[Buffer, ...]) -> int:
    """The maximum over steps of the aligned bytes alive, which no arena for these buffers can go below.

    With g the common divisor of all alignments, live bytes [start, stop) of a buffer count from `start` rounded up to
    g to `stop` rounded up to g: no other buffer can begin in the last, partly filled g bytes, unless it begins with
    dead bytes, and then that buffer's own count has been rounded up past them.
    """
    grain = math.gcd(*(buffer.alignment for buffer in buffers)) or 1
    changes: dict[int, int] = {}
    for buffer in buffers:
        before = 0
        for step in sorted({t for rect in buffer.rects for t in (rect.lower, rect.upper)}):
            alive = _aligned_bytes([rect for rect in buffer.rects if rect.lower <= step < rect.upper], grain)
            changes[step] = changes.get(step, 0) + alive - before
            before = alive
    alive = most = 0
    for step in sorted(changes):
        alive += changes[step]
        most = max(most, alive)
    return most


def _aligned_bytes(rects: list[Rect], grain: int) -> int:
    """Bytes of the union of the rectangles' address ranges, both ends rounded up to `grain`."""
    total = reached = 0
    for start, stop in sorted((-(-rect.start // grain), -(-rect.stop // grain)) for rect in rects):
        total += max(0, stop - max(start, reached))
        reached = max(reached, stop)
    return total * grain


def _check_shape(buffer: Buffer) -> None:
    if buffer.size < 0:
        raise _invalid(f"buffer '{buffer.name}' has a size of {buffer.size} bytes")
    if buffer.alignment < 1:
        raise _invalid(f"buffer '{buffer.name}' has alignment {buffer.alignment}, which must be at least 1")
    for rect in buffer.rects:
        if rect.lower >= rect.upper:
            raise _invalid(f"buffer '{buffer.name}' is alive during steps [{rect.lower}, {rect.upper}), which is empty")
        if not 0 <= rect.start <= rect.stop <= buffer.size:
            raise _invalid(f"bytes [{rect.start}, {rect.stop}) are outside buffer '{buffer.name}' of {buffer.size}")


def _check_place(buffer: Buffer, offset: int, arena_bytes: int) -> None:
    if offset < 0:
        raise _invalid(f"buffer '{buffer.name}' has the negative offset {offset}")
    if offset % buffer.alignment:
        raise _invalid(f"buffer '{buffer.name}' at offset {offset} is not aligned to {buffer.alignment} bytes")
    if buffer.pinned is not None and offset != buffer.pinned:
        raise _invalid(f"buffer '{buffer.name}' is pinned at offset {buffer.pinned} but placed at {offset}")
    if offset + buffer.size > arena_bytes:
        raise _invalid(
            f"buffer '{buffer.name}' at bytes [{offset}, {offset + buffer.size}) "
            f"leaves the arena of {arena_bytes} bytes"
        )


def _check_areas(plan: Plan) -> None:
    """Areas follow one another inside the arena, and each buffer is in one of them."""
    end = 0
    for area in plan.areas:
        if not end <= area.start <= area.start + area.bytes <= plan.arena_bytes:
            raise _invalid(f"the area in {area.region} at [{area.start}, {area.start + area.bytes}) is out of place")
        end = area.start + area.bytes
    for buffer, offset in zip(plan.buffers, plan.offsets, strict=True) if plan.areas else ():
        if not any(a.start <= offset and offset + buffer.size <= a.start + a.bytes for a in plan.areas):
            raise _invalid(f"buffer '{buffer.name}' at bytes [{offset}, {offset + buffer.size}) is in no area")


def _check_overlaps(plan: Plan) -> None:
    """Compare each rectangle with all that begin during its life; together these are all pairs alive at once."""
    rects = sorted(
        (rect.lower, rect.upper, offset + rect.start, offset + rect.stop, owner)
        for owner, (buffer, offset) in enumerate(zip(plan.buffers, plan.offsets, strict=True))
        for rect in buffer.rects
        if rect.start < rect.stop
    )
    if not rects:
        return
    lowers, _, starts, stops, owners = np.array(rects, dtype=np.int64).T
    for index, (_, upper, start, stop, owner) in enumerate(rects):
        end = int(np.searchsorted(lowers, upper))
        later = slice(index + 1, end)
        clash = (starts[later] < stop) & (stops[later] > start) & (owners[later] != owner)
        if clash.any():
            other = rects[index + 1 + int(np.argmax(clash))]
            names = f"'{plan.buffers[owner].name}' and '{plan.buffers[other[4]].name}'"
            low, high = max(start, other[2]), min(stop, other[3])
            raise _invalid(f"buffers {names} both hold bytes [{low}, {high}) of the arena in step {other[0]}")


def _invalid(message: str) -> TinygenError:
    return error("TG304", message)
