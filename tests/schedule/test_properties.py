"""Schedules of random graphs: replayed on painted bytes, and their C compared with the interpreter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.ops.strategies import examples
from tests.schedule.cases import by_objective, plain_plan
from tests.schedule.programs import check
from tests.schedule.strategies import CutGraph, collect, cut_graphs, graphs
from tinygen.ir.graph import Graph

C_GRAPHS = 16
"""One C program has four schedules of each."""


@examples(150)
@given(cut=cut_graphs())
def test_wherever_it_is_cut_what_is_read_is_there(cut: CutGraph) -> None:
    cut.scheduled().replay()


@examples(25)
@given(graph=graphs(), keep_inputs=st.booleans())
def test_every_objective_is_no_larger_than_layer_by_layer(graph: Graph, keep_inputs: bool) -> None:
    limit = plain_plan(graph, keep_inputs=keep_inputs).arena_bytes
    for case in by_objective(graph, keep_inputs=keep_inputs):
        assert case.plan.arena_bytes <= limit, repr(case)
        case.replay()


def test_c_computes_what_the_interpreter_does_in_the_planned_order() -> None:
    cases = []
    for cut in collect(C_GRAPHS, start=0):
        cases += [cut.scheduled(), *by_objective(cut.graph, keep_inputs=cut.keep_inputs, rules=cut.rules)]
    check(cases)
