"""Rings with a landing slot: one row less in the ring, the newest row in a slot that rings can share.

A window of three rows needs three only while it is read: then the oldest is dead. In a ring of three slots that hole
wanders, and nothing else fits into it. So the ring gets two slots, and the last row a reader waits for lands in a slot
of its own until it has been read; then it is copied over the row that just died.

    reader waits for row y      landing: y      ring: y-2 y-1
    reader has read y-2..y      landing: free   ring: y   y-1      (y copied over y-2)

With several readers, such as the two branches of a residual block, it is the one after which the oldest row is dead.
Where layers write over one another's rows, the last of them is whom the reader waits for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinygen.schedule.lives import RowLife
from tinygen.schedule.pull import Puller
from tinygen.schedule.steps import Segment, Step
from tinygen.schedule.storages import Storage


@dataclass(frozen=True)
class Landing:
    """The lives of a storage's rows with a landing slot: in the slot and in the ring, None where it is never there."""

    settler: int
    """The layer after whose steps the newest row is copied; it is copied too before another row is computed."""
    slot: tuple[RowLife | None, ...]
    ring: tuple[RowLife | None, ...]


def may_land(puller: Puller, storage: Storage, segment: Segment) -> bool:
    """A storage that is first written in a segment may have a landing slot: all its readers are interleaved there."""
    readers = puller.readers(storage.id)
    written = [puller.write(i).access for i in puller.writers(storage.id)]
    return (
        storage.kind != "input"
        and all(a.first == 0 and a.row_bytes == storage.row_bytes for a in written)
        and segment.interleaved
        and all(segment.first <= reader < segment.end for reader in readers)
    )


def landings(
    puller: Puller, storage: Storage, rows: Sequence[RowLife | None], segment: Segment, start: int
) -> Iterator[Landing]:
    """How a storage that may land would live with a landing slot, for each reader that could settle it.

    `start` is the position in the schedule of the segment's first step.
    """
    for settler in puller.readers(storage.id):
        yield _landing(puller.writers(storage.id), settler, rows, segment.steps, start)


def _landing(
    writers: Sequence[int], settler: int, rows: Sequence[RowLife | None], steps: Sequence[Step], start: int
) -> Landing:
    """With the steps of the segment, the first of which is at position `start` of the schedule."""
    awaited = {step.first for step in steps if step.layer == writers[-1] and step.pulled_last}
    slot: list[RowLife | None] = [None] * len(rows)
    ring = list(rows)
    newest: int | None = None

    def settle(copied: int) -> None:
        life = rows[newest] if newest is not None else None
        if newest is not None and life is not None:
            slot[newest] = RowLife(life.lower, copied)
            # The copy is made even where nobody reads it, so its place is taken for a step.
            ring[newest] = RowLife(copied, max(life.upper, copied + 1))

    for time, step in enumerate(steps, start):
        if step.layer == writers[0]:
            settle(time)
            newest = step.first if step.first in awaited else None
        elif step.layer == settler:
            settle(time + 1)
            newest = None
    if newest is not None:
        slot[newest], ring[newest] = rows[newest], None
    return Landing(settler, tuple(slot), tuple(ring))
