"""The plain schedule: every layer computed whole, in the order of the graph."""

from __future__ import annotations

from collections.abc import Sequence

from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.plan.model import Plan
from tinygen.plan.solve import plan
from tinygen.schedule.buffers import demand
from tinygen.schedule.program import Program, build_program
from tinygen.schedule.steps import Schedule, Segment, Step
from tinygen.schedule.storages import Rules


def layer_by_layer(program: Program) -> Schedule:
    """One step for each layer: its whole input and output are alive together."""
    steps = (Step(i, 0, layer.rows.steps) for i, layer in enumerate(program.layers))
    return Schedule(tuple(Segment(step.layer, step.layer + 1, (step,)) for step in steps))


def layered_plan(graph: Graph, offers: Sequence[tuple[Kernel, ...]], rules: Rules, *, keep_inputs: bool) -> Plan:
    """The plan of that schedule with the fastest of each operator's kernels.

    Raises:
        TinygenError: TG304 and TG307 for pins that cannot be had.
    """
    fastest = tuple(min(kernels, key=lambda k: k.instructions, default=None) for kernels in offers)
    program = build_program(graph, fastest, rules)
    return plan(demand(program, layer_by_layer(program), keep_inputs=keep_inputs).buffers)
