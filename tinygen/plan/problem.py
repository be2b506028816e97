"""The placement problem as the solver sees it: sizes in grains and, per pair, which distances would overlap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinygen.plan.model import NO_SLICES, Buffer

Intervals = tuple[tuple[int, int], ...]
"""Open intervals (low, high) of integers, ascending and disjoint."""

Slices = npt.NDArray[np.int64]
"""Rows (lower, upper, start, stop, owner), sorted by lower: one stretch of steps and bytes of one buffer."""

_PAIRS_AT_ONCE = 1 << 21


@dataclass(frozen=True)
class Problem:
    """Buffers reduced to numbers; all addresses are in grains of `grain` bytes, the divisor of all alignments.

    `conflicts[i]` lists, for each buffer j that shares a step with i, the distances offset[i] - offset[j] at which the
    two would overlap. Whatever the shapes of two buffers (rings, staircases), once these intervals are known the shapes
    are not needed any more.
    """

    grain: int
    sizes: tuple[int, ...]
    alignments: tuple[int, ...]
    pinned: tuple[int | None, ...]
    lowers: tuple[int, ...]
    uppers: tuple[int, ...]
    areas: tuple[int, ...]
    conflicts: tuple[tuple[tuple[int, Intervals], ...], ...]
    crowding: tuple[int, ...]
    """Per buffer, the most grains alive in any step of its life."""
    live_bound: int
    """The most grains alive in any step."""
    slices: Slices

    def floor(self) -> int:
        """Grains below which no arena can be, from the live bytes, the sizes and the pinned buffers."""
        ends = (size + (pin or 0) for size, pin in zip(self.sizes, self.pinned, strict=True))
        return max(self.live_bound, max(ends, default=0))

    def boxes(self) -> bool:
        """Every pair is like two boxes: one interval of forbidden distances around zero."""
        return all(
            len(intervals) == 1 and intervals[0][0] < 0 < intervals[0][1]
            for row in self.conflicts
            for _, intervals in row
        )


@dataclass(frozen=True)
class Outcome:
    """What a search for a placement of limited height came to, at the cost of so many `nodes`.

    `offsets` are in grains, or None; `proven` tells "there is none" from "none was found".
    """

    offsets: tuple[int, ...] | None
    proven: bool
    nodes: int


def common_grain(buffers: Sequence[Buffer]) -> int:
    """The divisor of all alignments, in bytes."""
    return math.gcd(*(buffer.alignment for buffer in buffers)) or 1


def build_problem(buffers: Sequence[Buffer], grain: int) -> Problem:
    """Reduce `buffers` to a Problem in grains of that many bytes, which divide all their alignments."""
    slices = _slices(buffers)
    times, live = _live_grains(slices, grain)
    lowers = tuple(min((r.lower for r in b.rects), default=0) for b in buffers)
    uppers = tuple(max((r.upper for r in b.rects), default=0) for b in buffers)
    first = np.searchsorted(times, lowers).tolist()
    last = np.searchsorted(times, uppers).tolist()
    areas = np.zeros(len(buffers), dtype=np.int64)
    np.add.at(areas, slices[:, 4], (slices[:, 1] - slices[:, 0]) * (slices[:, 3] - slices[:, 2]))
    return Problem(
        grain=grain,
        sizes=tuple(-(-buffer.size // grain) for buffer in buffers),
        alignments=tuple(buffer.alignment // grain for buffer in buffers),
        pinned=tuple(None if buffer.pinned is None else buffer.pinned // grain for buffer in buffers),
        lowers=lowers,
        uppers=uppers,
        areas=tuple(areas.tolist()),
        conflicts=_conflicts(slices, len(buffers), grain),
        crowding=tuple(int(live[a:b].max(initial=0)) for a, b in zip(first, last, strict=True)),
        live_bound=int(live.max(initial=0)),
        slices=slices,
    )


def busiest(problem: Problem) -> tuple[int, int, dict[int, int]]:
    """The first stretch of steps [lower, upper) with the most grains alive, and the bytes that each buffer holds then.

    There must be a buffer with any bytes.
    """
    times, live = _live_grains(problem.slices, problem.grain)
    first = int(np.argmax(live))
    lower, upper = int(times[first]), int(times[first + 1])
    held: dict[int, int] = {}
    for begin, end, start, stop, owner in problem.slices.tolist():
        if begin <= lower < end:
            held[owner] = held.get(owner, 0) + stop - start
    return lower, upper, held


def _slices(buffers: Sequence[Buffer]) -> Slices:
    """The slices of all buffers, sorted."""
    found = [b.slices for b in buffers]
    owners = np.repeat(np.arange(len(buffers)), [len(each) for each in found])
    columns = np.column_stack((np.concatenate([*found, NO_SLICES]), owners))
    order: Slices = columns[np.lexsort(columns.T[::-1])]
    return order


def _live_grains(slices: Slices, grain: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Moments at which the number of live grains changes, and that number from then on."""
    times = np.unique(slices[:, :2])
    live = np.zeros(len(times), dtype=np.int64)
    grains = -(-slices[:, 3] // grain) - -(-slices[:, 2] // grain)
    np.add.at(live, np.searchsorted(times, slices[:, 0]), grains)
    np.add.at(live, np.searchsorted(times, slices[:, 1]), -grains)
    return times, np.cumsum(live)


def _conflicts(slices: Slices, count: int, grain: int) -> tuple[tuple[tuple[int, Intervals], ...], ...]:
    """The forbidden distances of every pair of buffers that are alive together.

    Bytes [a, b) of i and [c, d) of j overlap just when c - b < offset[i] - offset[j] < d - a.
    """
    merged: dict[tuple[int, int], list[tuple[int, int]]] = {}
    ends = np.searchsorted(slices[:, 0], slices[:, 1])
    partners = np.maximum(ends - np.arange(1, len(slices) + 1), 0)
    done = np.concatenate(([0], np.cumsum(partners)))
    begin = 0
    while begin < len(slices):
        end = max(begin + 1, int(np.searchsorted(done, done[begin] + _PAIRS_AT_ONCE, side="right")) - 1)
        for key, low, high in _distances(slices, partners, begin, end, count, grain):
            merged.setdefault(divmod(key, count), []).append((low, high))
        begin = end
    table: list[list[tuple[int, Intervals]]] = [[] for _ in range(count)]
    for (i, j), parts in sorted(merged.items()):
        joined = _join(parts)
        table[i].append((j, joined))
        table[j].append((i, tuple((-high, -low) for low, high in reversed(joined))))
    return tuple(tuple(row) for row in table)


def _distances(
    slices: Slices, partners: npt.NDArray[np.int64], begin: int, end: int, count: int, grain: int
) -> Iterator[tuple[int, int, int]]:
    """(i * count + j, low, high) with i < j for slices [begin, end) against those that start in their lives, joined."""
    repeat = partners[begin:end]
    left = np.repeat(np.arange(begin, end), repeat)
    right = left + 1 + np.arange(len(left)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    owners = slices[:, 4]
    different = owners[left] != owners[right]
    left, right = left[different], right[different]
    swap = owners[left] > owners[right]
    left, right = np.where(swap, right, left), np.where(swap, left, right)
    low = (slices[right, 2] - slices[left, 3]) // grain
    high = -((slices[left, 2] - slices[right, 3]) // grain)
    if len(left) == 0:
        return
    # Every pair gets its own stretch of one long line, so that joining intervals is a single pass over that line.
    keys, ranks = np.unique(owners[left] * count + owners[right], return_inverse=True)
    least = int(low.min())
    stretch = int(high.max()) - least + 1
    order = np.argsort(ranks * stretch + low)
    low, high = (ranks * stretch + low)[order], (ranks * stretch + high)[order]
    reach = np.maximum.accumulate(high)
    first = np.concatenate(([True], low[1:] >= reach[:-1]))
    last = np.concatenate((first[1:], [True]))
    rank = ranks[order][first]
    yield from zip(
        keys[rank].tolist(),
        (low[first] - rank * stretch).tolist(),
        (reach[last] - rank * stretch).tolist(),
        strict=True,
    )


def _join(parts: list[tuple[int, int]]) -> Intervals:
    """Join open intervals between which no integer is left."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(parts):
        if joined and low < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)
