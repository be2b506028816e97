"""What users demand of the arena: inputs and outputs outside it, tensors at offsets of their choice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.schedule.cases import offers
from tests.schedule.programs import Scheduled, check
from tinygen.errors import TinygenError
from tinygen.ir.graph import Graph
from tinygen.passes.pipeline import run
from tinygen.paths import EXAMPLES
from tinygen.plan.validate import validate
from tinygen.schedule.choose import Objective, choose
from tinygen.schedule.storages import Rules
from tinygen.tflite import read_model


@pytest.fixture
def graph() -> Graph:
    return run(read_model(EXAMPLES / "digits.tflite"))


def chosen(graph: Graph, objective: Objective, rules: Rules) -> Scheduled:
    choice = choose(graph, offers(graph), objective, rules=rules)
    what = f"{objective.value} {rules}"
    return Scheduled(graph, what, choice.program, choice.schedule, choice.demand, choice.plan, keep_inputs=False)


def test_inputs_and_outputs_outside_the_arena(graph: Graph) -> None:
    cases = [chosen(graph, objective, Rules(io_outside=True)) for objective in Objective]
    for case in cases:
        validate(case.plan)
        assert not {"input", "output"} & {buffer.kind for buffer in case.plan.buffers}
    check(cases)


def test_pinned_tensors_are_where_they_were_wanted(graph: Graph) -> None:
    first = graph.tensors[graph.inputs[0]].name
    last = graph.tensors[graph.outputs[0]].name
    case = chosen(graph, Objective.RAM, Rules(pins=((first, 64), (last, 0))))
    places = {b.name: o for b, o in zip(case.plan.buffers, case.plan.offsets, strict=True)}
    assert (places[first], places[last]) == (64, 0)
    validate(case.plan)
    check([case])


def test_a_pin_that_cannot_be(graph: Graph) -> None:
    name = graph.tensors[graph.inputs[0]].name
    for rules, code in (
        (Rules(pins=((name, 3),)), "TG304"),
        (Rules(pins=(("no such tensor", 0),)), "TG307"),
        (Rules(io_outside=True, pins=((name, 0),)), "TG307"),
    ):
        with pytest.raises(TinygenError) as caught:
            chosen(graph, Objective.BALANCED, rules)
        assert caught.value.code == code


def test_no_arena_at_all(graph: Graph) -> None:
    nothing = replace(graph, ops=(), outputs=graph.inputs)
    case = chosen(nothing, Objective.BALANCED, Rules(io_outside=True))
    assert case.plan.arena_bytes == 0
    assert "arena" not in case.tree("empty").files["src/empty.c"].split("#define empty_input_0")[1]
