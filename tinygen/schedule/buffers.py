"""What a schedule asks of the arena: every storage, accumulator and scratch as a buffer of the memory planner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from tinygen.plan.model import Buffer, Rect
from tinygen.schedule.landing import may_land
from tinygen.schedule.lives import Lives, row_lives
from tinygen.schedule.program import Program
from tinygen.schedule.pull import Puller
from tinygen.schedule.rings import ALIGNMENT, Ring, find_ring
from tinygen.schedule.steps import Ints, Schedule, Segment
from tinygen.schedule.storages import Storage


@dataclass(frozen=True, eq=False)
class Demand:
    """The buffers of a schedule, and which of them is what: positions in `buffers` by storage id or layer position.

    Storages outside the arena have slots, and no buffer.

    `slots` is the number of rows that each storage's ring has; as many as the storage has rows for an ordinary buffer.
    `landings` are the landing slots of storages that have one, `settlers` the layers after which they are copied.
    """

    buffers: tuple[Buffer, ...]
    storages: Mapping[int, int]
    slots: Mapping[int, int]
    landings: Mapping[int, int]
    settlers: Mapping[int, int]
    accumulators: Mapping[int, int]
    scratch: Mapping[int, int]


def demand(program: Program, schedule: Schedule, *, keep_inputs: bool = False) -> Demand:
    """Buffers over time, the position in the schedule being the time.

    A row lives from the step that writes it through the last step that reads it. A storage whose rows are never all
    alive is a ring: row y lies in slot y modulo the number of slots; see landing.py for rings with a landing slot.
    Accumulators live from a layer's first step through its last, scratch in each of them.
    """
    return Demands(program, Puller(program), keep_inputs=keep_inputs).of(schedule)


class Demands:
    """What schedules of one program ask of the arena; what they have in common is found once and is the same object."""

    def __init__(self, program: Program, puller: Puller, *, keep_inputs: bool) -> None:
        self._program, self._puller, self._keep_inputs = program, puller, keep_inputs
        self._rings: dict[tuple[object, ...], Ring] = {}
        self._works: dict[tuple[int, bytes], tuple[Buffer | None, Buffer | None]] = {}
        self._spans = {storage.id: self._span(storage) for storage in program.storages}

    def _span(self, storage: Storage) -> tuple[int, int]:
        """The first layer and the one after the last while which a storage may be alive."""
        layers = (*self._puller.writers(storage.id), *self._puller.readers(storage.id))
        stays = any(t in self._program.graph.outputs for t in storage.tensors)
        stays = stays or (self._keep_inputs and storage.kind == "input")
        first = 0 if storage.kind == "input" else min(layers, default=0)
        return first, len(self._program.layers) if stays else max(layers, default=0) + 1

    def of(self, schedule: Schedule) -> Demand:
        """As `demand` says."""
        return self._of(schedule, self._program.storages, range(len(self._program.layers)))

    def while_computing(self, layers: range, schedule: Schedule) -> tuple[Buffer, ...]:
        """What is alive while some layers are computed, which are whole segments, and only as long as that.

        Left out is the place that a copy nobody reads keeps for a step, where that is after all layers of its storage.
        """
        near = [
            s
            for s in self._program.storages
            if self._spans[s.id][0] < layers.stop and layers.start < self._spans[s.id][1]
        ]
        buffers = self._of(schedule, near, layers).buffers
        lower = sum(len(segment.steps) for segment in schedule.segments if segment.end <= layers.start)
        upper = sum(len(segment.steps) for segment in schedule.segments if segment.end <= layers.stop)
        return tuple(part for buffer in buffers if (part := buffer.during(lower, upper)).rects)

    def _of(self, schedule: Schedule, chosen: Sequence[Storage], layers: range) -> Demand:
        """Of some storages, and of what some layers need besides."""
        starts = list(accumulate((len(segment.steps) for segment in schedule.segments), initial=0))
        within = {i: n for n, s in enumerate(schedule.segments) for i in range(s.first, s.end)}
        touching = {i for s in chosen for i in (*self._puller.writers(s.id), *self._puller.readers(s.id))}
        times = {i: schedule.segments[within[i]].times[i] + starts[within[i]] for i in sorted({*touching, *layers})}
        lives = row_lives(self._program, self._puller, chosen, times, starts[-1], keep_inputs=self._keep_inputs)
        found: list[Buffer] = []

        def add(buffer: Buffer) -> int:
            found.append(buffer)
            return len(found) - 1

        storages, slots, landings, settlers, accumulators, scratch = {}, {}, {}, {}, {}, {}
        for storage in chosen:
            if storage.outside:
                slots[storage.id] = storage.rows
                continue
            writers = self._puller.writers(storage.id)
            position = within[writers[0]] if writers else None
            home = None if position is None else (schedule.segments[position], starts[position])
            ring = self._ring(storage, lives[storage.id], home, starts[-1])
            if ring.landing is not None and ring.settler is not None:
                landings[storage.id], settlers[storage.id] = add(ring.landing), ring.settler
            slots[storage.id] = ring.slots
            storages[storage.id] = add(ring.buffer)
        for i in layers:
            sums, work = self._work(i, times[i])
            if sums is not None:
                accumulators[i] = add(sums)
            if work is not None:
                scratch[i] = add(work)
        return Demand(tuple(found), storages, slots, landings, settlers, accumulators, scratch)

    def _ring(self, storage: Storage, lives: Lives, home: tuple[Segment, int] | None, end: int) -> Ring:
        if home is not None and not may_land(self._puller, storage, home[0]):
            home = None
        # Rows land where others are asked for, which depends on the whole segment.
        lands = () if home is None else (home[0].first, home[0].end, home[1], end)
        key = (storage.id, lives.born.tobytes(), lives.dead.tobytes(), lands)
        if key not in self._rings:
            self._rings[key] = find_ring(self._puller, storage, lives.rows(), home, end)
        return self._rings[key]

    def _work(self, position: int, times: Ints) -> tuple[Buffer | None, Buffer | None]:
        """The accumulators and the scratch of a layer with steps at these times."""
        layer = self._program.layers[position]
        key = (position, times.tobytes())
        if key not in self._works:
            name, call, when = layer.op.output(self._program.graph).name, layer.call, times.tolist()
            sums = work = None
            if size := call.accumulator_bytes:
                rect = Rect(when[0], when[-1] + 1, 0, size)
                sums = Buffer(f"{name} (accumulators)", size, (rect,), ALIGNMENT, "accumulator")
            if size := call.scratch_bytes:
                rects = tuple(Rect(lower, upper, 0, size) for lower, upper in _runs(list(dict.fromkeys(when))))
                work = Buffer(f"{name} (scratch)", size, rects, ALIGNMENT, "scratch")
            self._works[key] = sums, work
        return self._works[key]


def _runs(times: list[int]) -> Iterable[tuple[int, int]]:
    """Consecutive times as ranges."""
    start = times[0]
    for now, after in zip(times, [*times[1:], -1], strict=True):
        if after != now + 1:
            yield start, now + 1
            start = after
