"""Finds where to cut the layers into segments: the least peak of live bytes first, then the fewest interleaved steps.

Exact over all cuts of the given order by dynamic programming: what is alive outside a segment while it runs does not
depend on the other cuts, so the peak of a cutting is the greatest peak of its segments.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tinygen.schedule.program import Program
from tinygen.schedule.pull import Puller
from tinygen.schedule.steps import Schedule, Segment
from tinygen.schedule.storages import Storage

LONGEST = 64
"""Layers a segment may have at most; in a longer graph the search over cuts is bounded by it, and says so."""


@dataclass(frozen=True)
class Costed:
    """A segment with its peak of live bytes, everything alive outside it included."""

    segment: Segment
    peak: int


class SegmentSearch:
    """All segments of a program with their peaks, and the cuttings made of them."""

    def __init__(self, program: Program, *, keep_inputs: bool = False, longest: int = LONGEST) -> None:
        self._program = program
        self._puller = Puller(program)
        self._longest = min(longest, len(program.layers))
        self._count = len(program.layers)
        self._spans = tuple(self._span(s, keep_inputs) for s in program.storages if not s.outside)
        self._costed: dict[tuple[int, int], Costed] = {}

    def _span(self, storage: Storage, keep_inputs: bool) -> tuple[Storage, int, int]:
        """A storage with the layers it lives from and through: -1 is before the first, their number after the last."""
        producer = min(self._puller.writers(storage.id), default=None) if storage.kind != "input" else None
        stays = any(t in self._program.graph.outputs for t in storage.tensors)
        stays |= keep_inputs and storage.kind == "input"
        # The caller fills all of an input, also what nobody reads.
        last = self._count if stays else max(self._puller.readers(storage.id), default=0 if producer is None else -1)
        return storage, -1 if producer is None else producer, last

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
                    peak = max(best[first], self.costed(first, end).peak)
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
                if self._beside(first, end) <= peak and self.costed(first, end).peak <= peak:
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
        segments = tuple(self.costed(first, end).segment for first, end in pairwise(bounds))
        return Schedule(segments, self.exact)

    def peak(self, bounds: tuple[int, ...]) -> int:
        """The peak of live bytes with these cuts."""
        return max(self.costed(first, end).peak for first, end in pairwise(bounds))

    def costed(self, first: int, end: int) -> Costed:
        """The segment of layers [first, end)."""
        key = (first, end)
        if key not in self._costed:
            segment = self._puller.segment(first, end)
            self._costed[key] = Costed(segment, self._peak(segment))
        return self._costed[key]

    def _cost(self, first: int, end: int) -> int:
        """What interleaving costs, in steps."""
        return sum(self._program.layers[i].rows.steps for i in range(first, end)) if end - first > 1 else 0

    def _beside(self, first: int, end: int) -> int:
        """Bytes alive all the while that layers [first, end) run."""
        return sum(storage.nbytes for storage, producer, last in self._spans if producer < first and last >= end)

    def _starts(self, end: int, longest: int) -> range:
        """Where a segment that ends at `end` may begin, the shortest first."""
        return range(end - 1, max(end - longest, self._barrier(end)) - 1, -1)

    def _barrier(self, end: int) -> int:
        """The first layer of the longest segment worth considering: an operator that needs everything ends one."""
        start = end - 1
        while start > 0 and not self._needs_all(start):
            start -= 1
        return start

    def _needs_all(self, layer: int) -> bool:
        return any(r.access.window is None for r in self._puller.reads(layer))

    def _peak(self, segment: Segment) -> int:
        """The greatest number of live bytes during the segment, in units of whole buffers and rows."""
        end = len(segment.steps)
        change = np.zeros(end + 1, np.int64)
        inside: dict[int, tuple[list[int], list[int]]] = {}
        for storage, producer, last in self._spans:
            if producer < segment.first <= last < segment.end:
                filled = int(producer < 0 and segment.first == 0)
                inside[storage.id] = ([0] * storage.rows, [filled] * storage.rows)
            elif segment.first <= producer < segment.end:
                stays = end if last >= segment.end else 0
                inside[storage.id] = ([end] * storage.rows, [stays] * storage.rows)
        working: dict[int, list[int]] = {}
        for time, step in enumerate(segment.steps):
            layer, index = step.layer, step.first
            for read in self._puller.reads(layer):
                if read.storage.id in inside:
                    dead = inside[read.storage.id][1]
                    for row in read.taps(index):
                        dead[row] = max(dead[row], time + 1)
            write = self._puller.write(layer)
            born, dead = inside.get(write.storage.id, ([], []))
            for row in write.taps(index) if born else ():
                born[row] = min(born[row], time)
                dead[row] = max(dead[row], time + 1)
            working.setdefault(layer, []).append(time)
        for key, (born, dead) in inside.items():
            row_bytes = self._row_bytes(key)
            np.add.at(change, born, row_bytes)
            np.subtract.at(change, [max(b, d) for b, d in zip(born, dead, strict=True)], row_bytes)
        for layer, times in working.items():
            call = self._program.layers[layer].call
            if call.accumulator_bytes:
                change[times[0]] += call.accumulator_bytes
                change[times[-1] + 1] -= call.accumulator_bytes
            if call.scratch_bytes:
                np.add.at(change, times, call.scratch_bytes)
                np.subtract.at(change, [t + 1 for t in times], call.scratch_bytes)
        return self._beside(segment.first, segment.end) + int(np.cumsum(change)[:end].max(initial=0))

    def _row_bytes(self, storage: int) -> int:
        return next(s.row_bytes for s in self._program.storages if s.id == storage)
