"""Schedules: the layers cut into segments, and the order of steps that this means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


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

    @cached_property
    def times(self) -> Mapping[int, Ints]:
        """For each layer the positions of its steps in the segment, of what is computed at once the same one."""
        found: dict[int, list[int]] = {}
        for time, step in enumerate(self.steps):
            found.setdefault(step.layer, []).extend([time] * (step.end - step.first))
        return {layer: np.array(times) for layer, times in found.items()}


@dataclass(frozen=True)
class Schedule:
    """One inference."""

    segments: tuple[Segment, ...]
    exact: bool = False
    """It comes of a search that went through all orders of the layers and all cuts."""

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for segment in self.segments for step in segment.steps)
