"""Schedules: an order of steps, each of which computes rows [first, end) of one layer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """Steps [first, end) of the row model of layer `layer` of the program."""

    layer: int
    first: int
    end: int


@dataclass(frozen=True)
class Schedule:
    """All steps of one inference, in order."""

    steps: tuple[Step, ...]
