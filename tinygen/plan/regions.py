"""Buffers over several memories: which buffer goes into which region, and where in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tinygen.errors import TinygenError
from tinygen.plan.heuristics import lowest_offset, orders
from tinygen.plan.model import Area, Buffer, Plan
from tinygen.plan.problem import Problem, build_problem, common_grain
from tinygen.plan.solve import NODE_BUDGET, plan
from tinygen.plan.validate import live_bytes_bound, validate

AREA_ALIGNMENT = 8
"""Of an area's first byte and of its size: each is an array of its own in C."""
_MOVES = 64
"""At most so many buffers are tried in a faster region, the hottest first; each costs two small plans."""
_SKETCH = 400


@dataclass(frozen=True)
class Region:
    """A memory that buffers may be in: `capacity` bytes, in C the array `arena_<name>`, or `arena` for the `main` one.

    The main region is the one that also holds the firmware's variables. Pinned buffers are in it.
    """

    name: str
    capacity: int
    main: bool = False
    address: int | None = None
    """Where the memory begins, for people."""


Places = tuple[int, ...]
"""For each buffer the index of its region."""


def spread(buffers: Sequence[Buffer], regions: Sequence[Region], heat: Sequence[float]) -> Plan | None:
    """A plan over `regions`, which come fastest first; None when no placement within their capacities was found.

    The most accesses for a byte first, then in every order of the greedy planner, buffers fill the regions, from the
    fastest or from the largest; the fit with the most `heat` (bytes accessed in an inference, for each buffer) in the
    fastest region is kept. Then buffers are moved there as long as each region can still be placed. The arena of the
    result is one range of addresses, the main region's area first, so that what follows offsets knows no regions.
    """
    places = assign(buffers, regions, heat)
    return None if places is None else joined(buffers, regions, places)


def assign(buffers: Sequence[Buffer], regions: Sequence[Region], heat: Sequence[float]) -> Places | None:
    """The part of `spread` that decides which buffer is where, several times faster than the whole."""
    buffers, regions = tuple(buffers), _whole(regions)
    problem = build_problem(buffers, common_grain(buffers))
    eager = sorted(range(len(buffers)), key=lambda i: -heat[i] / max(1, buffers[i].size))
    found = list(_fits(problem, buffers, regions, [eager, *orders(problem)]))
    if not found:
        return _in_one(buffers, regions)
    places = max(found, key=lambda p: warmth(p, heat, len(regions)))
    return _warmed(buffers, regions, places, eager)


