"""Chooses the schedule for an objective, with the memory plan that proves what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from tinygen.errors import error
from tinygen.plan.model import Plan
from tinygen.plan.solve import plan
from tinygen.schedule.buffers import Demand, demand
from tinygen.schedule.layer_by_layer import layer_by_layer
from tinygen.schedule.program import Program
from tinygen.schedule.search import SegmentSearch
from tinygen.schedule.steps import Schedule

STEP_INSTRUCTIONS = 40
"""What interleaving adds to a step, about: the calls and the row counters. Copies come on top."""

COPY_INSTRUCTIONS_PER_BYTE = 0.5

BALANCED_SHARE = 0.05
"""The share of instructions that `balanced` may add to the layer-by-layer ones."""


class Objective(Enum):
    """What a schedule is chosen for."""

    RAM = "ram"
    """The least peak, then the fewest instructions."""
    SPEED = "speed"
    """No slower than layer by layer, then the least peak."""
    BALANCED = "balanced"
    """The least peak that costs at most 5 % more instructions than layer by layer."""


@dataclass(frozen=True, eq=False)
class Choice:
    """A schedule, what it asks of the arena, where that is put, and the instructions it adds, as an estimate."""

    schedule: Schedule
    demand: Demand
    plan: Plan
    extra_instructions: float


def choose(program: Program, objective: Objective, *, ram_budget: int | None = None, keep_inputs: bool) -> Choice:
    """The best schedule for the objective; with `ram_budget` in bytes the fastest whose arena is no larger.

    Raises:
        TinygenError: TG305 when no schedule fits the budget.
    """
    limit = {Objective.RAM: float("inf"), Objective.SPEED: 0.0}.get(objective, BALANCED_SHARE * _instructions(program))
    choices = []
    for choice in _choices(program, keep_inputs):
        if choice.extra_instructions <= limit or ram_budget is not None:
            choices.append(choice)
        if ram_budget is not None and choice.plan.arena_bytes <= ram_budget:
            return choice
    best = min(choices, key=lambda c: (c.plan.arena_bytes, c.extra_instructions))
    if ram_budget is not None:
        message = f"no schedule needs at most {ram_budget} bytes of arena, the least found is {best.plan.arena_bytes}"
        largest = sorted(best.plan.buffers, key=lambda b: -b.size)[:3]
        names = ", ".join(f"'{b.name}' ({b.size})" for b in largest)
        raise error("TG305", message, hints=(f"the largest buffers are {names}", "raise --ram-budget"))
    return best


def _choices(program: Program, keep_inputs: bool) -> Iterator[Choice]:
    """Schedules from the fastest to the one with the least peak."""
    plain = layer_by_layer(program)
    yield _planned(program, plain, keep_inputs)
    if len(program.layers) == 0:
        return
    search = SegmentSearch(program, keep_inputs=keep_inputs)
    for longest in (1, 4, None):
        yield _planned(program, search.cut(search.least_peak(longest)), keep_inputs)


def _planned(program: Program, schedule: Schedule, keep_inputs: bool) -> Choice:
    wanted = demand(program, schedule, keep_inputs=keep_inputs)
    return Choice(schedule, wanted, plan(wanted.buffers), _extra(program, schedule, wanted))


def _extra(program: Program, schedule: Schedule, wanted: Demand) -> float:
    steps = sum(len(segment.steps) for segment in schedule.segments if segment.interleaved)
    copied = sum(s.nbytes for s in program.storages if s.id in wanted.landings)
    return steps * STEP_INSTRUCTIONS + copied * COPY_INSTRUCTIONS_PER_BYTE


def _instructions(program: Program) -> int:
    return sum(layer.kernel.instructions for layer in program.layers)
