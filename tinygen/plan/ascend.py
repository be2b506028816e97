"""Placement in ascending address, restarted again and again with what the failures taught about which comes first."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinygen.plan.problem import Outcome, Problem
from tinygen.plan.search import PLACED, Ints, Part

_FIRST_FAILURES = 50
_GROWTH = 1.25
_BLAME = 4.0
"""What the buffers of an overfull section share for a failure; a buffer that does not fit itself gets 1."""

_TIGHTNESS = 50.0
"""A section whose room to spare is a fiftieth of the limit counts half as much as one that must be filled exactly."""
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
    spans: Ints
    """Per moment between sections, how many unplaced buffers live across it."""
    left: int
    why: list[int]
    """Per buffer, as bits, the decisions that its lowest offset follows from; a decision's number is its depth."""


class Ascent:
    """Depth-first search over "this buffer rests on what is placed" or "it rests on one that is still to come".

    The next buffer is one with the lowest possible offset; among those, one that lives long, or that lives in sections
    with little room to spare, and was often involved in failures. Once the buffers still to come fall into groups that
    share no step, one group is finished before the next is begun, so that what a failure undoes has to do with it. This
    is the principle of weighted degrees (Boussemart, Hemery, Lecoutre and Sais, "Boosting Systematic
    Search by Weighting Constraints", ECAI 2004) with the decisions of "schedule or postpone" (Le Pape, Couronne,
    Vergamini and Gosselin, 1994). Early choices at the bottom of the arena are the ones that matter and the ones that
    plain backtracking reaches last, hence the many restarts, each a little longer than the one before.
    """

    def __init__(self, problem: Problem, part: Part, *, tightest: bool) -> None:
        """`tightest`: among equals those of tight sections come first, not those that live long."""
        self._problem, self._part = problem, part
        self._life = part.upper - part.lower
        self._sections = (part.live > 0).astype(np.float64) if tightest else None
        ends = np.unique(np.concatenate((part.lower, part.upper)))[1:-1]
        self._moment = np.searchsorted(ends, part.lower, side="right")
        self._weight = np.ones(len(part.ids))
        self._nodes = 0
        self._calls = 0

    def within(self, limit: int, nodes: int) -> Outcome:
        """Look for offsets that need at most `limit` grains, for about `nodes` placements; proves nothing else."""
        failures = float(_FIRST_FAILURES)
        self._nodes = 0
        # Nothing is kept from an earlier call that failed; every call but the first prefers slightly different ones.
        spread = np.arange(len(self._weight)) * self._calls * _GOLDEN_RATIO
        self._weight = 1 + _VARIATION * (spread - np.floor(spread))
        self._calls += 1
        while self._nodes < nodes:
            offsets = self._descend(limit, int(failures))
            if offsets is not None:
                return Outcome(offsets or None, bool(offsets), self._nodes)
            failures *= _GROWTH
        return Outcome(None, False, self._nodes)

    def _descend(self, limit: int, failures: int) -> tuple[int, ...] | None:
        """Offsets, or none at all if none are left to try, or None after so many failures.

        A failure takes back every decision since the last one that it follows from.
        """
        part = self._part
        offsets = [0] * len(part.ids)
        state = self._root()
        stack: list[tuple[_State, int]] = []
        while state.left:
            room, conflict = self._room(state, limit)
            if conflict is None:
                index, conflict = self._choose(state, room / limit)
            if conflict is None:
                self._nodes += 1
                offsets[int(part.ids[index])] = int(state.lowest[index])
                stack.append((state, index))
                state = self._place(state, index, len(stack) - 1)
                continue
            failures -= 1
            later = None
            while later is None:
                if conflict == 0:
                    return ()
                if failures <= 0:
                    return None
                depth = conflict.bit_length() - 1
                before, refuted = stack[depth]
                del stack[depth:]
                conflict &= ~(1 << depth)
                later = self._postpone(before, refuted, conflict)
            state = later
        return tuple(offsets)

    def _root(self) -> _State:
        part, count = self._part, len(self._part.ids)
        unplaced, spans = part.live.sum(axis=0), part.spans.sum(axis=0)
        return _State(np.maximum(part.pinned, 0), np.zeros(count, bool), unplaced, spans, count, [0] * count)

    def _choose(self, state: _State, room: npt.NDArray[np.float64]) -> tuple[int, int | None]:
        """The buffer to decide on next, and None; or anything and the decisions because of which all wait for others.

        `room` is the part of the limit each section can still waste.
        """
        free = np.where(state.waiting, PLACED, state.lowest)
        if not state.spans.all():
            free[self._elsewhere(state)] = PLACED
        least = free.min()
        if least >= PLACED:
            return 0, functools.reduce(operator.or_, state.why)
        chosen = (free == least).nonzero()[0]
        value: npt.NDArray[np.float64] = self._weight[chosen]
        if self._sections is None:
            value = value * self._life[chosen]
        else:
            value = value * (self._sections[chosen] @ (1 / (1 + _TIGHTNESS * room)))
        return int(chosen[np.argmax(value)]), None

    def _elsewhere(self, state: _State) -> npt.NDArray[np.bool_]:
        """Buffers that are not of the smallest group still to be placed; groups share no step."""
        group = np.concatenate(([0], np.cumsum(state.spans == 0)))[self._moment]
        counts = np.bincount(group[state.lowest < PLACED])
        counts[counts == 0] = len(group) + 1
        different: npt.NDArray[np.bool_] = group != np.argmin(counts)
        return different

    def _place(self, state: _State, index: int, depth: int) -> _State:
        part = self._part
        lowest: Ints = np.maximum(state.lowest, state.lowest[index] + part.gap[index])
        why, reason = state.why.copy(), state.why[index] | 1 << depth
        for raised in (lowest > state.lowest).nonzero()[0].tolist():
            why[raised] = reason
        lowest[state.lowest >= PLACED] = PLACED
        lowest[index] = PLACED
        waiting = state.waiting & ~part.meets[index]
        unplaced, spans = state.unplaced - part.live[index], state.spans - part.spans[index]
        return _State(part.aligned(lowest), waiting, unplaced, spans, state.left - 1, why)

    def _postpone(self, state: _State, index: int, conflict: int) -> _State | None:
        """The same without `index` coming next, which the decisions of `conflict` forbid; None if there is nothing left
        that it could rest on."""
        part = self._part
        below = np.flatnonzero(part.meets[:, index] & (state.lowest < PLACED))
        if len(below) == 0:
            return None
        lowest, waiting, why = state.lowest.copy(), state.waiting.copy(), state.why.copy()
        lowest[index] = max(lowest[index], int((lowest[below] + part.gap[below, index]).min()))
        waiting[index] = True
        reason = why[index] | conflict
        for other in below.tolist():
            reason |= why[other]
        why[index] = reason
        return _State(part.aligned(lowest), waiting, state.unplaced, state.spans, state.left, why)

    def _room(self, state: _State, limit: int) -> tuple[Ints, int | None]:
        """Grains each section can still waste, and None; or the decisions because of which a buffer sticks out, a
        section is overfull or a pin cannot be met, and then whom it concerns is blamed."""
        part, lowest, why = self._part, state.lowest, state.why
        conflicts = []
        out = lowest > limit - part.size
        if part.has_pins:
            out |= (part.pinned >= 0) & (lowest > part.pinned)
        out &= lowest < PLACED
        if out.any():
            conflicts = [why[i] for i in out.nonzero()[0].tolist()]
            self._weight[out] += 1
        if len(part.first) == 0:
            return np.zeros(0, dtype=np.int64), min(conflicts, default=None)
        least = lowest.take(part.members)
        floor = np.minimum.reduceat(least + part.member_start if part.has_starts else least, part.first)
        room = np.where(floor < PLACED, limit - floor - state.unplaced, limit)
        if room.min() < 0:
            overfull = (room < 0).nonzero()[0]
            concerned = (part.live[:, overfull] > 0) & (lowest < PLACED)[:, None]
            blamed = concerned.any(axis=1)
            self._weight[blamed] += _BLAME / blamed.sum()
            for section in range(len(overfull)):
                reason = 0
                for i in concerned[:, section].nonzero()[0].tolist():
                    reason |= why[i]
                conflicts.append(reason)
        return room, min(conflicts, default=None)
