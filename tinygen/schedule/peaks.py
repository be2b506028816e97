"""Peaks of live bytes while a segment runs, whatever has been computed before and is needed after.

What has been computed is a down-set: a set of layers with all that they read, as a number whose bit i is layer i. Which
rows are alive while a segment runs depends on the down-sets before and after it and on nothing else, so the peak of a
schedule is the greatest peak of its segments, and each is found once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinygen.schedule.program import Program
from tinygen.schedule.pull import Puller
from tinygen.schedule.steps import Step

Key = tuple[tuple[int, ...], bool, tuple[tuple[bool, int], ...]]


def members(downset: int) -> list[int]:
    """The layers of a set, in order."""
    found = []
    while downset:
        lowest = downset & -downset
        found.append(lowest.bit_length() - 1)
        downset ^= lowest
    return found


@dataclass(frozen=True)
class Costed:
    """The steps of a segment with their peak of live bytes, everything alive outside it included."""

    steps: tuple[Step, ...]
    peak: int


@dataclass(frozen=True)
class _Span:
    """A storage of the arena, and the sets of layers that write and read it."""

    id: int
    rows: int
    row_bytes: int
    writers: int
    readers: int
    is_input: bool
    stays: bool
    """Through the end of the inference."""


class Peaks:
    """The peaks of a program's segments; each is computed when it is asked for."""

    def __init__(self, program: Program, puller: Puller, *, keep_inputs: bool) -> None:
        self._program, self._puller = program, puller
        self._taken: dict[tuple[int, int], set[int]] = {}
        """The rows of a storage that a layer reads."""
        self._spans = self._find_spans(keep_inputs)
        self._begun: dict[int, NDArray[np.float64]] = {}
        self._needed: dict[int, NDArray[np.float64]] = {}
        self._left: dict[tuple[int, int], frozenset[int]] = {}
        self._steps: dict[tuple[int, ...], tuple[Step, ...]] = {}
        self._own: dict[Key, int] = {}
        self.effort = 0
        """Steps that were gone through so far."""

    def _find_spans(self, keep_inputs: bool) -> tuple[_Span, ...]:
        writers: dict[int, int] = {}
        readers: dict[int, int] = {}
        for i, layer in enumerate(self._program.layers):
            key = self._puller.write(i).storage.id
            writers[key] = writers.get(key, 0) | 1 << i
            for read in self._puller.reads(i):
                readers[read.storage.id] = readers.get(read.storage.id, 0) | 1 << i
                taken = self._taken.setdefault((read.storage.id, i), set())
                for step in range(layer.rows.steps if read.access.window is not None else 1):
                    taken.update(read.taps(step))
        return tuple(
            _Span(
                id=s.id,
                rows=s.rows,
                row_bytes=s.row_bytes,
                writers=writers.get(s.id, 0),
                readers=readers.get(s.id, 0),
                is_input=s.kind == "input",
                stays=any(t in self._program.graph.outputs for t in s.tensors) or (keep_inputs and s.kind == "input"),
            )
            for s in self._program.storages
            if not s.outside
        )

    def _left_after(self, position: int, downset: int) -> frozenset[int]:
        """The rows of a storage that are needed when the layers of a down-set have been computed."""
        span = self._spans[position]
        waiting = -1 if span.stays else span.readers & ~downset
        if (position, waiting) not in self._left:
            rows = range(span.rows) if span.stays else (r for i in members(waiting) for r in self._taken[span.id, i])
            self._left[position, waiting] = frozenset(rows)
        return self._left[position, waiting]

    def beside(self, before: int, after: int) -> int:
        """Bytes alive all the while that the layers of `after` that are not in `before` run."""
        if before not in self._begun:
            begun = [float(s.is_input or bool(s.writers & before)) for s in self._spans]
            self._begun[before] = np.array(begun)
        if after not in self._needed:
            needed = [float(s.row_bytes * len(self._left_after(i, after))) for i, s in enumerate(self._spans)]
            self._needed[after] = np.array(needed)
        return int(self._begun[before] @ self._needed[after])

    def alive(self, downset: int) -> int:
        """Bytes alive when the layers of a down-set and no others have been computed.

        No schedule that stops there has a lower peak. The caller fills all of the inputs, also what nobody reads.
        """
        if not downset:
            return sum(s.rows * s.row_bytes for s in self._spans if s.is_input)
        return self.beside(downset, downset)

    def costed(self, before: int, after: int, order: tuple[int, ...] | None = None) -> Costed:
        """The segment of the layers of `after` that are not in `before`, both of them down-sets.

        Its layers come in the given order, by default the program's.
        """
        if order is None:
            order = tuple(members(after & ~before))
        if order not in self._steps:
            self._steps[order] = self._puller.steps(order)
        key = self._key(before, after, order)
        if key not in self._own:
            self._own[key] = self._peak(before, after, self._steps[order])
            self.effort += len(self._steps[order])
        return Costed(self._steps[order], self.beside(before, after) + self._own[key])

    def is_known(self, before: int, after: int) -> bool:
        """The segment has been gone through in the program's order, here or beside other storages."""
        return self._key(before, after, tuple(members(after & ~before))) in self._own

    def _key(self, before: int, after: int, order: tuple[int, ...]) -> Key:
        """What a segment's own peak depends on."""
        layers = after & ~before
        touched = (s for s in self._spans if (s.readers | s.writers) & layers)
        return order, before == 0, tuple((bool(s.writers & before), s.readers & ~after) for s in touched)

    def _peak(self, before: int, after: int, steps: tuple[Step, ...]) -> int:
        """The most bytes alive at once during the segment but not all the while."""
        end = len(steps)
        layers = after & ~before
        inside: dict[int, tuple[list[int], list[int]]] = {}
        fresh = set()
        for i, span in enumerate(self._spans):
            if (span.readers | span.writers) & layers or (span.is_input and before == 0):
                begun = span.is_input or bool(span.writers & before)
                born = [0 if begun else end] * span.rows
                dead = [int(span.is_input and before == 0)] * span.rows
                for row in self._left_after(i, after):
                    # What has begun and is left is alive all the while: it is counted beside the segment.
                    born[row] = dead[row] = end
                inside[span.id] = born, dead
                if not begun:
                    fresh.add(span.id)
        working: dict[int, list[int]] = {}
        for time, step in enumerate(steps):
            layer, index = step.layer, step.first
            for read in self._puller.reads(layer):
                if read.storage.id in inside:
                    dead = inside[read.storage.id][1]
                    for row in read.taps(index):
                        dead[row] = max(dead[row], time + 1)
            write = self._puller.write(layer)
            if write.storage.id in inside:
                born, dead = inside[write.storage.id]
                for row in write.taps(index):
                    if write.storage.id in fresh:
                        born[row] = min(born[row], time)
                    dead[row] = max(dead[row], time + 1)
            working.setdefault(layer, []).append(time)
        change = np.zeros(end + 1, np.int64)
        for span in self._spans:
            if span.id in inside:
                born, dead = inside[span.id]
                np.add.at(change, born, span.row_bytes)
                np.subtract.at(change, [max(b, d) for b, d in zip(born, dead, strict=True)], span.row_bytes)
        for layer, times in working.items():
            call = self._program.layers[layer].call
            if call.accumulator_bytes:
                change[times[0]] += call.accumulator_bytes
                change[times[-1] + 1] -= call.accumulator_bytes
            if call.scratch_bytes:
                np.add.at(change, times, call.scratch_bytes)
                np.subtract.at(change, [t + 1 for t in times], call.scratch_bytes)
        return int(np.cumsum(change)[:end].max(initial=0))
