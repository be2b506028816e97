"""Finds where to cut the layers into segments: the least peak of live bytes first, then the fewest interleaved steps.

Exact over all cuts of the given order: what is alive outside a segment while it runs does not
depend on the other cuts, so the peak of a cutting is the greatest peak of its segments. Other orders: see order.py.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import accumulate, pairwise

from tinygen.schedule.buffers import Demands
from tinygen.schedule.peaks import Costs, Peaks
from tinygen.schedule.program import Program
from tinygen.schedule.pull import Puller
from tinygen.schedule.steps import Schedule, Segment

LONGEST = 64
"""Layers a segment may have at most; in a longer graph the search over cuts is bounded by it, and says so."""


class SegmentSearch:
    """All segments of a program with their peaks, and the cuttings made of them."""

    def __init__(
        self, program: Program, *, keep_inputs: bool = False, longest: int = LONGEST, costs: Costs | None = None
    ) -> None:
        """Who searches similar programs brings the `costs` of the segments that they have in common."""
        self.puller = Puller(program)
        self.demands = Demands(program, self.puller, keep_inputs=keep_inputs)
        self.peaks = Peaks(program, self.puller, keep_inputs=keep_inputs, costs=costs or Costs())
        self.program = program
        self._longest = min(longest, len(program.layers))
        self._count = len(program.layers)
        self._peaks: dict[tuple[int, int], int] = {}
        self._segments: dict[tuple[int, int], Segment] = {}
        self._barriers: dict[int, int] = {}
        self._steps = list(accumulate((layer.rows.steps for layer in program.layers), initial=0))

    @property
    def exact(self) -> bool:
        """Every segment was considered."""
        return self._longest >= self._count

    def least_peak(self, longest: int | None = None) -> int:
        """The least peak any cutting reaches, with segments of at most `longest` layers.

        Best-first: a segment is gone through only when nothing that is lower at best is left.
        """
        longest = min(longest or self._longest, self._longest)
        settled: set[int] = set()
        # Of equal peaks the one that has come furthest, then the shortest. Without `known` a peak is one at least.
        heap = [(0, 0, 0, True)]
        while heap:
            peak, before, end, known = heappop(heap)
            if end in settled:
                continue
            if not known:
                heappush(heap, (max(peak, self._peak(-before, end)), before, end, True))
                continue
            if end == self._count:
                return peak
            settled.add(end)
            for after in range(end + 1, min(end + longest, self._count) + 1):
                if self._barrier(after) > end:
                    break
                if after not in settled:
                    heappush(heap, (max(peak, self._beside(end, after)), -end, after, False))
        raise AssertionError("single layers are segments")

    def cut(self, peak: int) -> Schedule:
        """The cheapest cutting whose peak of live bytes is at most `peak`.

        Raises:
            ValueError: there is none.
        """
        best: list[tuple[int, int] | None] = [(0, 0)]
        for end in range(1, self._count + 1):
            found: tuple[int, int] | None = None
            for first in self._starts(end, self._longest):
                before = best[first]
                cost = self._cost(first, end)
                if before is None or (found is not None and before[0] + cost >= found[0]):
                    continue
                if self._beside(first, end) <= peak and self._peak(first, end) <= peak:
                    found = (before[0] + cost, first)
            best.append(found)
        bounds = [self._count]
        while bounds[0] > 0:
            step = best[bounds[0]]
            if step is None:
                raise ValueError(f"no cutting has a peak of {peak} bytes or less")
            bounds.insert(0, step[1])
        return self.schedule(tuple(bounds))

    def schedule(self, bounds: tuple[int, ...]) -> Schedule:
        """The schedule with these cuts: the first layer of each segment, and the number of layers."""
        return Schedule(tuple(self._segment(first, end) for first, end in pairwise(bounds)))

    def steps(self, bounds: tuple[int, ...]) -> int:
        """The steps of the layers between the first and the last of these cuts."""
        return self._steps[bounds[-1]] - self._steps[bounds[0]]

    def peak(self, bounds: tuple[int, ...]) -> int:
        """The peak of live bytes with these cuts."""
        return max(self._peak(first, end) for first, end in pairwise(bounds))

    def _segment(self, first: int, end: int) -> Segment:
        if (first, end) not in self._segments:
            self._segments[first, end] = Segment(first, end, self.peaks.walk(tuple(range(first, end))).steps())
        return self._segments[first, end]

    def _peak(self, first: int, end: int) -> int:
        if (first, end) not in self._peaks:
            self._peaks[first, end] = self.peaks.peak((1 << first) - 1, (1 << end) - 1, tuple(range(first, end)))
        return self._peaks[first, end]

    def _beside(self, first: int, end: int) -> int:
        return self.peaks.beside((1 << first) - 1, (1 << end) - 1)

    def _cost(self, first: int, end: int) -> int:
        """What interleaving costs, in steps."""
        return self._steps[end] - self._steps[first] if end - first > 1 else 0

    def _starts(self, end: int, longest: int) -> range:
        """Where a segment that ends at `end` may begin, the shortest first."""
        return range(end - 1, max(end - longest, self._barrier(end)) - 1, -1)

    def _barrier(self, end: int) -> int:
        """The first layer of the longest segment worth considering: an operator that needs everything ends one."""
        if end not in self._barriers:
            start = end - 1
            complete = self._complete(start)
            while start > 0 and start - 1 not in complete:
                start -= 1
                complete |= self._complete(start)
            self._barriers[end] = start
        return self._barriers[end]

    def _complete(self, layer: int) -> set[int]:
        """The layers of which a layer needs all that they write."""
        reads = self.puller.reads(layer)
        return {producer for r in reads if r.access.window is None for producer in self.puller.producers(r)}
