"""Puts a chosen schedule's buffers into several memories where one is not enough, or where the user wants that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tinygen.errors import error
from tinygen.plan.model import Buffer
from tinygen.plan.regions import Places, Region, assign, joined, warmth
from tinygen.schedule.buffers import Demand
from tinygen.schedule.candidates import Candidate
from tinygen.schedule.choose import Choice
from tinygen.schedule.program import Program

VARIABLE_BYTES = 1024
"""More than the variables of a firmware in C besides arena, stack and what layers need, with alignment."""
VARIABLE_BYTES_PER_LAYER = 20
"""The counters of rows of a layer that is interleaved, and its place in profiles."""

TRIES = 6
"""Schedules that fit the regions, of which one is taken."""


def variable_bytes(layers: int, outside: int) -> int:
    """The most that a model adds to the firmware's variables, with its tensors outside the arena."""
    return VARIABLE_BYTES_PER_LAYER * layers + outside


def over_regions(chosen: Choice, regions: Sequence[Region], *, wanted: bool, ram_budget: int | None = None) -> Choice:
    """The choice with its buffers over `regions`, fastest first, if the main one is too small or that is `wanted`.

    Where an interleaved schedule lets a tensor move in below another that drains, the two count once in one region and
    twice in two. So what was chosen for a single arena may not fit, or be worse than another: of those that the
    objective allows the one is taken with the fewest bytes accessed outside the fastest region. Where none of them
    fits, it is the fastest of the others that does. With `ram_budget` all regions together hold at most as many bytes.
    What is too large for all regions stays in one arena, and the build says what is missing.

    Raises:
        TinygenError: TG308 when it is wanted and cannot be had.
    """
    own = sum(storage.nbytes for storage in chosen.program.storages if storage.outside)
    variables = VARIABLE_BYTES + variable_bytes(len(chosen.program.layers), own)
    usable = [replace(r, capacity=max(0, r.capacity - variables)) if r.main else r for r in regions]
    if not wanted and all(chosen.plan.arena_bytes <= r.capacity for r in usable if r.main):
        return chosen
    found = _coolest((chosen, *chosen.allowed), usable, TRIES, ram_budget)
    if found is not None:
        return found
    found = _coolest(chosen.dearer, usable, 1, ram_budget)
    if found is not None:
        return replace(found, excess=max(0.0, found.instructions / max(1.0, chosen.instructions) - 1))
    if not wanted:
        return chosen
    room = ", ".join(f"{r.name} {r.capacity}" for r in usable)
    hints = ("--optimize ram needs less", "`tinygen fit MODEL --all` shows the boards it fits")
    message = f"the arena of {chosen.plan.arena_bytes} bytes cannot be spread over the regions asked for: {room} bytes"
    raise error("TG308", message, hints=hints)


def _coolest(
    group: Sequence[Choice | Candidate], regions: Sequence[Region], tries: int, budget: int | None
) -> Choice | None:
    """Of the first `tries` that fit the one with the fewest bytes accessed outside the fastest region, placed."""
    tried: set[tuple[Buffer, ...]] = set()
    found: list[tuple[float, float, int, Choice | Candidate, Places]] = []
    for each in group:
        buffers = each.demand.buffers
        if buffers in tried or len(found) == tries:
            continue
        tried.add(buffers)
        heat = accesses(each.program, each.demand)
        places = assign(buffers, regions, heat)
        if places is not None and (budget is None or joined(buffers, regions, places).arena_bytes <= budget):
            outside = sum(warmth(places, heat, len(regions))[1:])
            found.append((outside, each.instructions, len(tried), each, places))
    if not found:
        return None
    *_, best, places = min(found, key=lambda f: f[:3])
    plan = joined(best.demand.buffers, regions, places)
    return Choice(best.program, best.schedule, best.demand, plan, best.instructions)


def accesses(program: Program, demand: Demand) -> tuple[float, ...]:
    """For each buffer the bytes that the steps of one inference read and write in it."""
    found = [0.0] * len(demand.buffers)
    for position, layer in enumerate(program.layers):
        steps = layer.rows.steps
        for access in (*layer.reads, layer.write):
            if access.storage is None or access.storage not in demand.storages:
                continue
            rows = access.rows if access.window is None else access.window.size
            found[demand.storages[access.storage]] += float(rows * access.row_bytes * steps)
        for each in (demand.accumulators, demand.scratch):
            if position in each:
                found[each[position]] += float(demand.buffers[each[position]].size * steps)
    for storage in program.storages:
        if storage.id in demand.landings:
            found[demand.landings[storage.id]] += float(2 * storage.nbytes)
    return tuple(found)