def _whole(regions: Sequence[Region]) -> tuple[Region, ...]:
    """With capacities that arrays can use."""
    return tuple(replace(r, capacity=max(0, r.capacity) // AREA_ALIGNMENT * AREA_ALIGNMENT) for r in regions)


def _fits(
    problem: Problem, buffers: tuple[Buffer, ...], regions: Sequence[Region], tried: list[list[int]]
) -> Iterator[Places]:
    """Assignments whose regions can all be placed: by the orders, the fastest or the largest region first."""
    fastest = list(range(len(regions)))
    largest = sorted(fastest, key=lambda r: -regions[r].capacity)
    for preference in (fastest, largest):
        for order in tried:
            places = _filled(problem, buffers, regions, order, preference)
            if places is not None and _plans(buffers, regions, places) is not None:
                yield places


def _in_one(buffers: tuple[Buffer, ...], regions: Sequence[Region]) -> Places | None:
    """All buffers in the fastest region that holds them when they are placed with the full effort."""
    for r, region in enumerate(regions):
        if region.main or all(buffer.pinned is None for buffer in buffers):
            places = (r,) * len(buffers)
            if live_bytes_bound(buffers) <= region.capacity and _plan_of(buffers, regions, places, r, NODE_BUDGET):
                return places
    return None


def _filled(
    problem: Problem, buffers: tuple[Buffer, ...], regions: Sequence[Region], order: list[int], preference: list[int]
) -> Places | None:
    """Each buffer in the first region with room for it beside those before; None when one fits nowhere."""
    places = [-1] * len(buffers)
    offsets = [[-1] * len(buffers) for _ in regions]
    main = next(r for r, region in enumerate(regions) if region.main)
    for i, pin in enumerate(problem.pinned):
        if pin is not None:
            places[i], offsets[main][i] = main, pin
    for i in order:
        for r in preference if places[i] < 0 else ():
            offset = lowest_offset(problem, i, offsets[r])
            if (offset + problem.sizes[i]) * problem.grain <= regions[r].capacity:
                places[i], offsets[r][i] = r, offset
                break
        if places[i] < 0:
            return None
    return tuple(places)


def _warmed(buffers: tuple[Buffer, ...], regions: Sequence[Region], places: Places, eager: list[int]) -> Places:
    """Moves to the fastest region what is accessed most for its size."""
    movable = [i for i in eager if places[i] != 0 and buffers[i].pinned is None]
    for i in movable[:_MOVES]:
        moved = tuple(0 if j == i else place for j, place in enumerate(places))
        # With a buffer less the planner may place the rest in another way: that must fit, too.
        if all(_plan_of(buffers, regions, moved, r, _SKETCH) is not None for r in (0, places[i])):
            places = moved
    return places


def warmth(places: Places, heat: Sequence[float], count: int) -> tuple[float, ...]:
    """Bytes accessed in each region."""
    return tuple(sum(h for h, place in zip(heat, places, strict=True) if place == r) for r in range(count))


def _plan_of(
    buffers: tuple[Buffer, ...], regions: Sequence[Region], places: Places, region: int, nodes: int
) -> Plan | None:
    there = [buffer for buffer, place in zip(buffers, places, strict=True) if place == region]
    try:
        return plan(there, capacity=max(1, regions[region].capacity), node_budget=nodes)
    except TinygenError as failure:
        if failure.code != "TG305":
            raise
        return None


def _plans(buffers: tuple[Buffer, ...], regions: Sequence[Region], places: Places) -> tuple[Plan, ...] | None:
    found = [_plan_of(buffers, regions, places, r, _SKETCH) for r in range(len(regions))]
    plans = tuple(p for p in found if p is not None)
    return plans if len(plans) == len(regions) else None


def _smallest_of(buffers: tuple[Buffer, ...], regions: Sequence[Region], places: Places, region: int) -> Plan:
    """The smaller of the plans for a region with the full effort and with as much as `assign` made."""
    efforts = (_plan_of(buffers, regions, places, region, nodes) for nodes in (_SKETCH, NODE_BUDGET))
    assigned = next((found for found in efforts if found is not None), None)
    if assigned is None:
        raise ValueError("buffers are assigned to a region without room for them")
    whole = plan([buffer for buffer, place in zip(buffers, places, strict=True) if place == region])
    return min(whole, assigned, key=lambda found: found.arena_bytes)


def joined(buffers: Sequence[Buffer], regions: Sequence[Region], places: Places) -> Plan:
    """One plan with an area for each region that holds anything, the main one first, from what `assign` found."""
    buffers, regions = tuple(buffers), _whole(regions)
    plans = tuple(_smallest_of(buffers, regions, places, r) for r in range(len(regions)))
    offsets = [0] * len(buffers)
    areas: list[Area] = []
    grain = math.lcm(AREA_ALIGNMENT, *(buffer.alignment for buffer in buffers))
    start = 0
    for r in sorted(range(len(regions)), key=lambda r: not regions[r].main):
        there = [i for i, place in enumerate(places) if place == r]
        if not there and not regions[r].main:
            continue
        size = -(-plans[r].arena_bytes // AREA_ALIGNMENT) * AREA_ALIGNMENT
        areas.append(Area(regions[r].name, start, size, regions[r].main, regions[r].address))
        for i, offset in zip(there, plans[r].offsets, strict=True):
            offsets[i] = start + offset
        start += -(-size // grain) * grain
    arena = areas[-1].start + areas[-1].bytes
    bound = live_bytes_bound(buffers)
    alone = [p.proof for p in plans if p.buffers]
    result = Plan(
        buffers=buffers,
        offsets=tuple(offsets),
        arena_bytes=arena,
        lower_bound=bound,
        proof=alone[0] if len(alone) == 1 else f"gap {arena - bound}" if arena > bound else "optimal",
        areas=tuple(areas),
    )
    validate(result)
    return result
