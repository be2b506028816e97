"""Branch and bound over placements in ascending address: is there any within a given height?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinygen.plan.problem import Outcome, Problem

Ints = npt.NDArray[np.int64]
PLACED = 1 << 60
"""Stands for the lowest offset of a buffer that has been placed, and, negative, for the gap between strangers."""
_SECTIONS = 256
"""At most so many sections are watched, the most crowded; a bound from fewer sections is weaker, not wrong."""
_RANKINGS = ("TWA", "TAW", "WAT", "AWT")
"""Orders in which buffers at equal offsets are tried: T crowding, W lifetime, A area, each descending (MiniMalloc)."""
_FIRST_SLICE = 5_000
_SLICE_GROWTH = 8


class _OutOfNodesError(Exception):
    """The node budget is spent."""


def search(problem: Problem, parts: Sequence[Part], limit: int, node_budget: int) -> Outcome:
    """Look for offsets that need at most `limit` grains; `parts` come from `prepare` and serve any limit.

    The idea is MiniMalloc's (Moffitt, "MiniMalloc: A Lightweight Memory Allocator for Hardware-Accelerated Machine
    Learning", ASPLOS 2023): buffers are placed in ascending order of offset, each resting on one below; a section (a
    step whose set of live buffers is its own) whose floor and unplaced bytes exceed the limit ends a branch; a branch
    that would leave a hole another buffer fits into is skipped; and buffers that no longer share a step with the rest
    are searched apart. Rankings take turns with growing shares of the budget, because one that fails for hours is often
    beside one that succeeds at once. Deterministic: what counts is nodes, not time.
    """
    nodes, share = 0, _FIRST_SLICE
    while nodes < node_budget:
        for part in parts:
            descent = _Descent(limit, min(share, node_budget - nodes))
            lowest = np.array([pin or 0 for pin in problem.pinned], dtype=np.int64)[part.ids]
            try:
                found = descent.solve(part, lowest)
            except _OutOfNodesError:
                nodes += descent.nodes
                continue
            nodes += descent.nodes
            if found:
                return Outcome(tuple(descent.offsets[i] for i in range(len(problem.sizes))), True, nodes)
            return Outcome(None, problem.boxes(), nodes)
        share *= _SLICE_GROWTH
    return Outcome(None, False, nodes)


class Part:
    """Buffers that are searched together, best rank first, and the sections in which they meet."""

    def __init__(
        self,
        ids: Ints,
        size: Ints,
        alignment: Ints,
        pinned: Ints,
        lower: Ints,
        upper: Ints,
        gap: Ints,
        live: Ints,
        start: Ints,
    ) -> None:
        self.ids, self.size, self.alignment, self.pinned = ids, size, alignment, pinned
        self.lower, self.upper, self.gap = lower, upper, gap
        """`gap[i, j]`: how far j's offset is at least above i's, if j rests higher than i."""
        used: npt.NDArray[np.bool_] = np.asarray(live.any(axis=0))
        if used.any():
            used[1:] &= (live[:, 1:] != live[:, :-1]).any(axis=0) | (start[:, 1:] != start[:, :-1]).any(axis=0)
        self.live, self.start = live[:, used], start[:, used]
        sections, self.members = np.nonzero(self.live.T)
        self.first = np.searchsorted(sections, np.arange(self.live.shape[1]))
        self.member_start = self.start[self.members, sections]
        self.has_starts = bool(self.member_start.any())
        ends = np.unique(np.concatenate((lower, upper)))[1:-1]
        self.spans = ((lower[:, None] < ends) & (upper[:, None] > ends)).astype(np.int32)
        self.meets = gap > -PLACED
        self._grids = bool((alignment > 1).any())
        self.has_pins = bool((pinned >= 0).any())

    def aligned(self, lowest: Ints) -> Ints:
        """The lowest aligned offsets at or above `lowest`; PLACED stays what it is."""
        if not self._grids:
            return lowest
        return np.where(lowest < PLACED, -(-lowest // self.alignment) * self.alignment, PLACED)

    def select(self, chosen: Ints) -> Part:
        """The sub-part of the buffers at the indices `chosen`."""
        return Part(
            self.ids[chosen],
            self.size[chosen],
            self.alignment[chosen],
            self.pinned[chosen],
            self.lower[chosen],
            self.upper[chosen],
            self.gap[np.ix_(chosen, chosen)],
            self.live[chosen],
            self.start[chosen],
        )


def prepare(problem: Problem) -> tuple[Part, ...]:
    """The whole problem, once for each ranking."""
    live, start = _sections(problem)
    return tuple(_whole(problem, ranking, live, start) for ranking in _RANKINGS)


def _whole(problem: Problem, ranking: str, live: Ints, start: Ints) -> Part:
    count = len(problem.sizes)
    life = [upper - lower for lower, upper in zip(problem.lowers, problem.uppers, strict=True)]
    keys = {"T": problem.crowding, "W": life, "A": problem.areas}
    order = sorted(range(count), key=lambda i: tuple(-keys[letter][i] for letter in ranking))
    gap = np.full((count, count), -PLACED, dtype=np.int64)
    for i, row in enumerate(problem.conflicts):
        for j, intervals in row:
            gap[j, i] = max(0, intervals[-1][1])

    def column(values: Sequence[int]) -> Ints:
        return np.array(values, dtype=np.int64)[order]

    return Part(
        ids=column(range(count)),
        size=column(problem.sizes),
        alignment=column(problem.alignments),
        pinned=column([-1 if pin is None else pin for pin in problem.pinned]),
        lower=column(problem.lowers),
        upper=column(problem.uppers),
        gap=gap[np.ix_(order, order)],
        live=live[order],
        start=start[order],
    )


def _sections(problem: Problem) -> tuple[Ints, Ints]:
    """Per buffer and section: grains alive, and the distance from the offset to the first of them."""
    slices, grain = problem.slices, problem.grain
    times = np.unique(slices[:, 0])
    live = np.zeros((len(problem.sizes), len(times)), dtype=np.int64)
    start = np.full_like(live, PLACED)
    begin, end = np.searchsorted(times, slices[:, 0]), np.searchsorted(times, slices[:, 1])
    for (_, _, low, high, owner), a, b in zip(slices.tolist(), begin.tolist(), end.tolist(), strict=True):
        live[owner, a:b] += -(-high // grain) - -(-low // grain)
        start[owner, a:b] = np.minimum(start[owner, a:b], low // grain)
    start[live == 0] = 0
    crowded = np.sort(np.argsort(-live.sum(axis=0), kind="stable")[:_SECTIONS])
    return live[:, crowded], start[:, crowded]


@dataclass
class _Node:
    lowest: Ints
    """Per buffer the lowest offset the placed ones leave it; PLACED for these themselves."""
    unplaced: Ints
    """Per section the grains alive of buffers not yet placed."""
    spans: Ints
    """Per moment between sections, how many unplaced buffers live across it."""
    left: int
    candidates: Iterator[int]


class _Descent:
    """One depth-first search with one ranking."""

    def __init__(self, limit: int, nodes: int) -> None:
        self.limit, self.budget, self.nodes = limit, nodes, 0
        self.offsets: dict[int, int] = {}
        self.dead_ends: set[tuple[bytes, bytes]] = set()

    def solve(self, part: Part, lowest: Ints) -> bool:
        """Place all buffers of `part` at or above `lowest`; raises _OutOfNodesError."""
        if len(part.ids) == 0:
            return True
        spans = part.spans.sum(axis=0)
        if (spans == 0).any():
            return self._solve_apart(part, lowest)
        left = len(part.ids)
        stack = [_Node(lowest, part.live.sum(axis=0), spans, left, self._candidates(part, lowest, 0, 0))]
        while stack:
            node = stack[-1]
            index = next(node.candidates, None)
            if index is None:
                stack.pop()
                continue
            self.nodes += 1
            if self.nodes > self.budget:
                raise _OutOfNodesError
            offset = int(node.lowest[index])
            self.offsets[int(part.ids[index])] = offset
            lowest = self._place(part, node.lowest, index)
            below_others = bool((part.meets[index] & (lowest < PLACED)).any())
            if not below_others:
                # Nothing rests on this buffer, so that putting it anywhere else cannot help the others.
                node.candidates = iter(())
            unplaced = node.unplaced - part.live[index]
            if not self._possible(part, lowest, unplaced, index, offset):
                continue
            if node.left == 1:
                return True
            spans = node.spans - part.spans[index]
            if (spans == 0).any():
                if self._solve_apart(part, lowest):
                    return True
                continue
            stack.append(_Node(lowest, unplaced, spans, node.left - 1, self._candidates(part, lowest, offset, index)))
        return False

    def _place(self, part: Part, lowest: Ints, index: int) -> Ints:
        raised: Ints = np.maximum(lowest, lowest[index] + part.gap[index])
        raised[index] = PLACED
        return part.aligned(raised)

    def _possible(self, part: Part, lowest: Ints, unplaced: Ints, index: int, offset: int) -> bool:
        if offset + part.size[index] > self.limit or (part.pinned[index] >= 0 and offset != part.pinned[index]):
            return False
        if part.has_pins and ((lowest > part.pinned) & (part.pinned >= 0) & (lowest < PLACED)).any():
            return False
        if len(part.first) == 0:
            return True
        # What is still to come lies at or above `offset`, because offsets ascend.
        floor = np.minimum.reduceat(np.maximum(lowest, offset)[part.members] + part.member_start, part.first)
        return not ((floor + unplaced > self.limit) & (floor < PLACED)).any()

    def _candidates(self, part: Part, lowest: Ints, offset: int, index: int) -> Iterator[int]:
        """Who may come next: not below the last one placed, and not above a hole that another buffer fits into."""
        ceiling = (lowest + part.size).min()
        chosen = np.flatnonzero(lowest < ceiling)
        place = lowest[chosen]
        ahead = (place > offset) | ((place == offset) & (chosen >= index))
        chosen, place = chosen[ahead], place[ahead]
        return iter(chosen[np.argsort(place, kind="stable")].tolist())

    def _solve_apart(self, part: Part, lowest: Ints) -> bool:
        """Solve the unplaced buffers in groups that share no step; small groups first, they fail soonest."""
        for group in sorted(_groups(part, lowest), key=len):
            chosen = np.array(sorted(group), dtype=np.int64)
            key = (part.ids[chosen].tobytes(), lowest[chosen].tobytes())
            if key in self.dead_ends:
                return False
            if not self.solve(part.select(chosen), lowest[chosen]):
                self.dead_ends.add(key)
                return False
        return True


def _groups(part: Part, lowest: Ints) -> Sequence[list[int]]:
    groups: list[list[int]] = []
    end = None
    unplaced = np.flatnonzero(lowest < PLACED)
    for index in unplaced[np.argsort(part.lower[unplaced], kind="stable")].tolist():
        if end is None or part.lower[index] >= end:
            groups.append([])
            end = part.upper[index]
        groups[-1].append(index)
        end = max(end, part.upper[index])
    return groups
