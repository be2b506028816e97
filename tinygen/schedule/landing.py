"""Rings with a landing slot: one row less in the ring, the newest row in a slot that rings can share.

A window of three rows needs three only while it is read: then the oldest is dead. In a ring of three slots that hole
wanders, and nothing else fits into it. So the ring gets two slots, and the last row a reader waits for lands in a slot
of its own until it has been read; then it is copied over the row that just died.

    reader waits for row y      landing: y      ring: y-2 y-1
    reader has read y-2..y      landing: free   ring: y   y-1      (y copied over y-2)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinygen.schedule.lives import RowLife
from tinygen.schedule.program import Storage
from tinygen.schedule.pull import Puller
from tinygen.schedule.steps import Schedule


@dataclass(frozen=True)
class Landing:
    """The lives of a storage's rows with a landing slot: in the slot, where None means it never is, and in the ring."""

    slot: tuple[RowLife | None, ...]
    ring: tuple[RowLife | None, ...]


def landing(puller: Puller, storage: Storage, rows: Sequence[RowLife | None], schedule: Schedule) -> Landing | None:
    """How a storage would live with a landing slot; None where it has not exactly one reader, interleaved with it."""
    producer, readers = puller.producer(storage.id), puller.readers(storage.id)
    if producer is None or len(readers) != 1:
        return None
    segment = next(s for s in schedule.segments if s.first <= producer < s.end)
    if not segment.first <= readers[0] < segment.end:
        return None
    slot: list[RowLife | None] = [None] * storage.rows
    ring = list(rows)
    newest: int | None = None
    for time, step in enumerate(schedule.steps):
        if step.layer == producer:
            newest = step.first
        elif step.layer == readers[0] and newest is not None:
            life = rows[newest]
            if life is not None:
                slot[newest] = RowLife(life.lower, time + 1)
                # The copy is made even where nobody reads it, so its place is taken for a step.
                ring[newest] = RowLife(time + 1, max(life.upper, time + 2))
            newest = None
    return Landing(tuple(slot), tuple(ring))
