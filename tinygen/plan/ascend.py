"""Placement in ascending address, restarted again and again with what the failures taught about which comes first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinygen.plan.problem import Outcome, Problem
from tinygen.plan.search import PLACED, Ints, Part

_FIRST_FAILURES = 50
_GROWTH = 1.05
_BLAME = 4.0
"""What the buffers of an overfull section share for a failure; a buffer that does not fit itself gets 1."""

_VARIATION = 0.2
_GOLDEN_RATIO = (1 + 5**0.5) / 2
"""Its multiples are spread evenly, and unlike random numbers they are the same everywhere."""


@dataclass(frozen=True)
class _State:
    lowest: Ints
    """Per buffer the lowest offset it can have; PLACED once it has one."""
    waiting: npt.NDArray[np.bool_]
    """Buffers that must not come next: something yet unplaced lies below them."""
    unplaced: Ints
    left: int


class Ascent:
    """Depth-first search over "this buffer rests on what is placed" or "it rests on one that is still to come".

    The next buffer is one with the lowest possible offset; among those, one that lives long and was often involved in
    failures. That is the principle of weighted degrees (Boussemart, Hemery, Lecoutre and Sais, "Boosting Systematic
    Search by Weighting Constraints", ECAI 2004) with the decisions of "schedule or postpone" (Le Pape, Couronne,
    Vergamini and Gosselin, 1994). Early choices at the bottom of the arena are the ones that matter and the ones that
    plain backtracking reaches last, hence the many restarts, each a little longer than the one before.
    """

    def __init__(self, problem: Problem, part: Part) -> None:
        self._problem, self._part = problem, part
        self._life = part.upper - part.lower
        self._weight = np.ones(len(part.ids))
        self._nodes = 0
        self._calls = 0

    def within(self, limit: int, nodes: int) -> Outcome:
        """Look for offsets that need at most `limit` grains, for about `nodes` placements."""
        failures = float(_FIRST_FAILURES)
        self._nodes = 0
        # Nothing is kept from an earlier call that failed; every call but the first prefers slightly different ones.
        spread = np.arange(len(self._weight)) * self._calls * _GOLDEN_RATIO
        self._weight = 1 + _VARIATION * (spread - np.floor(spread))
        self._calls += 1
        while self._nodes < nodes:
            offsets = self._descend(limit, int(failures))
            if offsets is not None:
                if not offsets:
                    return Outcome(None, self._problem.boxes(), self._nodes)
                return Outcome(offsets, True, self._nodes)
            failures *= _GROWTH
        return Outcome(None, False, self._nodes)

    def _descend(self, limit: int, failures: int) -> tuple[int, ...] | None:
        """Offsets, or none at all if there are none, or None after so many failures."""
        part = self._part
        offsets = [0] * len(part.ids)
        lowest = np.maximum(part.pinned, 0)
        state = _State(lowest, np.zeros(len(lowest), bool), part.live.sum(axis=0), len(lowest))
        stack: list[tuple[_State, int]] = []
        while state.left:
            index = self._choose(state) if self._possible(state, limit) else None
            while index is None:
                failures -= 1
                if not stack:
                    return ()
                if failures <= 0:
                    return None
                before, postponed = stack.pop()
                if (later := self._postpone(before, postponed)) is not None:
                    state = later
                    break
            else:
                self._nodes += 1
                stack.append((state, index))
                offsets[int(part.ids[index])] = int(state.lowest[index])
                state = self._place(state, index)
        return tuple(offsets)

    def _choose(self, state: _State) -> int | None:
        free = np.where(state.waiting, PLACED, state.lowest)
        least = free.min()
        if least >= PLACED:
            return None
        chosen = np.flatnonzero(free == least)
        return int(chosen[np.argmax(self._weight[chosen] * self._life[chosen])])

    def _place(self, state: _State, index: int) -> _State:
        part = self._part
        lowest: Ints = np.maximum(state.lowest, state.lowest[index] + part.gap[index])
        lowest[state.lowest >= PLACED] = PLACED
        lowest[index] = PLACED
        waiting = state.waiting & ~part.meets[index]
        return _State(part.aligned(lowest), waiting, state.unplaced - part.live[index], state.left - 1)

    def _postpone(self, state: _State, index: int) -> _State | None:
        """The same without `index` coming next; None if there is nothing left that it could rest on."""
        part = self._part
        below = np.flatnonzero(part.meets[:, index] & (state.lowest < PLACED))
        if len(below) == 0:
            return None
        lowest, waiting = state.lowest.copy(), state.waiting.copy()
        lowest[index] = max(lowest[index], int((lowest[below] + part.gap[below, index]).min()))
        waiting[index] = True
        return _State(part.aligned(lowest), waiting, state.unplaced, state.left)

    def _possible(self, state: _State, limit: int) -> bool:
        """Nothing sticks out, no section is overfull, and pins can be met; blames whom it concerns if not."""
        part, lowest = self._part, state.lowest
        open_ = lowest < PLACED
        out = open_ & ((lowest + part.size > limit) | ((part.pinned >= 0) & (lowest > part.pinned)))
        self._weight[out] += 1
        overfull = np.zeros(len(part.first), bool)
        if len(part.first):
            floor = np.minimum.reduceat(lowest[part.members] + part.member_start, part.first)
            overfull = (floor + state.unplaced > limit) & (floor < PLACED)
            if overfull.any():
                blamed = (part.live[:, overfull] > 0).any(axis=1) & open_
                self._weight[blamed] += _BLAME / blamed.sum()
        return not (out.any() or overfull.any())
