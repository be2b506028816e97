"""Finds where to cut the layers into segments: the least peak of live bytes first, then the fewest interleaved steps.

Exact over all cuts of the given order by dynamic programming: what is alive outside a segment while it runs does not
depend on the other cuts, so the peak of a cutting is the greatest peak of its segments. Other orders: see order.py.
"""

from __future__ import annotations

from itertools import pairwise

from tinygen.schedule.peaks import Costed, Peaks
from tinygen.schedule.program import Program
from tinygen.schedule.pull import Puller
from tinygen.schedule.steps import Schedule, Segment

LONGEST = 64
"""Layers a segment may have at most; in a longer graph the search over cuts is bounded by it, and says so."""


class SegmentSearch:
    """All segments of a program with their peaks, and the cuttings made of them."""

    def __init__(self, program: Program, *, keep_inputs: bool = False, longest: int = LONGEST) -> None:
        self.puller = Puller(program)
        self.peaks = Peaks(program, self.puller, keep_inputs=keep_inputs)
        self._program = program
        self._longest = min(longest, len(program.layers))
        self._count = len(program.layers)

    @property
    def exact(self) -> bool:
        """Every segment was considered."""
        return self._longest >= self._count

    def least_peak(self, longest: int | None = None) -> int:
        """The least peak any cutting reaches, with segments of at most `longest` layers."""
        best = [0]
        for end in range(1, self._count + 1):
            found: int | None = None
            for first in self._starts(end, longest or self._longest):
                # A segment cannot lower what comes before or beside it: only look at those that could still win.
                if found is None or max(best[first], self._beside(first, end)) < found:
                    peak = max(best[first], self._costed(first, end).peak)
                    found = peak if found is None else min(found, peak)
            best.append(found or 0)
        return best[-1]

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
                if self._beside(first, end) <= peak and self._costed(first, end).peak <= peak:
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
        return Schedule(tuple(Segment(first, end, self._costed(first, end).steps) for first, end in pairwise(bounds)))

    def peak(self, bounds: tuple[int, ...]) -> int:
        """The peak of live bytes with these cuts."""
        return max(self._costed(first, end).peak for first, end in pairwise(bounds))

    def _costed(self, first: int, end: int) -> Costed:
        return self.peaks.costed((1 << first) - 1, (1 << end) - 1)

    def _beside(self, first: int, end: int) -> int:
        return self.peaks.beside((1 << first) - 1, (1 << end) - 1)

    def _cost(self, first: int, end: int) -> int:
        """What interleaving costs, in steps."""
        return sum(self._program.layers[i].rows.steps for i in range(first, end)) if end - first > 1 else 0

    def _starts(self, end: int, longest: int) -> range:
        """Where a segment that ends at `end` may begin, the shortest first."""
        return range(end - 1, max(end - longest, self._barrier(end)) - 1, -1)

    def _barrier(self, end: int) -> int:
        """The first layer of the longest segment worth considering: an operator that needs everything ends one."""
        start = end - 1
        complete = self._complete(start)
        while start > 0 and start - 1 not in complete:
            start -= 1
            complete |= self._complete(start)
        return start

    def _complete(self, layer: int) -> set[int]:
        """The layers of which a layer needs all that they write."""
        reads = self.puller.reads(layer)
        return {producer for r in reads if r.access.window is None for producer in self.puller.producers(r)}
