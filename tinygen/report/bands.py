"""The parts of a plan that are in different memories, each as a plan of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tinygen.plan.model import Area, Plan
from tinygen.plan.validate import live_bytes_bound


@dataclass(frozen=True)
class Band:
    """What is in one memory, with offsets from where the arena's part there begins."""

    memory: str
    """Empty where the arena is one range of bytes in a memory that nobody named."""
    address: int | None
    """Where the memory begins."""
    plan: Plan
    members: tuple[int, ...]
    """The positions of its buffers in the whole plan."""

    @property
    def title(self) -> str:
        """The memory's name, and where it begins."""
        return self.memory if self.address is None else f"{self.memory} from 0x{self.address:08x}"


def bands(plan: Plan) -> tuple[Band, ...]:
    """The memories with a part of the arena, by ascending address; all of a plan in one memory."""
    if not plan.areas:
        return (Band("", None, plan, tuple(range(len(plan.buffers)))),)
    found = (_band(plan, area) for area in plan.areas if area.bytes)
    return tuple(sorted(found, key=lambda band: band.address or 0))


def memories(plan: Plan) -> Iterator[str]:
    """For each buffer the name of its memory."""
    yield from ("" if (area := _area_at(plan, offset)) is None else area.region for offset in plan.offsets)


def offsets_there(plan: Plan) -> Iterator[int]:
    """For each buffer its offset in its memory's part of the arena."""
    yield from (offset - (area.start if (area := _area_at(plan, offset)) else 0) for offset in plan.offsets)


def _area_at(plan: Plan, offset: int) -> Area | None:
    """The area of an offset; one without bytes begins where the next does."""
    return next((area for area in reversed(plan.areas) if area.start <= offset), None)


def _band(plan: Plan, area: Area) -> Band:
    members = tuple(i for i, offset in enumerate(plan.offsets) if _area_at(plan, offset) == area)
    buffers = tuple(plan.buffers[i] for i in members)
    bound = live_bytes_bound(buffers)
    alone = replace(
        plan,
        buffers=buffers,
        offsets=tuple(plan.offsets[i] - area.start for i in members),
        arena_bytes=area.bytes,
        lower_bound=bound,
        proof="optimal" if area.bytes == bound else f"gap {area.bytes - bound}",
        areas=(),
    )
    return Band(area.region, area.address, alone, members)
