"""Schedules over several memories: they fit as said, keep what they hold, and replace one that cannot be spread."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.strategies import examples
from tests.schedule.cases import offers
from tests.schedule.strategies import collect, graphs
from tinygen.errors import TinygenError
from tinygen.ir.graph import Graph
from tinygen.passes.pipeline import run as run_passes
from tinygen.plan.regions import Region
from tinygen.plan.validate import validate
from tinygen.schedule.choose import Choice, Objective, choose
from tinygen.schedule.replay import replay
from tinygen.schedule.spread import VARIABLE_BYTES, over_regions, variable_bytes

GRAPHS = 24


def chosen(graph: Graph, *, keep_inputs: bool = False) -> Choice:
    optimized = run_passes(graph)
    return choose(optimized, offers(optimized), Objective.BALANCED, keep_inputs=keep_inputs)


def regions_of(choice: Choice, *shares: float) -> tuple[Region, ...]:
    """A fast memory, others, and last the main one, with these shares of the arena's bytes and room for variables."""
    sizes = [round(share * choice.plan.arena_bytes) for share in shares]
    variables = VARIABLE_BYTES + variable_bytes(len(choice.program.layers), 0)
    others = tuple(Region(f"m{i}", size) for i, size in enumerate(sizes[:-1]))
    return (*others, Region("main", sizes[-1] + variables, main=True))


@examples(40)
@given(
    graph=graphs(),
    keep_inputs=st.booleans(),
    shares=st.lists(st.floats(0, 1.3), min_size=2, max_size=4),
    wanted=st.booleans(),
    budgeted=st.booleans(),
)
def test_what_is_spread_is_within_the_memories_and_still_there(
    graph: Graph, keep_inputs: bool, shares: list[float], wanted: bool, budgeted: bool
) -> None:
    single = chosen(graph, keep_inputs=keep_inputs)
    regions = regions_of(single, *shares)
    budget = single.plan.arena_bytes if budgeted else None
    try:
        found = over_regions(single, regions, wanted=wanted, ram_budget=budget)
    except TinygenError as problem:
        if problem.code != "TG308" or not wanted:
            raise
        return
    validate(found.plan)
    replay(found.program, found.schedule, found.demand, found.plan, keep_inputs=keep_inputs)
    assert budget is None or found.plan.arena_bytes <= budget
    room = {r.name: r.capacity for r in regions}
    for area in found.plan.areas:
        assert area.bytes + (VARIABLE_BYTES if area.main else 0) <= room[area.region]
    if not found.plan.areas:
        assert not wanted
        assert found is single


def test_another_schedule_is_taken_where_the_chosen_one_cannot_be_spread() -> None:
    rescued = 0
    for cut in collect(GRAPHS, start=0):
        single = chosen(cut.graph)
        regions = regions_of(single, 0.5, 0.55)
        found = over_regions(single, regions, wanted=False)
        if not found.plan.areas:
            continue
        if over_regions(replace(single, dearer=()), regions, wanted=False).plan.areas:
            assert found.excess == 0
        else:
            assert found.excess == pytest.approx(found.instructions / single.instructions - 1)
        try:
            over_regions(replace(single, allowed=(), dearer=()), regions, wanted=True)
        except TinygenError:
            rescued += 1
            replay(found.program, found.schedule, found.demand, found.plan)
    assert rescued


def test_what_cannot_be_had_is_refused_with_the_room_there_was() -> None:
    single = chosen(next(iter(collect(1, start=0))).graph)
    with pytest.raises(TinygenError, match=r"TG308.*: m0 4, main 0 bytes"):
        over_regions(single, (Region("m0", 4), Region("main", 100, main=True)), wanted=True)
