"""Schedules: the layers cut into segments, and the order of steps that this means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Step:
    """Steps [first, end) of the row model of layer `layer` of the program."""

    layer: int
    first: int
    end: int
    pulled_last: bool = False
    """The last row that whoever pulled it had asked for."""


@dataclass(frozen=True)
class Segment:
    """Layers [first, end) computed together.

    A segment of one layer computes it from its first row to its last. In a longer one the layers that nothing in it
    reads pull: every row first asks for the rows it reads, and they for theirs, so that each row is computed just
    before it is needed, once.
    """

    first: int
    end: int
    steps: tuple[Step, ...]

    @property
    def interleaved(self) -> bool:
        return self.end - self.first > 1


@dataclass(frozen=True)
class Schedule:
    """One inference."""

    segments: tuple[Segment, ...]
    exact: bool = False
    """It comes of a search that went through all orders of the layers and all cuts."""

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for segment in self.segments for step in segment.steps)
