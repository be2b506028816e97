"""Budgets of RAM: what is chosen is within them, more room never costs time, and too little names what there is."""

from __future__ import annotations

from unittest import mock

from hypothesis import given

from tests.ops.strategies import examples
from tests.schedule.cases import offers
from tests.schedule.strategies import graphs
from tinygen.errors import TinygenError
from tinygen.ir.graph import Graph
from tinygen.passes.pipeline import run as run_passes
from tinygen.schedule.choose import Choice, Objective, choose

ROUGH = 1
"""A node budget for comparisons with which many plans are larger than they have to be."""


def within(graph: Graph, budget: int) -> Choice:
    return choose(graph, offers(graph), Objective.BALANCED, ram_budget=budget)


@examples(12)
@given(graph=graphs(most_ops=6))
def test_the_fastest_within_a_budget(graph: Graph) -> None:
    optimized = run_passes(graph)
    with mock.patch("tinygen.schedule.choose.SKETCH", ROUGH):
        free = [choose(optimized, offers(optimized), objective) for objective in Objective]
        arenas = {choice.plan.arena_bytes for choice in free}
        slowest = float("inf")
        for budget in sorted({*arenas, (min(arenas) + max(arenas)) // 2}):
            found = within(optimized, budget)
            assert found.plan.arena_bytes <= budget
            assert found.instructions <= slowest
            slowest = found.instructions
            assert all(found.instructions <= c.instructions for c in free if c.plan.arena_bytes <= budget)
        least = min(arenas)
        tight = refused(optimized, least - 1)
        if tight is not None:
            assert f"at most {least - 1} bytes of arena, the least found needs {least}" in tight
            assert f"--ram-budget {least} can be had" in tight


def refused(graph: Graph, budget: int) -> str | None:
    """What the refusal of a budget says; None where the planner finds a plan within it after all."""
    try:
        assert within(graph, budget).plan.arena_bytes <= budget
    except TinygenError as refusal:
        if refusal.code != "TG305":
            raise
        return str(refusal)
    return None
