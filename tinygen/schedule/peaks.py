"""Peaks of live bytes while a segment runs, whatever has been computed before and is needed after.

What has been computed is a down-set: a set of layers with all that they read, as a number whose bit i is layer i. Which
rows are alive while a segment runs depends on the down-sets before and after it and on nothing else, so the peak of a
schedule is the greatest peak of its segments, and each is found once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinygen.schedule.lives import die
from tinygen.schedule.program import Program
from tinygen.schedule.pull import Puller, Walk
from tinygen.schedule.reach import Ints

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
        self._walks: dict[int, tuple[int, Walk]] = {}
        """By end: the first layer of the longest segment of consecutive layers that was asked for, and its steps."""
        self._own: dict[Key, int] = {}
        self.effort = 0
        """Steps that were gone through so far."""

    def _find_spans(self, keep_inputs: bool) -> tuple[_Span, ...]:
        writers: dict[int, int] = {}
        readers: dict[int, int] = {}
        for i, layer in enumerate(self._program.layers):
            key = self._puller.write(i).storage.id
            writers[key] = writers.get(key, 0) | 1 << i
            for storage, last in self._puller.touches(i, layer.rows.steps).reads:
                readers[storage] = readers.get(storage, 0) | 1 << i
                self._taken.setdefault((storage, i), set()).update(np.flatnonzero(last >= 0).tolist())
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

    def peak(self, before: int, after: int, order: tuple[int, ...] | None = None) -> int:
        """The most bytes alive while the layers of `after` that are not in `before` run, both of them down-sets.

        These layers are a segment and come in the given order, by default the program's.
        """
        if order is None:
            order = tuple(members(after & ~before))
        key = self._key(before, after, order)
        if key not in self._own:
            walk = self.walk(order)
            self._own[key] = self._peak(before, after, walk)
            self.effort += len(walk.layers)
        return self.beside(before, after) + self._own[key]

    def walk(self, order: tuple[int, ...]) -> Walk:
        """The steps of a segment of these layers."""
        first, end = order[0], order[-1] + 1
        if order != tuple(range(first, end)):
            return self._puller.walk(order)
        # The steps of a shorter segment are those of a longer one with the same end, so this one is made longer.
        if end not in self._walks or self._walks[end][0] > first:
            start = max(0, 2 * first - end) if end in self._walks else first
            self._walks[end] = start, self._puller.walk(range(start, end))
        return self._walks[end][1].without(first)

    def is_known(self, before: int, after: int) -> bool:
        """The segment has been gone through in the program's order, here or beside other storages."""
        return self._key(before, after, tuple(members(after & ~before))) in self._own

    def _key(self, before: int, after: int, order: tuple[int, ...]) -> Key:
        """What a segment's own peak depends on."""
        layers = after & ~before
        touched = (s for s in self._spans if (s.readers | s.writers) & layers)
        return order, before == 0, tuple((bool(s.writers & before), s.readers & ~after) for s in touched)

    def _peak(self, before: int, after: int, walk: Walk) -> int:
        """The most bytes alive at once during the segment but not all the while."""
        end = len(walk.layers)
        layers = after & ~before
        inside: dict[int, tuple[Ints, Ints]] = {}
        fresh = set()
        for i, span in enumerate(self._spans):
            if (span.readers | span.writers) & layers or (span.is_input and before == 0):
                begun = span.is_input or bool(span.writers & before)
                born = np.full(span.rows, 0 if begun else end)
                dead = np.full(span.rows, int(span.is_input and before == 0))
                # What has begun and is left is alive all the while: it is counted beside the segment.
                left = list(self._left_after(i, after))
                born[left] = dead[left] = end
                inside[span.id] = born, dead
                if not begun:
                    fresh.add(span.id)
        change = np.zeros(end + 1, np.int64)
        for layer, times in walk.times().items():
            touches = self._puller.touches(layer, len(times))
            for storage, last in touches.reads:
                if storage in inside:
                    die(inside[storage][1], times, last)
            storage, first, last = touches.write
            if storage in inside:
                born, dead = inside[storage]
                die(dead, times, last)
                if storage in fresh:
                    written = first >= 0
                    born[written] = np.minimum(born[written], times[first[written]])
            call = self._program.layers[layer].call
            if call.accumulator_bytes:
                change[times[0]] += call.accumulator_bytes
                change[times[-1] + 1] -= call.accumulator_bytes
            if call.scratch_bytes:
                change[times] += call.scratch_bytes
                change[times + 1] -= call.scratch_bytes
        for span in self._spans:
            if span.id in inside:
                born, dead = inside[span.id]
                change += span.row_bytes * np.bincount(born, minlength=end + 1)
                change -= span.row_bytes * np.bincount(np.maximum(born, dead), minlength=end + 1)
        return int(np.cumsum(change)[:end].max(initial=0))
