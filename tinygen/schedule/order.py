"""Finds a better order of the layers than the graph's: one whose best cutting has a lower peak of live bytes.

Cuts lie between down-sets: sets of layers with all that they read. A schedule is a path through them, from the empty
set to all layers, and each of its segments is a step that adds some layers. The path with the least greatest peak is
found by best-first search; all down-sets are considered where there are few enough, else those that a beam keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush, nsmallest
from itertools import permutations

import numpy as np

from tinygen.ir.graph import Graph
from tinygen.schedule.peaks import Costs, Peaks, members
from tinygen.schedule.program import Program
from tinygen.schedule.search import LONGEST, SegmentSearch

DOWNSETS = 2000
"""Down-sets to consider at most, about."""

NARROWEST = 8
"""Of those with equally many layers this many are always considered, however many layers there are."""

MOST_ENDS = 3
"""Layers that nothing else in a segment reads: of so many all orders are tried, of more the graph's and its reverse."""

EFFORT = 80_000
"""Steps of segments to go through at most. After that only segments that are already known are considered."""

_Order = tuple[int, ...]


@dataclass(frozen=True)
class Reordering:
    """An order of the layers in which the best cutting has a lower peak; None where the search found none."""

    order: tuple[int, ...] | None
    exact: bool
    """All orders and all cuts were considered."""


