"""Moves cut points where the placement, not the live bytes, decides the size of the arena.

The search over cuts minimises live bytes; rings and staircases are rigid, so the arena can be larger. Where the arena's
highest bytes are in use, cuttings that differ in one cut point are tried. Only what is alive near it is placed then,
and what is better there is done in all such places at once, as networks repeat themselves; the whole is placed to see
whether it is worth it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from tinygen.plan.model import Plan
from tinygen.schedule.search import SegmentSearch
from tinygen.schedule.steps import Schedule

ROUNDS = 20
"""Improvements at most."""

ALONE = 3
"""Moves that are tried one by one in a round, where all of them together do not help."""

EFFORT = 60_000
"""Steps of schedules, or of parts of them, to place at most."""

Bounds = tuple[int, ...]
"""The first layer of each segment, and the number of layers."""


class Placer(Protocol):
    """Places a schedule's buffers, or only what is alive while `layers` are computed, a range of whole segments."""

    def __call__(self, schedule: Schedule, layers: range | None = None) -> Plan: ...


@dataclass(frozen=True, order=True)
class _Move:
    """Another cutting that is better near the place where it differs."""

    arena_bytes: int
    """Of what is alive there."""
    bounds: Bounds
    layers: tuple[int, int]
    """The first layer, and the one after the last, of the segments that differ."""


def refine(search: SegmentSearch, schedule: Schedule, place: Placer) -> tuple[Schedule, Plan]:
    """The schedule with the smallest arena that moves of cut points lead to, and its plan; deterministic."""
    steps = len(schedule.steps)
    bounds = (*(s.first for s in schedule.segments), schedule.segments[-1].end)
    plan, effort = place(schedule), 0
    binding = _binding(schedule, plan)
    for _ in range(ROUNDS):
        moves: list[_Move] = []
        for moved in sorted(set(_moves(bounds, binding))):
            differing = _differing(bounds, moved)
            if effort > EFFORT or search.peak(_part(moved, *differing)) >= plan.arena_bytes:
                continue
            first, end = _widened(moved, *differing)
            effort += search.steps(_part(moved, first, end))
            arena = place(search.schedule(moved), range(first, end)).arena_bytes
            if arena < plan.arena_bytes:
                moves.append(_Move(arena, moved, differing))
        moves.sort()
        for moved in dict.fromkeys((_together(bounds, moves), *(move.bounds for move in moves[:ALONE]))):
            if moved == bounds or effort > EFFORT:
                continue
            candidate = search.schedule(moved)
            effort += steps
            placed = place(candidate)
            high = _binding(candidate, placed)
            if (placed.arena_bytes, len(high)) < (plan.arena_bytes, len(binding)):
                bounds, schedule, plan, binding = moved, candidate, placed, high
                break
        else:
            break
    return schedule, plan


def _moves(bounds: Bounds, binding: Sequence[int]) -> Iterator[Bounds]:
    """Cuttings that differ in one cut of a binding segment."""
    for i in binding:
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


def _together(bounds: Bounds, moves: Sequence[_Move]) -> Bounds:
    """All moves, the best first, that do not touch the same segments."""
    taken: list[tuple[int, int]] = []
    found = set(bounds)
    for move in moves:
        first, end = move.layers
        if all(end <= a or b <= first for a, b in taken):
            taken.append(move.layers)
            found = {b for b in found if not first < b < end} | {b for b in move.bounds if first < b < end}
    return tuple(sorted(found))


def _differing(before: Bounds, after: Bounds) -> tuple[int, int]:
    """The first layer, and the one after the last, of the segments in which two cuttings differ."""
    changed = set(pairwise(before)) ^ set(pairwise(after))
    return min(first for first, _ in changed), max(end for _, end in changed)


def _widened(bounds: Bounds, first: int, end: int) -> tuple[int, int]:
    """With the segment before and the one after."""
    return bounds[max(0, bounds.index(first) - 1)], bounds[min(len(bounds) - 1, bounds.index(end) + 1)]


def _part(bounds: Bounds, first: int, end: int) -> Bounds:
    return tuple(b for b in bounds if first <= b <= end)


def _binding(schedule: Schedule, plan: Plan) -> list[int]:
    """Positions of the segments that run while a byte at the top of the arena is in use."""
    spans = [
        (lower, upper)
        for buffer, offset in zip(plan.buffers, plan.offsets, strict=True)
        if offset + buffer.size > plan.arena_bytes - _TOP_BYTES
        for lower, upper, _, stop in buffer.slices.tolist()
        if offset + stop > plan.arena_bytes - _TOP_BYTES
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
