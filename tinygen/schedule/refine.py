"""Moves cut points where the placement, not the live bytes, decides the size of the arena.

The search over cuts minimises live bytes; rings and staircases are rigid, so the arena can be larger. A few cuttings
that differ in one cut point near the arena's highest bytes are placed too, and the best is kept until none is better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tinygen.plan.model import Plan
from tinygen.schedule.search import SegmentSearch
from tinygen.schedule.steps import Schedule

ROUNDS = 6
"""Improvements at most."""

EFFORT = 20_000
"""Steps of schedules to place at most."""

Bounds = tuple[int, ...]
"""The first layer of each segment, and the number of layers."""


def refine(search: SegmentSearch, schedule: Schedule, place: Callable[[Schedule], Plan]) -> Schedule:
    """The schedule with the smallest arena that single moves of cut points lead to; deterministic.

    `place` gives the memory plan of a schedule.
    """
    bounds = (*(s.first for s in schedule.segments), schedule.segments[-1].end)
    plan, effort = place(schedule), 0
    for _ in range(ROUNDS):
        found: tuple[int, Bounds, Schedule, Plan] | None = None
        for moved in sorted(set(_moves(bounds, schedule, plan))):
            if search.peak(moved) >= (found[0] if found else plan.arena_bytes):
                continue
            candidate = search.schedule(moved)
            effort += len(candidate.steps)
            if effort > EFFORT:
                break
            placed = place(candidate)
            if placed.arena_bytes < (found[0] if found else plan.arena_bytes):
                found = placed.arena_bytes, moved, candidate, placed
        if found is None:
            break
        _, bounds, schedule, plan = found
    return schedule


def _moves(bounds: Bounds, schedule: Schedule, plan: Plan) -> Iterator[Bounds]:
    """Cuttings that differ in one cut of a segment that runs while the arena's highest bytes are in use."""
    for i in _binding(schedule, plan):
        for cut in bounds[max(1, i) : i + 2]:
            if cut == bounds[-1]:
                continue
            rest = set(bounds) - {cut}
            yield tuple(sorted(rest))
            for other in (cut - 1, cut + 1):
                if 0 < other < bounds[-1] and other not in rest:
                    yield tuple(sorted(rest | {other}))
        for cut in range(bounds[i] + 1, bounds[i + 1]):
            yield tuple(sorted({*bounds, cut}))


def _binding(schedule: Schedule, plan: Plan) -> list[int]:
    """Positions of the segments that run while a byte at the top of the arena is in use."""
    spans = [
        (rect.lower, rect.upper)
        for buffer, offset in zip(plan.buffers, plan.offsets, strict=True)
        for rect in buffer.rects
        if offset + rect.stop > plan.arena_bytes - _TOP_BYTES
    ]
    found = []
    start = 0
    for i, segment in enumerate(schedule.segments):
        end = start + len(segment.steps)
        if any(lower < end and start < upper for lower, upper in spans):
            found.append(i)
        start = end
    return found


_TOP_BYTES = 4
"""Of the arena, taken as its top: one alignment unit."""
