"""The vocabulary of memory planning: rectangles in time and address, buffers made of them, and plans."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

NO_SLICES: NDArray[np.int64] = np.empty((0, 4), np.int64)


@dataclass(frozen=True)
class Rect:
    """Bytes [start, stop) of a buffer, alive during steps [lower, upper)."""

    lower: int
    upper: int
    start: int
    stop: int


@dataclass(frozen=True)
class Buffer:
    """Something the arena must hold: a rigid set of rectangles that gets one base offset.

    An ordinary buffer is a single rectangle. A tensor that is born and dies row by row is a staircase of them, and a
    ring of R rows has one rectangle for each row's life in its slot. Rectangles of one buffer may overlap: a row that
    is rewritten in place. `size` covers all rectangles, in bytes; `kind` is one of `input`, `output`, `activation`,
    `scratch`, `accumulator` and `state`.
    """

    name: str
    size: int
    rects: tuple[Rect, ...]
    alignment: int = 4
    kind: str = "activation"
    pinned: int | None = None
    """The offset the user wants, or None."""

    def during(self, lower: int, upper: int) -> Buffer:
        """What of the buffer is alive in steps [lower, upper)."""
        if all(lower <= r.lower and r.upper <= upper for r in self.rects):
            return self
        rects = tuple(
            Rect(max(lower, r.lower), min(upper, r.upper), r.start, r.stop)
            for r in self.rects
            if r.lower < upper and lower < r.upper
        )
        return replace(self, rects=rects)

    @cached_property
    def slices(self) -> NDArray[np.int64]:
        """Rows (lower, upper, start, stop): the buffer cut at its own events, with touching rectangles as one.

        A tensor of 96 rows that drains row by row is 96 rectangles alive together, but only one slice at a time.
        """
        found: list[tuple[int, int, int, int]] = []
        open_slices: dict[tuple[int, int], int] = {}
        for time, ranges in _ranges_over_time(self.rects):
            for key in [key for key in open_slices if key not in ranges]:
                found.append((open_slices.pop(key), time, *key))
            for key in ranges:
                open_slices.setdefault(key, time)
        return np.array(found, np.int64).reshape(-1, 4)


@dataclass(frozen=True)
class Area:
    """The part of an arena that is in one memory: `bytes` from offset `start`, in C an array of its own.

    `region` is the memory's name; `main` says that it is the memory of the firmware's variables.
    """

    region: str
    start: int
    bytes: int
    main: bool
    address: int | None = None
    """Where the memory begins, if that is known."""


@dataclass(frozen=True)
class Plan:
    """Where every buffer lives: `offsets[i]` is the byte offset of `buffers[i]` in the arena.

    `arena_bytes` is a multiple of the common divisor of all alignments. `lower_bound` is the maximum over steps of the
    bytes alive, rounded up to that divisor, which no plan can go below; `proof` is `optimal` when no smaller arena
    exists for these buffers, else `gap N` with N the bytes between the arena and the best bound known.

    `areas` are the parts of an arena over several memories, in ascending order; empty when it is one range of bytes. No
    buffer reaches from one into another. The gap is then also what spreading costs.
    """

    buffers: tuple[Buffer, ...]
    offsets: tuple[int, ...]
    arena_bytes: int
    lower_bound: int
    proof: str
    areas: tuple[Area, ...] = ()


def _ranges_over_time(rects: Sequence[Rect]) -> Iterator[tuple[int, set[tuple[int, int]]]]:
    """For each moment at which the live bytes of rectangles change, the maximal byte ranges alive from then on."""
    events: dict[int, tuple[list[Rect], list[Rect]]] = {}
    for rect in rects:
        if rect.start < rect.stop:
            events.setdefault(rect.lower, ([], []))[0].append(rect)
            events.setdefault(rect.upper, ([], []))[1].append(rect)
    alive: list[tuple[int, int]] = []
    for time in sorted(events):
        born, dead = events[time]
        for rect in dead:
            alive.remove((rect.start, rect.stop))
        for rect in born:
            insort(alive, (rect.start, rect.stop))
        ranges: set[tuple[int, int]] = set()
        low = high = -1
        for start, stop in alive:
            if start > high:
                if high >= 0:
                    ranges.add((low, high))
                low, high = start, stop
            else:
                high = max(high, stop)
        if high >= 0:
            ranges.add((low, high))
        yield time, ranges