def find_order(
    program: Program,
    *,
    keep_inputs: bool = False,
    longest: int | None = None,
    effort: int = EFFORT,
    costs: Costs | None = None,
) -> Reordering:
    """The layers in the order with the least peak, if that is lower than in the program's.

    Segments have at most `longest` layers; those in `costs` are known.

    Deterministic: `effort` counts steps, not time.
    """
    search = SegmentSearch(program, keep_inputs=keep_inputs, costs=costs)
    graph = _Dependencies(program, search)
    if graph.is_chain():
        return Reordering(None, search.exact)
    limit = search.least_peak(longest)
    if limit <= graph.floor():
        return Reordering(None, exact=True)
    count = len(program.layers)
    downsets, complete = graph.downsets(search.peaks, max(NARROWEST, DOWNSETS // count))
    found = _Paths(graph, search.peaks, downsets, min(longest or LONGEST, count), effort).find(limit)
    return replace(found, exact=found.exact and complete and search.exact)


def reordered(graph: Graph, order: Sequence[int]) -> tuple[int, ...]:
    """Positions of the graph's operators such that its layers come in the given order.

    Operators that compute nothing come right after what they reshape.
    """
    places = iter(sorted(range(len(order)), key=order.__getitem__))
    made: dict[int, int] = {}
    turns = []
    for op in graph.ops:
        turns.append(made.get(op.inputs[0], -1) if op.alias else next(places))
        made.update(dict.fromkeys(op.outputs, turns[-1]))
    return tuple(sorted(range(len(turns)), key=lambda i: (turns[i], i)))


class _Dependencies:
    """Which layers wait for which, and what each needs by itself, as sets of layers."""

    def __init__(self, program: Program, search: SegmentSearch) -> None:
        self._program, self._puller = program, search.puller
        self.all = (1 << len(program.layers)) - 1
        self.needs = [0] * len(program.layers)
        self.needs_all = [0] * len(program.layers)
        """The layers whose whole output a layer has to have before its first step."""
        self._floor = max(search.peaks.alive(0), search.peaks.alive(self.all))
        for layer in range(len(program.layers)):
            for read in self._puller.reads(layer):
                for producer in self._puller.producers(read):
                    self.needs[layer] |= 1 << producer
                    self.needs_all[layer] |= 1 << producer if read.access.window is None else 0
        self.users = [0] * len(program.layers)
        for layer, needs in enumerate(self.needs):
            for producer in members(needs):
                self.users[producer] |= 1 << layer

    def is_chain(self) -> bool:
        """Every layer but the first waits for the one before it, so there is no other order."""
        return all(needs >> layer & 1 for layer, needs in enumerate(self.needs[1:]))

    def floor(self) -> int:
        """Bytes that are alive at some time in any order: at both ends, and while a layer computes its middle row."""
        return max([self._floor, *map(self._alone, range(len(self._program.layers)))])

    def _alone(self, layer: int) -> int:
        step = self._program.layers[layer].rows.steps // 2
        touched: dict[int, set[int]] = {}
        sizes = {}
        for reach in (*self._puller.reads(layer), self._puller.write(layer)):
            if not reach.storage.outside:
                touched.setdefault(reach.storage.id, set()).update(reach.shape.taps(step))
                sizes[reach.storage.id] = reach.storage.row_bytes
        call = self._program.layers[layer].call
        return call.scratch_bytes + call.accumulator_bytes + sum(sizes[s] * len(rows) for s, rows in touched.items())

    def downsets(self, peaks: Peaks, width: int) -> tuple[list[int], bool]:
        """The down-sets by their number of layers, and whether they are all.

        Of more than `width` of equally many layers, those are kept that have the fewest bytes alive, and those that
        can be reached layer by layer with the lowest peak. Those of the graph's own order are always kept.
        """
        level = {0: peaks.alive(0)}
        found, complete = [0], True
        for count in range(1, len(self.needs) + 1):
            reached: dict[int, int] = {}
            for downset, peak in level.items():
                for layer in members(self._ready(downset)):
                    after = downset | 1 << layer
                    both = max(peaks.alive(downset), peaks.alive(after), peaks.peak(downset, after))
                    higher = max(peak, both)
                    reached[after] = min(reached.get(after, higher), higher)
            if len(reached) > width:
                complete = False
                kept = {(1 << count) - 1}
                kept.update(nsmallest(width // 2, reached, key=lambda d: (peaks.alive(d), reached[d], d)))
                kept.update(nsmallest(width // 2, reached, key=lambda d: (reached[d], peaks.alive(d), d)))
                reached = {d: reached[d] for d in sorted(kept)}
            level = reached
            found += sorted(level)
        return found, complete

    def _ready(self, downset: int) -> int:
        """The layers that a down-set can be extended by."""
        waiting, ready = self.all & ~downset, 0
        for layer in members(waiting):
            if not self.needs[layer] & waiting:
                ready |= 1 << layer
        return ready

    def arrangements(self, layers: int) -> tuple[list[tuple[int, ...]], bool]:
        """Orders of the layers of a segment that differ in the order in which its sinks pull, and if they are all."""
        inside = members(layers)
        ends = [layer for layer in inside if not self.users[layer] & layers]
        others = tuple(layer for layer in inside if layer not in ends)
        rest = len(self._puller.sinks(inside)) - len(ends)
        orders = permutations(ends) if len(ends) <= MOST_ENDS else iter([tuple(ends), tuple(reversed(ends))])
        return [others + order for order in orders], len(ends) <= MOST_ENDS and rest <= 1

    def is_segment(self, layers: int) -> bool:
        """The layers are worth interleaving: connected, and none waits for all of another.

        Others can be split into segments that are computed one after the other, at a peak that is no higher.
        """
        if any(self.needs_all[layer] & layers for layer in members(layers)):
            return False
        connected = frontier = layers & -layers
        while frontier:
            near = 0
            for layer in members(frontier):
                near |= self.needs[layer] | self.users[layer]
            frontier = near & layers & ~connected
            connected |= frontier
        return connected == layers


class _Paths:
    """Best-first search for the path through down-sets with the least greatest peak."""

    def __init__(self, graph: _Dependencies, peaks: Peaks, downsets: list[int], longest: int, effort: int) -> None:
        self._graph, self._peaks, self._downsets, self._longest = graph, peaks, downsets, longest
        self._effort = peaks.effort + effort
        self._segments: dict[int, bool] = {}
        self._exact = True

    def find(self, limit: int) -> Reordering:
        """The order of the path, where its greatest peak is below `limit`."""
        graph, peaks = self._graph, self._peaks
        downsets = [d for d in self._downsets if peaks.alive(d) < limit]
        table, sizes = peaks.table(downsets), np.array([d.bit_count() for d in downsets])
        settled: dict[int, tuple[int, _Order]] = {}
        # Of equal peaks the larger down-set first, which comes to an end soonest; then the shorter segment.
        heap: list[tuple[int, int, int, int, int, _Order]] = [(graph.floor(), 0, 0, 0, 0, (-1,))]
        while heap:
            peak, _, _, after, before, order = heappop(heap)
            if after in settled:
                continue
            if not order:
                found, order = self._costed(before, after)
                if order and found < limit:
                    heappush(heap, _entry(max(peak, found), before, after, order))
                continue
            settled[after] = before, order
            if after == graph.all:
                return Reordering(self._order(settled), self._exact)
            size = after.bit_count()
            besides = peaks.besides(after, table)
            near = (besides < limit) & (size < sizes) & (sizes <= size + self._longest)
            for i in np.flatnonzero(near).tolist():
                larger = downsets[i]
                if not after & ~larger and larger not in settled:
                    heappush(heap, _entry(max(peak, int(besides[i])), after, larger, ()))
        return Reordering(None, self._exact)

    def _costed(self, before: int, after: int) -> tuple[int, _Order]:
        """The least peak of a segment and the order of its layers.

        That is empty where it is not worth considering, or unknown and the effort is spent.
        """
        layers = after & ~before
        if layers not in self._segments:
            self._segments[layers] = self._graph.is_segment(layers)
        if not self._segments[layers]:
            return 0, ()
        if self._peaks.effort >= self._effort:
            self._exact = False
            known = self._peaks.is_known(before, after)
            return (self._peaks.peak(before, after), tuple(members(layers))) if known else (0, ())
        orders, complete = self._graph.arrangements(layers)
        self._exact &= complete
        return min((self._peaks.peak(before, after, order), order) for order in orders)

    def _order(self, settled: dict[int, tuple[int, _Order]]) -> _Order:
        """The layers along the path."""
        found: _Order = ()
        after = self._graph.all
        while after:
            after, order = settled[after]
            found = order + found
        return found


def _entry(peak: int, before: int, after: int, order: _Order) -> tuple[int, int, int, int, int, _Order]:
    """Without an order the peak is only what it is at least."""
    return peak, -after.bit_count(), -before.bit_count(), after, before, order
