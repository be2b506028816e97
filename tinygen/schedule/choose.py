"""Chooses kernels and a schedule for an objective, with the memory plan that proves what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from tinygen.errors import error
from tinygen.ir.graph import Graph
from tinygen.plan.model import Buffer, Plan
from tinygen.plan.solve import plan, sketch
from tinygen.schedule.buffers import Demand
from tinygen.schedule.candidates import SKETCH, Candidate, Offers, find_candidates
from tinygen.schedule.program import Program
from tinygen.schedule.steps import Schedule
from tinygen.schedule.storages import Rules

BALANCED_SHARE = 0.05
"""The share of instructions that `balanced` may add to the layer-by-layer ones."""


class Objective(Enum):
    """What kernels and schedule are chosen for."""

    RAM = "ram"
    """The least peak, then the fewest instructions."""
    SPEED = "speed"
    """No slower than layer by layer with the fastest kernels, then the least peak."""
    BALANCED = "balanced"
    """The least peak that costs at most 5 % more instructions than `speed`."""


@dataclass(frozen=True, eq=False)
class Choice:
    """A program and its schedule, what they ask of the arena, where that is put, and the estimated instructions."""

    program: Program
    schedule: Schedule
    demand: Demand
    plan: Plan
    instructions: float
    allowed: tuple[Candidate, ...] = ()
    """What else the objective allows, the fewest live bytes first: over several memories another may be better."""
    dearer: tuple[Candidate, ...] = ()
    """What it does not allow, the fewest instructions first: where nothing else fits."""
    excess: float = 0.0
    """The share of instructions above the objective's choice, where only a dearer one could be spread over memories."""


def choose(
    graph: Graph,
    offers: Offers,
    objective: Objective,
    *,
    ram_budget: int | None = None,
    keep_inputs: bool = False,
    rules: Rules = Rules(),  # noqa: B008
) -> Choice:
    """The best choice for the objective; with `ram_budget` in bytes the fastest whose arena is no larger.

    Raises:
        TinygenError: TG305 when nothing fits the budget, TG304 and TG307 for pins that cannot be had.
    """
    candidates = find_candidates(graph, offers, keep_inputs=keep_inputs, rules=rules)
    if ram_budget is not None:
        return _within(candidates, ram_budget)
    # Layer by layer comes first. Views save copies, which is no reason to take more memory than it needs.
    fastest = candidates[0].instructions
    balanced = fastest * (1 + BALANCED_SHARE)
    most = {Objective.RAM: float("inf"), Objective.SPEED: fastest, Objective.BALANCED: balanced}[objective]
    allowed = [c for c in candidates if c.instructions <= fastest or c.instructions + c.spread <= most]
    allowed = sorted(allowed, key=lambda c: (c.live, c.instructions))
    return replace(_placed(_smallest(allowed)), allowed=tuple(allowed), dearer=_dearer(candidates, allowed))


def _dearer(candidates: Sequence[Candidate], allowed: Sequence[Candidate]) -> tuple[Candidate, ...]:
    return tuple(sorted((c for c in candidates if c not in allowed), key=lambda c: (c.instructions, c.live)))


def _sketched(candidate: Candidate) -> Choice:
    found = sketch(candidate.demand.buffers, node_budget=SKETCH)
    return Choice(candidate.program, candidate.schedule, candidate.demand, found, candidate.instructions)


def _smallest(candidates: list[Candidate]) -> Choice:
    """The choice with the smallest arena, of equals the fastest; those that cannot be it are not placed."""
    best: Choice | None = None
    for candidate in sorted(candidates, key=lambda c: (c.live, c.instructions)):
        if best is not None and candidate.live > best.plan.arena_bytes:
            break
        choice = _sketched(candidate)
        if best is None or _size_first(choice) < _size_first(best):
            best = choice
    assert best is not None
    return best


def _size_first(choice: Choice) -> tuple[int, float]:
    return choice.plan.arena_bytes, choice.instructions


def _within(candidates: list[Candidate], budget: int) -> Choice:
    """The fastest choice within the budget, each placed with the full effort before a slower one is looked at."""
    possible = sorted((c for c in candidates if c.live <= budget), key=lambda c: (c.instructions, c.live))
    missed: set[tuple[Buffer, ...]] = set()
    for candidate in possible:
        if candidate.demand.buffers not in missed:
            choice = _placed(_sketched(candidate))
            if choice.plan.arena_bytes <= budget:
                return replace(choice, dearer=tuple(possible))
            missed.add(candidate.demand.buffers)
    least = _placed(_smallest(candidates)).plan
    names = ", ".join(f"'{b.name}' ({b.size})" for b in sorted(least.buffers, key=lambda b: -b.size)[:3])
    message = f"no schedule needs at most {budget} bytes of arena, the least found needs {least.arena_bytes}"
    hints = (f"the largest buffers are {names}", f"--ram-budget {least.arena_bytes} can be had")
    raise error("TG305", message, hints=hints)


def _placed(choice: Choice) -> Choice:
    """The choice with its buffers placed with the planner's full effort."""
    best = plan(choice.demand.buffers)
    return replace(choice, plan=min(best, choice.plan, key=lambda p: p.arena_bytes))
