"""The plain schedule: every layer computed whole, in the order of the graph."""

from __future__ import annotations

from tinygen.schedule.program import Program
from tinygen.schedule.steps import Schedule, Segment, Step


def layer_by_layer(program: Program) -> Schedule:
    """One step for each layer: its whole input and output are alive together."""
    steps = (Step(i, 0, layer.rows.steps) for i, layer in enumerate(program.layers))
    return Schedule(tuple(Segment(step.layer, step.layer + 1, (step,)) for step in steps))
