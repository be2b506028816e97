"""Peaks of live bytes while a segment runs, whatever has been computed before and is needed after.

What has been computed is a down-set: a set of layers with all that they read, as a number whose bit i is layer i. Which
rows are alive while a segment runs depends on the down-sets before and after it and on nothing else, so the peak of a
schedule is the greatest peak of its segments, and each is found once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinygen.schedule.lives import die
from tinygen.schedule.program import Program
from tinygen.schedule.pull import Puller, Walk
from tinygen.schedule.steps import Ints

Key = tuple[int, ...]

_Bytes = NDArray[np.float64]
"""Whole numbers, as products of matrices are fast for floats only; exact below 2^53."""

_OUTSIDE = -1
"""Instead of a position: a storage that is not in the arena."""


def members(downset: int) -> list[int]:
    """The layers of a set, in order."""
    found = []
    while downset:
        lowest = downset & -downset
        found.append(lowest.bit_length() - 1)
        downset ^= lowest
    return found


class Costs:
    """What is known of segments by themselves: equal ones, of one program or several, are gone through once."""

    def __init__(self) -> None:
        self.live: dict[Key, tuple[int, ...]] = {}
        """For each layer of a segment the most bytes alive in its steps, without its scratch."""
        self.walks: dict[tuple[tuple[int, ...], ...], Walk] = {}
        """The steps of segments by their layers, what these wait for, and those that pull."""
        self._numbers: dict[object, int] = {}

    def number(self, value: object) -> int:
        """A small number that stands for a value, as keys are long and are made very often."""
        return self._numbers.setdefault(value, len(self._numbers))


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


@dataclass(frozen=True, eq=False)
class _Left:
    """The rows of a storage that are needed later, as positions, and the number that stands for them."""

    rows: Ints
    number: int


@dataclass(frozen=True)
class _Marks:
    """What a layer adds to the key of a segment."""

    kind: int
    """Stands for its steps, the rows that they touch, and its accumulators."""
    spans: tuple[int, ...]
    """The storages of the arena that it reads and the one it writes, by position."""
    producers: tuple[int, ...]
    """The layers that each of its reads waits for, with a negative number after each read."""
    users: int
    is_result: bool


class Peaks:
    """The peaks of a program's segments; each is computed when it is asked for."""

    def __init__(self, program: Program, puller: Puller, *, keep_inputs: bool, costs: Costs) -> None:
        self._program, self._puller, self._costs = program, puller, costs
        self._taken: dict[tuple[int, int], set[int]] = {}
        """The rows of a storage that a layer reads."""
        self._spans = self._find_spans(keep_inputs)
        self._marks = tuple(self._find_marks())
        self._waits = [costs.number(tuple(puller.waits(i))) for i in range(len(program.layers))]
        """For each layer what stands for its steps and those that they wait for."""
        self._scratch = [layer.call.scratch_bytes for layer in program.layers]
        self._left: dict[tuple[int, int], _Left] = {}
        begun = np.array([float(s.is_input) for s in self._spans])
        needed = np.array([float(s.row_bytes * len(self._left_after(i, 0).rows)) for i, s in enumerate(self._spans)])
        self._sides: dict[int, tuple[_Bytes, _Bytes]] = {0: (begun, needed)}
        self._walks: dict[int, tuple[int, Walk]] = {}
        """By end: the first layer of the longest segment of consecutive layers that was asked for, and its steps."""
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

    def _find_marks(self) -> Iterator[_Marks]:
        positions = {span.id: i for i, span in enumerate(self._spans)}
        for i, layer in enumerate(self._program.layers):
            reads, write = self._puller.reads(i), self._puller.write(i)
            found = [positions.get(reach.storage.id, _OUTSIDE) for reach in (*reads, write)]
            shapes = tuple((r.shape, place == _OUTSIDE) for r, place in zip((*reads, write), found, strict=True))
            kind = (layer.rows.steps, shapes, layer.call.accumulator_bytes)
            producers = (p for read in reads for p in (*self._puller.producers(read), _OUTSIDE))
            users, is_result = self._puller.users(i)
            yield _Marks(
                self._costs.number(kind),
                tuple(place for place in found if place != _OUTSIDE),
                tuple(producers),
                sum(1 << user for user in users),
                is_result,
            )

    def _left_after(self, position: int, downset: int) -> _Left:
        """The rows of a storage that are needed when the layers of a down-set have been computed."""
        span = self._spans[position]
        waiting = -1 if span.stays else span.readers & ~downset
        found = self._left.get((position, waiting))
        if found is None:
            rows = range(span.rows) if span.stays else {r for i in members(waiting) for r in self._taken[span.id, i]}
            left = np.array(sorted(rows), np.int64)
            found = self._left[position, waiting] = _Left(left, self._costs.number(left.tobytes()))
        return found

    def _sides_at(self, downset: int) -> tuple[_Bytes, _Bytes]:
        """For each storage whether it has begun when the layers of a down-set have been computed, and the bytes of it
        that are needed later."""
        missing = []
        # Without its last layer a down-set is one still, and all but what that layer touches is the same.
        while downset not in self._sides:
            missing.append(downset)
            downset ^= 1 << downset.bit_length() - 1
        for larger in reversed(missing):
            begun, needed = (side.copy() for side in self._sides[downset])
            for i in self._marks[larger.bit_length() - 1].spans:
                begun[i] = float(self._spans[i].is_input or bool(self._spans[i].writers & larger))
                needed[i] = float(self._spans[i].row_bytes * len(self._left_after(i, larger).rows))
            self._sides[larger] = begun, needed
            downset = larger
        return self._sides[downset]

    def beside(self, before: int, after: int) -> int:
        """Bytes alive all the while that the layers of `after` that are not in `before` run."""
        return int(self._sides_at(before)[0] @ self._sides_at(after)[1])

    def table(self, downsets: Sequence[int]) -> _Bytes:
        """For each down-set and storage the bytes that are needed later, for `besides`."""
        return np.array([self._sides_at(d)[1] for d in downsets]).reshape(len(downsets), len(self._spans))

    def besides(self, before: int, table: _Bytes) -> Ints:
        """As `beside`, for all down-sets of a table."""
        found: Ints = (table @ self._sides_at(before)[0]).astype(np.int64)
        return found

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
        live = self._costs.live.get(key)
        if live is None:
            walk = self.walk(order)
            live = self._costs.live[key] = self._live(before, after, order, walk)
            self.effort += len(walk.layers)
        return self.beside(before, after) + max(n + self._scratch[i] for n, i in zip(live, order, strict=True))

    def walk(self, order: tuple[int, ...]) -> Walk:
        """The steps of a segment of these layers."""
        first, end = order[0], order[-1] + 1
        if order != tuple(range(first, end)):
            return self._pulled(order)
        # The steps of a shorter segment are those of a longer one with the same end, so this one is made longer.
        if end not in self._walks or self._walks[end][0] > first:
            start = max(0, 2 * first - end) if end in self._walks else first
            self._walks[end] = start, self._pulled(tuple(range(start, end)))
        return self._walks[end][1].without(first)

    def _pulled(self, order: tuple[int, ...]) -> Walk:
        """Programs that differ in their storages or kernels mostly have the same steps."""
        key = (order, tuple(self._waits[i] for i in order), tuple(self._puller.sinks(order)))
        if key not in self._costs.walks:
            self._costs.walks[key] = self._puller.walk(order)
        return self._costs.walks[key]

    def is_known(self, before: int, after: int) -> bool:
        """A segment like this has been gone through, in the program's order."""
        return self._key(before, after, tuple(members(after & ~before))) in self._costs.live

    def _key(self, before: int, after: int, order: tuple[int, ...]) -> Key:
        """What the rows alive in a segment depend on: its layers, and how they find and leave storages."""
        layers = {layer: i for i, layer in enumerate(order)}
        storages: dict[int, int] = {}
        found: list[int] = [before == 0]
        for layer in order:
            marks = self._marks[layer]
            found += marks.kind, marks.is_result or marks.users & ~after != 0
            for i in marks.spans:
                if i in storages:
                    found.append(storages[i])
                    continue
                span = self._spans[i]
                found += len(storages), bool(span.writers & before), span.is_input, self._left_after(i, after).number
                storages[i] = len(storages)
            found += [layers[p] if p >= 0 else p for p in marks.producers if p < 0 or p in layers]
        if before == 0:
            for i, span in enumerate(self._spans):
                if span.is_input and i not in storages:
                    found += span.rows, span.row_bytes, self._left_after(i, after).number
        return tuple(found)

    def _live(self, before: int, after: int, order: tuple[int, ...], walk: Walk) -> tuple[int, ...]:
        """For each layer of a segment the most bytes alive in one of its steps but not all the while, without scratch.

        Kernels that differ in their scratch only have this in common.
        """
        end = len(walk.layers)
        born, dead, fresh = {}, {}, set()
        positions = dict.fromkeys(i for layer in order for i in self._marks[layer].spans)
        if before == 0:
            positions |= dict.fromkeys(i for i, span in enumerate(self._spans) if span.is_input)
        for i in positions:
            span = self._spans[i]
            begun = span.is_input or bool(span.writers & before)
            born[span.id] = np.full(span.rows, 0 if begun else end)
            dead[span.id] = np.full(span.rows, int(span.is_input and before == 0))
            # What has begun and is left is alive all the while: it is counted beside the segment.
            left = self._left_after(i, after).rows
            born[span.id][left] = dead[span.id][left] = end
            if not begun:
                fresh.add(span.id)
        times = walk.times()
        change = np.zeros(end + 1)
        for layer, when in times.items():
            touches = self._puller.touches(layer, len(when))
            for storage, last in touches.reads:
                if storage in dead:
                    die(dead[storage], when, last)
            storage, first, last = touches.write
            if storage in dead:
                die(dead[storage], when, last)
            if storage in fresh:
                written = first >= 0
                born[storage][written] = np.minimum(born[storage][written], when[first[written]])
            if size := self._program.layers[layer].call.accumulator_bytes:
                change[when[0]] += size
                change[when[-1] + 1] -= size
        if positions:
            spans = [self._spans[i] for i in positions]
            sizes = np.repeat([float(span.row_bytes) for span in spans], [span.rows for span in spans])
            begins = np.concatenate([born[span.id] for span in spans])
            ends = np.maximum(begins, np.concatenate([dead[span.id] for span in spans]))
            change += np.bincount(begins, sizes, end + 1) - np.bincount(ends, sizes, end + 1)
        live = np.cumsum(change)
        most = {layer: int(live[when].max()) for layer, when in times.items()}
        return tuple(most[layer] for layer in order)
