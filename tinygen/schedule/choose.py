"""Chooses kernels and a schedule for an objective, with the memory plan that proves what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import error
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.plan.model import NO_SLICES, Buffer, Plan
from tinygen.plan.solve import plan, sketch
from tinygen.schedule.buffers import Demand, Demands
from tinygen.schedule.layer_by_layer import layer_by_layer
from tinygen.schedule.order import find_order, reordered
from tinygen.schedule.peaks import Costs
from tinygen.schedule.program import Program, build_program
from tinygen.schedule.pull import Puller
from tinygen.schedule.refine import refine
from tinygen.schedule.search import SegmentSearch
from tinygen.schedule.steps import Schedule
from tinygen.schedule.storages import Rules, Sharing

Offers = Sequence[tuple[Kernel, ...]]
"""For each operator of a graph the kernels that can compute it, none for aliases."""

Kernels = tuple[Kernel | None, ...]
"""For each operator of a graph the kernel that computes it, None for aliases."""

STEP_INSTRUCTIONS = 80
"""What interleaving adds to a step at most, as counted: the calls and the row counters. Copies come on top."""

COPY_INSTRUCTIONS_PER_BYTE = 0.65

BALANCED_SHARE = 0.05
"""The share of instructions that `balanced` may add to the layer-by-layer ones."""

PEAKS = 4
"""Peaks of live bytes between the least and that of the fastest kernels for which kernels are chosen."""

SKETCH = 400
"""The planner's node budget where schedules are only compared; what is chosen is placed with the full one."""


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
    candidates = _candidates(graph, offers, keep_inputs, rules)
    if ram_budget is not None:
        return _within(candidates, ram_budget)
    # Layer by layer comes first. Views save copies, which is no reason to take more memory than it needs.
    fastest = candidates[0].instructions
    balanced = fastest * (1 + BALANCED_SHARE)
    most = {Objective.RAM: float("inf"), Objective.SPEED: fastest, Objective.BALANCED: balanced}[objective]
    allowed = [c for c in candidates if c.instructions <= fastest or c.instructions + c.spread <= most]
    allowed = sorted(allowed, key=lambda c: (c.live, c.instructions))
    return replace(_placed(_smallest(allowed)), allowed=tuple(allowed), dearer=_dearer(candidates, allowed))


@dataclass(frozen=True, eq=False)
class Candidate:
    """A choice that has not been placed yet."""

    program: Program
    schedule: Schedule
    demand: Demand
    instructions: float
    spread: float
    """Instructions by which the estimate may be too low, as builds differ."""
    live: int
    """The most bytes alive at once, which no placement goes below."""

    def placed(self, node_budget: int) -> Choice:
        found = sketch(self.demand.buffers, node_budget=node_budget)
        return Choice(self.program, self.schedule, self.demand, found, self.instructions)


def _dearer(candidates: Sequence[Candidate], allowed: Sequence[Candidate]) -> tuple[Candidate, ...]:
    return tuple(sorted((c for c in candidates if c not in allowed), key=lambda c: (c.instructions, c.live)))


def _smallest(candidates: list[Candidate]) -> Choice:
    """The choice with the smallest arena, of equals the fastest; those that cannot be it are not placed."""
    best: Choice | None = None
    for candidate in sorted(candidates, key=lambda c: (c.live, c.instructions)):
        if best is not None and candidate.live > best.plan.arena_bytes:
            break
        choice = candidate.placed(SKETCH)
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
            choice = _placed(candidate.placed(SKETCH))
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


def _candidates(graph: Graph, offers: Offers, keep_inputs: bool, rules: Rules) -> list[Candidate]:
    """Candidates in the graph's order and in those with lower peaks, each with whether all orders were considered."""
    costs = Costs()
    found = list(_in_order(graph, offers, keep_inputs, rules, costs))
    orders: set[tuple[int, ...]] = set()
    exact = True
    for kernels, longest in ((_fastest_of(offers), 1), (_fastest_of(offers), None), (_smallest_of(offers), None)):
        program = build_program(graph, kernels, rules)
        searched = find_order(program, keep_inputs=keep_inputs, longest=longest, costs=costs)
        exact &= searched.exact
        if searched.order is not None:
            orders.add(reordered(graph, searched.order))
    for order in sorted(orders):
        turned = replace(graph, ops=tuple(graph.ops[i] for i in order))
        found += _in_order(turned, [offers[i] for i in order], keep_inputs, rules, costs)
    return [replace(c, schedule=replace(c.schedule, exact=exact)) for c in found]


