"""Ways to compute a graph that are worth comparing: orders, what shares bytes, cuts into segments, and kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.plan.model import NO_SLICES, Plan
from tinygen.plan.solve import sketch
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

PEAKS = 4
"""Peaks of live bytes between the least and that of the fastest kernels for which kernels are chosen."""

SKETCH = 400
"""The planner's node budget where schedules are only compared; what is chosen is placed with the full one."""

SHARINGS = (Sharing(), Sharing(in_place=True), Sharing(in_place=True, views=True))
"""Sharing saves rows and copies, but ties together what could have lain apart: neither is always the better."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """What may be chosen; it has not been placed yet."""

    program: Program
    schedule: Schedule
    demand: Demand
    instructions: float
    spread: float
    """Instructions by which the estimate may be too low, as builds differ."""
    live: int
    """The most bytes alive at once, which no placement goes below."""


def find_candidates(graph: Graph, offers: Offers, *, keep_inputs: bool, rules: Rules) -> list[Candidate]:
    """Candidates in the graph's order and in those with lower peaks, each with whether all orders were considered.

    Layer by layer in the graph's order is the first.
    """
    costs = Costs()
    fast, small = _fastest_of(offers), _smallest_of(offers)
    orders: set[tuple[int, ...]] = set()
    exact = True
    for kernels, longest in ((fast, 1), (fast, None), (small, None)):
        program = build_program(graph, kernels, rules)
        searched = find_order(program, keep_inputs=keep_inputs, longest=longest, costs=costs)
        exact &= searched.exact
        if searched.order is not None:
            orders.add(reordered(graph, searched.order))
    plain: list[Candidate] = []
    cuttings: list[_Cutting] = []
    for order in (tuple(range(len(graph.ops))), *sorted(orders)):
        turned = replace(graph, ops=tuple(graph.ops[i] for i in order))
        program = build_program(turned, tuple(fast[i] for i in order), rules)
        plain.append(_candidate(program, layer_by_layer(program), _demands(program, keep_inputs)))
        cuttings += _cuttings(turned, [offers[i] for i in order], keep_inputs, rules, costs)
    _refine(cuttings)
    found = [*plain, *(c for cutting in cuttings for c in cutting.candidates())]
    return [replace(c, schedule=replace(c.schedule, exact=exact)) for c in found]


def _cuttings(graph: Graph, offers: Offers, keep_inputs: bool, rules: Rules, costs: Costs) -> Iterator[_Cutting]:
    """The best cuttings in one order, without and with outputs over inputs and with views."""
    seen: set[tuple[tuple[int, ...], ...]] = set()
    for sharing in SHARINGS:
        build = partial(build_program, graph, rules=rules, sharing=replace(sharing, keep_inputs=keep_inputs))
        program = build(_fastest_of(offers))
        shared = tuple(storage.tensors for storage in program.storages)
        if program.layers and shared not in seen:
            seen.add(shared)
            yield _Cutting(build, offers, keep_inputs, costs)


class _Cutting:
    """Ever bolder cuts, with the fastest kernels and with ever less scratch, of what shares bytes in one way."""

    def __init__(self, build: Callable[[Kernels], Program], offers: Offers, keep_inputs: bool, costs: Costs) -> None:
        self._build, self._offers, self._keep_inputs = build, offers, keep_inputs
        kernels = dict.fromkeys((_fastest_of(offers), _smallest_of(offers)))
        self._searches = [SegmentSearch(build(k), keep_inputs=keep_inputs, costs=costs) for k in kernels]
        self.cuts = [self._cut(i, search.cut(search.least_peak())) for i, search in enumerate(self._searches)]
        """With the fastest kernels, and with those of the least scratch if these are others."""

    def _cut(self, position: int, schedule: Schedule) -> Candidate:
        search = self._searches[position]
        return _candidate(search.program, schedule, search.demands)

    def refine(self, position: int) -> int:
        """Moves cuts where that lets the buffers be placed in a smaller arena, and returns that arena's bytes."""
        search = self._searches[position]

        def place(schedule: Schedule, layers: range | None = None) -> Plan:
            demands = search.demands
            buffers = demands.of(schedule).buffers if layers is None else demands.while_computing(layers, schedule)
            return sketch(buffers, node_budget=SKETCH)

        schedule, plan = refine(search, self.cuts[position].schedule, place)
        self.cuts[position] = self._cut(position, schedule)
        return plan.arena_bytes

    def candidates(self) -> Iterator[Candidate]:
        """All of them, now that cuts are where they are."""
        search, fastest = self._searches[0], self.cuts[0]
        yield self._cut(0, search.cut(search.least_peak(1)))
        yield fastest
        for small in self.cuts[1:]:
            live = _live(small.demand, small.schedule)
            for peak in sorted({small.live + max(0, fastest.live - small.live) * i // PEAKS for i in range(PEAKS)}):
                kernels = _fastest_within(peak, small.program, small.schedule, live, self._offers)
                program = self._build(kernels)
                yield _candidate(program, small.schedule, _demands(program, self._keep_inputs))


def _refine(cuttings: Sequence[_Cutting]) -> None:
    """Refines the cuts with the fewest live bytes first, as others are not worth it once an arena is as small as that
    and needs no more instructions."""
    done: list[tuple[int, float]] = []
    cuts = [(c.live, n, i, c) for n, cutting in enumerate(cuttings) for i, c in enumerate(cutting.cuts)]
    for live, n, i, cut in sorted(cuts, key=lambda c: c[:3]):
        if not any(arena <= live and instructions <= cut.instructions for arena, instructions in done):
            arena = cuttings[n].refine(i)
            done.append((arena, cuttings[n].cuts[i].instructions))


def _demands(program: Program, keep_inputs: bool) -> Demands:
    return Demands(program, Puller(program), keep_inputs=keep_inputs)


def _fastest_of(offers: Offers) -> Kernels:
    return tuple(min(kernels, key=lambda k: k.instructions, default=None) for kernels in offers)


def _smallest_of(offers: Offers) -> Kernels:
    return tuple(min(kernels, key=_smallest_first, default=None) for kernels in offers)


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
