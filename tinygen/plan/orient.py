"""Decides for every two buffers that could overlap which one lies above the other, learning from what went wrong."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import MutableSequence, Sequence

import numpy as np

from tinygen.plan.problem import Outcome, Problem

_FIRST_FAILURES = 30
_GROWTH = 1.5
_OPEN = -1
_VISITS_PER_NODE = 50
"""Visits of a disjunction that count as a node of the budget, so that a budget means the same on every machine."""


class _SpentError(Exception):
    """The work budget is spent."""


class Orienter:
    """The placement problem as one of disjunctive scheduling, the offset of a buffer being the start of a task.

    Two buffers with the forbidden distances (low, high) are a disjunction: i lies at least `high` above j, or j at
    least `-low` above i. Once every disjunction is decided the lowest offsets are longest paths. The search is that of
    Grimes and Hebrard, "Solving Variants of the Job Shop Scheduling Problem through Conflict-Directed Search" (INFORMS
    Journal on Computing, 2015): bounds of offsets are propagated, the next disjunction is one whose buffers have little
    freedom and that has often failed, the better known solution is imitated, and restarts get longer and longer. It
    says little about instances whose live bytes fill the arena, where it does not see how much must fit beside what.

    What is learnt serves later calls with other heights.
    """

    def __init__(self, problem: Problem, imitated: Sequence[int]) -> None:
        self._work = 0
        self._problem = problem
        self._imitated = imitated
        self._pairs: list[tuple[int, int, int, int]] = []
        """(i, j, least distance of i above j, least distance of j above i)"""
        self._at: list[list[tuple[int, int, int, int]]] = [[] for _ in problem.sizes]
        """Per buffer (pair, the other buffer, least distance above it, least distance below it)."""
        for i, row in enumerate(problem.conflicts):
            for j, intervals in row:
                for low, high in intervals if i < j else ():
                    self._at[i].append((len(self._pairs), j, high, -low))
                    self._at[j].append((len(self._pairs), i, -low, high))
                    self._pairs.append((i, j, high, -low))
        self._columns = np.array(self._pairs, np.int64).reshape(-1, 4).T
        self._failures = array("q", [1]) * len(self._pairs)
        self._low: list[int] = []
        self._high: list[int] = []
        self._top = array("q")
        self._trail: list[tuple[MutableSequence[int], int, int]] = []

    def within(self, limit: int, nodes: int) -> Outcome:
        """Look for offsets that need at most `limit` grains, for about as long as `nodes` say."""
        before, failures = self._work, float(_FIRST_FAILURES)
        end = before + nodes * _VISITS_PER_NODE
        while True:
            try:
                found = self._descend(limit, int(failures), end)
            except _SpentError:
                if self._work >= end:
                    return Outcome(None, False, nodes)
                failures *= _GROWTH
                continue
            if found:
                self._imitated = tuple(self._low)
            return Outcome(tuple(self._low) if found else None, True, (self._work - before) // _VISITS_PER_NODE)

    def _descend(self, limit: int, failures: int, end: int) -> bool:
        """Depth first until a solution, a proof that there is none, or `failures` failures or the end of the budget."""
        if not self._start(limit):
            return False
        stack: list[tuple[int, int, int]] = []
        while (pair := self._choose()) is not None:
            i, j, above, _ = self._pairs[pair]
            first = i if self._imitated[i] - self._imitated[j] >= above else j
            stack.append((len(self._trail), pair, i + j - first))
            fits = self._decide(pair, first)
            while not fits:
                failures -= 1
                if not stack:
                    return False
                if failures <= 0 or self._work >= end:
                    raise _SpentError
                mark, pair, second = stack.pop()
                while len(self._trail) > mark:
                    values, index, value = self._trail.pop()
                    values[index] = value
                fits = self._decide(pair, second)
        return True

    def _start(self, limit: int) -> bool:
        """Everything undecided, and as high and as low as the limit and the pins allow."""
        p = self._problem
        self._low = [pin or 0 for pin in p.pinned]
        self._high = [(limit - size) // grid * grid for size, grid in zip(p.sizes, p.alignments, strict=True)]
        for i, pin in enumerate(p.pinned):
            if pin is not None:
                self._high[i] = min(self._high[i], pin)
        self._top = array("q", [_OPEN]) * len(self._pairs)
        self._trail = []
        return all(a <= b for a, b in zip(self._low, self._high, strict=True)) and self._propagate(range(len(p.sizes)))

    def _choose(self) -> int | None:
        """Of the disjunctions that do not hold with all buffers at their lowest, one with little freedom that failed
        often; None if all hold, which makes the lowest offsets a solution."""
        self._work += len(self._pairs) // 4
        low, high = np.array(self._low, np.int64), np.array(self._high, np.int64)
        (i, j, above, below), top = self._columns, np.frombuffer(self._top, np.int64)
        apart = low[i] - low[j]
        open_ = np.flatnonzero((top == _OPEN) & (-below < apart) & (apart < above))
        if not len(open_):
            return None
        room = high - low
        freedom = (room[i[open_]] + room[j[open_]] + 1) / np.frombuffer(self._failures, np.int64)[open_]
        return int(open_[np.argmin(freedom)])

    def _decide(self, pair: int, top: int) -> bool:
        self._trail.append((self._top, pair, _OPEN))
        self._top[pair] = top
        return self._propagate(self._pairs[pair][:2])

    def _propagate(self, changed: Sequence[int]) -> bool:
        """Tighten bounds and decide what has only one way left, until nothing changes; False if a pair has no way."""
        low, high, tops, trail, grids = self._low, self._high, self._top, self._trail, self._problem.alignments
        queue = deque(changed)
        waiting = set(changed)
        while queue:
            i = queue.popleft()
            waiting.discard(i)
            self._work += len(self._at[i])
            for pair, j, above, below in self._at[i]:
                top = tops[pair]
                if top == _OPEN:
                    if high[i] - low[j] >= above:
                        if high[j] - low[i] >= below:
                            continue
                        top = i
                    else:
                        top = j
                    trail.append((tops, pair, _OPEN))
                    tops[pair] = top
                bottom, distance = (j, above) if top == i else (i, below)
                grid = grids[top]
                if low[bottom] + distance > low[top]:
                    trail.append((low, top, low[top]))
                    low[top] = -(-(low[bottom] + distance) // grid) * grid
                    if top not in waiting:
                        waiting.add(top)
                        queue.append(top)
                grid = grids[bottom]
                if high[top] - distance < high[bottom]:
                    trail.append((high, bottom, high[bottom]))
                    high[bottom] = (high[top] - distance) // grid * grid
                    if bottom not in waiting:
                        waiting.add(bottom)
                        queue.append(bottom)
                if low[top] > high[top] or low[bottom] > high[bottom]:
                    self._failures[pair] += 1
                    return False
        return True
