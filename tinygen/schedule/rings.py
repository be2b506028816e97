"""Rings: how many rows of a storage have a place at once, and the buffers that this makes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinygen.plan.model import Buffer, Rect
from tinygen.schedule.landing import Landing, landings
from tinygen.schedule.lives import RowLife
from tinygen.schedule.pull import Puller
from tinygen.schedule.steps import Segment
from tinygen.schedule.storages import Storage

ALIGNMENT = 4
"""Of every buffer, in bytes: kernels read words, and users may hand an input to a DMA controller."""


@dataclass(frozen=True, eq=False)
class Ring:
    """Row y of a storage lies in slot y modulo `slots`; as many as the storage has rows for an ordinary buffer.

    Where there is a landing slot, `settler` is the layer after which its row is copied.
    """

    slots: int
    buffer: Buffer
    landing: Buffer | None = None
    settler: int | None = None


def find_ring(
    puller: Puller, storage: Storage, rows: tuple[RowLife | None, ...], home: tuple[Segment, int] | None, end: int
) -> Ring:
    """The smallest ring for rows with these lives, in a schedule of `end` steps.

    `home` is the segment in which rows may land, and the position of its first step in the schedule; see landing.py.
    """
    slots = _slots(puller, storage, rows)
    offered = landings(puller, storage, rows, *home) if home is not None and slots < storage.rows else ()
    rings = ((_slots(puller, storage, offer.ring), offer) for offer in offered)
    fewer, landed = min(rings, key=_slots_first, default=(slots, None))
    if landed is None or fewer >= slots:
        return Ring(slots, _buffer(storage, rows, slots))
    name = f"{storage.name} (landing)"
    landing = Buffer(name, storage.row_bytes, tuple(_rects(landed.slot, 1, storage)), ALIGNMENT, "activation")
    return Ring(fewer, _buffer(storage, _claims(landed, fewer, end), fewer), landing, landed.settler)


def _buffer(storage: Storage, rows: tuple[RowLife | None, ...], slots: int) -> Buffer:
    rects = tuple(_rects(rows, slots, storage))
    return Buffer(storage.name, slots * storage.row_bytes, rects, ALIGNMENT, storage.kind, storage.pinned)


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
    return all(r.access.window is not None and r.shape.row_by_row for r in accesses)


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
