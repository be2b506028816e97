"""Programs and schedules of graphs: by objective, and with cuts at given places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.schedule.programs import Scheduled
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.passes.pipeline import run as run_passes
from tinygen.plan.model import Plan
from tinygen.plan.solve import plan
from tinygen.plan.validate import validate
from tinygen.schedule.buffers import demand
from tinygen.schedule.choose import Objective, choose
from tinygen.schedule.layer_by_layer import layer_by_layer
from tinygen.schedule.program import Program, build_program
from tinygen.schedule.pull import Puller
from tinygen.schedule.steps import Schedule
from tinygen.schedule.storages import Rules, Sharing

NODE_BUDGET = 200
"""For placements whose quality does not matter."""


NO_RULES = Rules()
SEPARATE = Sharing()


def offers(graph: Graph) -> list[tuple[Kernel, ...]]:
    """The portable kernels of each operator."""
    kernels = [() if op.alias else op.kernels(graph, Numerics.LITERT) for op in graph.ops]
    return [tuple(k for k in found if not k.requires) for found in kernels]


def program_of(graph: Graph, *, small: bool = False, rules: Rules = NO_RULES, sharing: Sharing = SEPARATE) -> Program:
    """The program with the kernels that need the fewest instructions, or the least scratch memory."""
    chosen = []
    for kernels in offers(graph):
        costs = [(k.scratch_bytes if small else 0, k.instructions) for k in kernels]
        chosen.append(kernels[costs.index(min(costs))] if kernels else None)
    return build_program(graph, tuple(chosen), rules, sharing)


def cut_at(
    graph: Graph,
    ends: Sequence[int],
    *,
    keep_inputs: bool = False,
    small: bool = False,
    in_place: bool = False,
    views: bool = False,
    rules: Rules = NO_RULES,
) -> Scheduled:
    """With segments that end at the given layers, the last of which is their number; fewer where layers are views."""
    program = program_of(graph, small=small, rules=rules, sharing=Sharing(in_place, views, keep_inputs))
    count = len(program.layers)
    ends = sorted({min(end, count) for end in (*ends, count)} - {0})
    puller = Puller(program)
    schedule = Schedule(tuple(puller.segment(a, b) for a, b in zip((0, *ends), ends, strict=False)))
    wanted = demand(program, schedule, keep_inputs=keep_inputs)
    placed = plan(wanted.buffers, node_budget=NODE_BUDGET)
    return Scheduled(graph, "cut", program, schedule, wanted, placed, keep_inputs)


def whole(graph: Graph, *, keep_inputs: bool = False, in_place: bool = False, views: bool = False) -> Scheduled:
    """All layers in one segment."""
    count = len(program_of(graph).layers)
    return cut_at(graph, (count,), keep_inputs=keep_inputs, in_place=in_place, views=views)


def by_objective(graph: Graph, *, keep_inputs: bool = False, rules: Rules = NO_RULES) -> Iterator[Scheduled]:
    """The schedule for each objective, after the passes; the plans are validated."""
    optimized = run_passes(graph)
    kernels = offers(optimized)
    for objective in Objective:
        found = choose(optimized, kernels, objective, keep_inputs=keep_inputs, rules=rules)
        validate(found.plan)
        what = objective.value
        yield Scheduled(graph, what, found.program, found.schedule, found.demand, found.plan, keep_inputs)


def plain_plan(graph: Graph, *, keep_inputs: bool = False, rules: Rules = NO_RULES) -> Plan:
    """The plan of the layer-by-layer schedule that `by_objective` must not exceed."""
    program = program_of(run_passes(graph), rules=rules)
    return plan(demand(program, layer_by_layer(program), keep_inputs=keep_inputs).buffers)