def _in_order(graph: Graph, offers: Offers, keep_inputs: bool, rules: Rules, costs: Costs) -> Iterator[Candidate]:
    """Candidates in one order: layer by layer, then interleaved, without and with outputs over inputs and with views.

    Sharing saves rows and copies, but ties together what could have lain apart: neither is always the better.
    """
    seen: set[tuple[tuple[int, ...], ...]] = set()
    for sharing in (Sharing(), Sharing(in_place=True), Sharing(in_place=True, views=True)):
        build = partial(build_program, graph, rules=rules, sharing=replace(sharing, keep_inputs=keep_inputs))
        program = build(_fastest_of(offers))
        if not sharing.in_place:
            demands = Demands(program, Puller(program), keep_inputs=keep_inputs)
            yield _candidate(program, layer_by_layer(program), demands)
        shared = tuple(storage.tensors for storage in program.storages)
        if program.layers and shared not in seen:
            seen.add(shared)
            yield from _cuttings(build, offers, keep_inputs, costs)


def _fastest_of(offers: Offers) -> Kernels:
    return tuple(min(kernels, key=lambda k: k.instructions, default=None) for kernels in offers)


def _smallest_of(offers: Offers) -> Kernels:
    return tuple(min(kernels, key=_smallest_first, default=None) for kernels in offers)


def _cuttings(
    build: Callable[[Kernels], Program], offers: Offers, keep_inputs: bool, costs: Costs
) -> Iterator[Candidate]:
    """Cut ever more boldly, with the fastest kernels and with ever less scratch."""
    fast, small = _fastest_of(offers), _smallest_of(offers)
    program = build(fast)
    search = SegmentSearch(program, keep_inputs=keep_inputs, costs=costs)
    yield _candidate(program, search.cut(search.least_peak(1)), search.demands)
    fastest = _candidate(program, _cut(search), search.demands)
    yield fastest
    if small == fast:
        return
    program = build(small)
    search = SegmentSearch(program, keep_inputs=keep_inputs, costs=costs)
    schedule = _cut(search)
    live = _live(search.demands.of(schedule), schedule)
    least = int(live.max())
    for peak in sorted({least + max(0, fastest.live - least) * i // PEAKS for i in range(PEAKS)}):
        chosen = build(_fastest_within(peak, program, schedule, live, offers))
        yield _candidate(chosen, schedule, Demands(chosen, Puller(chosen), keep_inputs=keep_inputs))


def _cut(search: SegmentSearch) -> Schedule:
    """The cutting with the least peak, its cuts moved where that lets the buffers be placed in a smaller arena."""
    cut = search.cut(search.least_peak())
    return refine(search, cut, lambda s: sketch(search.demands.of(s).buffers, node_budget=SKETCH))


def _live(wanted: Demand, schedule: Schedule) -> NDArray[np.int64]:
    """Live bytes at each step of a schedule."""
    lower, upper, start, stop = np.concatenate([NO_SLICES, *(b.slices for b in wanted.buffers)]).T
    change = np.zeros(max(len(schedule.steps), 1) + 1, np.int64)
    np.add.at(change, lower, stop - start)
    np.subtract.at(change, upper, stop - start)
    return np.cumsum(change)[:-1]


def _fastest_within(
    peak: int, program: Program, schedule: Schedule, live: NDArray[np.int64], offers: Offers
) -> Kernels:
    """For each operator the fastest kernel with which the live bytes, now `live` at each step, stay within `peak`."""
    room: dict[int, int] = {}
    for time, step in enumerate(schedule.steps):
        layer = program.layers[step.layer]
        spare = peak - (int(live[time]) - layer.call.scratch_bytes)
        room[layer.write.tensor] = min(room.get(layer.write.tensor, peak), spare)
    return tuple(
        _fastest(kernels, room.get(op.outputs[0], peak)) if kernels else None
        for op, kernels in zip(program.graph.ops, offers, strict=True)
    )


def _fastest(kernels: tuple[Kernel, ...], scratch_bytes: int) -> Kernel:
    """Of those with the row model that the schedule was made for."""
    rows = min(kernels, key=_smallest_first).rows
    fitting = (k for k in kernels if k.scratch_bytes <= scratch_bytes and k.rows == rows)
    return min(fitting, key=lambda k: k.instructions)


def _smallest_first(kernel: Kernel) -> tuple[int, int, int]:
    """The least scratch, then the smallest pieces of work, as whole tensors need more memory than rows."""
    return kernel.scratch_bytes, -1 if kernel.rows is None else -kernel.rows.steps, kernel.instructions


def _candidate(program: Program, schedule: Schedule, demands: Demands) -> Candidate:
    wanted = demands.of(schedule)
    steps = sum(len(segment.steps) for segment in schedule.segments if segment.interleaved)
    copied = sum(s.nbytes for s in program.storages if s.id in wanted.landings)
    instructions = sum(layer.kernel.instructions for layer in program.layers)
    extra = steps * STEP_INSTRUCTIONS + copied * COPY_INSTRUCTIONS_PER_BYTE
    live = int(_live(wanted, schedule).max(initial=0))
    spread = sum(layer.kernel.spread for layer in program.layers)
    return Candidate(program, schedule, wanted, instructions + extra, spread, live)
