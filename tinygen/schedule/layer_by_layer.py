"""The plain schedule: every layer computed whole, in the order of the graph."""

from __future__ import annotations

from tinygen.schedule.program import Program
from tinygen.schedule.steps import Schedule, Step


def layer_by_layer(program: Program) -> Schedule:
    """One step for each layer."""
    return Schedule(tuple(Step(i, 0, layer.rows.steps) for i, layer in enumerate(program.layers)))
