"""What a schedule asks of the arena: every storage, accumulator and scratch as a buffer of the memory planner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tinygen.plan.model import Buffer, Rect
from tinygen.schedule.landing import Landing, landings
from tinygen.schedule.lives import RowLife, row_lives
from tinygen.schedule.program import Program
from tinygen.schedule.pull import Puller
from tinygen.schedule.steps import Schedule
from tinygen.schedule.storages import Storage

ALIGNMENT = 4
"""Of every buffer, in bytes: kernels read words, and users may hand an input to a DMA controller."""


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


def demand(program: Program, schedule: Schedule, *, keep_inputs: bool = False, puller: Puller | None = None) -> Demand:
    """Buffers over time, the position in the schedule being the time.

    A row lives from the step that writes it through the last step that reads it. A storage whose rows are never all
    alive is a ring: row y lies in slot y modulo the number of slots; see landing.py for rings with a landing slot.
    Accumulators live from a layer's first step through its last, scratch in each of them. Whoever asks often brings the
    program's `puller`.
    """
    puller = puller or Puller(program)
    lives = row_lives(program, puller, schedule.steps, keep_inputs=keep_inputs)
    found: list[Buffer] = []

    def add(name: str, kind: str, size: int, rects: Iterable[Rect], pinned: int | None = None) -> int:
        found.append(Buffer(name, size, tuple(rects), ALIGNMENT, kind, pinned))
        return len(found) - 1

    storages, slots, slot, settlers, accumulators, scratch = {}, {}, {}, {}, {}, {}
    for storage in program.storages:
        if storage.outside:
            slots[storage.id] = storage.rows
            continue
        rows = lives[storage.id]
        ring = _slots(puller, storage, rows)
        offered = landings(puller, storage, rows, schedule) if ring < storage.rows else ()
        fewer, landed = min(
            ((_slots(puller, storage, o.ring), o) for o in offered), key=_slots_first, default=(ring, None)
        )
        if landed and fewer < ring:
            ring, rows = fewer, _claims(landed, fewer, len(schedule.steps))
            settlers[storage.id] = landed.settler
            rects = _rects(landed.slot, 1, storage)
            slot[storage.id] = add(f"{storage.name} (landing)", "activation", storage.row_bytes, rects)
        slots[storage.id] = ring
        size, rects = ring * storage.row_bytes, _rects(rows, ring, storage)
        storages[storage.id] = add(storage.name, storage.kind, size, rects, storage.pinned)
    times: dict[int, list[int]] = {}
    for time, step in enumerate(schedule.steps):
        times.setdefault(step.layer, []).append(time)
    for index, layer in enumerate(program.layers):
        name, call, when = layer.op.output(program.graph).name, layer.call, times[index]
        if size := call.accumulator_bytes:
            rect = Rect(when[0], when[-1] + 1, 0, size)
            accumulators[index] = add(f"{name} (accumulators)", "accumulator", size, (rect,))
        if size := call.scratch_bytes:
            rects = (Rect(lower, upper, 0, size) for lower, upper in _runs(when))
            scratch[index] = add(f"{name} (scratch)", "scratch", size, rects)
    return Demand(tuple(found), storages, slots, slot, settlers, accumulators, scratch)


def _claims(landed: Landing, slots: int, end: int) -> tuple[RowLife | None, ...]:
    """The lives in the ring, from the step before a row is copied there.

    The row before it in the slot is mostly alive then, and nothing is gained by more. Where it is not, the place is
    kept from landing slots, this one and others that are copied at the same time, and after the last step from outputs.
    """
    claims = list(landed.ring)
    for slot in range(slots):
        free = 0
        for y in range(slot, len(claims), slots):
            life = claims[y]
            if life is None:
                continue
            lower = max(free, life.lower - 1) if landed.slot[y] is not None else life.lower
            free = life.upper
            claims[y] = RowLife(lower, min(life.upper, end)) if lower < end else None
    return tuple(claims)


def _slots_first(offer: tuple[int, Landing]) -> tuple[int, int]:
    """The fewest slots; of equals the earliest reader, which keeps the landing slot for the shortest time."""
    return offer[0], offer[1].settler


def _slots(puller: Puller, storage: Storage, rows: tuple[RowLife | None, ...]) -> int:
    """The fewest slots such that rows alive at the same time never share one."""
    if storage.kind != "activation" or not _row_by_row(puller, storage):
        return storage.rows
    for slots in range(1, storage.rows):
        if all(
            a is None or b is None or a.upper <= b.lower for a, b in zip(rows, rows[slots:], strict=False)
        ) and _in_order(rows, slots):
            return slots
    return storage.rows


def _in_order(rows: tuple[RowLife | None, ...], slots: int) -> bool:
    """A row is dead before any later row that could share its slot is born, also several turns of the ring later."""
    for slot in range(slots):
        latest = 0
        for row in rows[slot::slots]:
            if row is not None:
                if row.lower < latest:
                    return False
                latest = row.upper
    return True


def _row_by_row(puller: Puller, storage: Storage) -> bool:
    """Everybody reads and writes the storage in its own rows or parts of them; what is coarser must not wrap around."""
    accesses = [r for i in puller.readers(storage.id) for r in puller.reads(i) if r.storage.id == storage.id]
    accesses += [puller.write(i) for i in puller.writers(storage.id)]
    return all(r.access.window is not None and r.row_by_row for r in accesses)


def _rects(rows: tuple[RowLife | None, ...], slots: int, storage: Storage) -> Iterable[Rect]:
    """The rows' lives in their slots; neighbours with the same life are one rectangle."""
    size = storage.row_bytes
    pending: Rect | None = None
    for y, life in enumerate(rows):
        if life is None:
            continue
        start = y % slots * size
        if pending and (pending.lower, pending.upper, pending.stop) == (life.lower, life.upper, start):
            pending = Rect(life.lower, life.upper, pending.start, start + size)
            continue
        if pending:
            yield pending
        pending = Rect(life.lower, life.upper, start, start + size)
    if pending:
        yield pending


def _runs(times: list[int]) -> Iterable[tuple[int, int]]:
    """Consecutive times as ranges."""
    start = times[0]
    for now, after in zip(times, [*times[1:], -1], strict=True):
        if after != now + 1:
            yield start, now + 1
            start = after
