"""Small versions of made-up networks: every objective has a schedule that holds, and none needs more than by layers."""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks import architectures as made_up
from tests.schedule.cases import by_objective, offers, plain_plan
from tinygen.ir.graph import Graph
from tinygen.passes.pipeline import run as run_passes
from tinygen.schedule.choose import Objective, choose

NETWORKS = {
    "densenet": partial(made_up.densenet, 16, (2, 3)),
    "u_net": partial(made_up.u_net, 16, 2, 4),
    "inception": partial(made_up.inception, 16, 1),
    "searched_cells": partial(made_up.searched_cells, 16, 1),
    "attention_gates": partial(made_up.attention_gates, 16, 4),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_schedules_hold_and_need_no_more_than_layer_by_layer(name: str) -> None:
    graph: Graph = NETWORKS[name]()
    limit = plain_plan(graph).arena_bytes
    for case in by_objective(graph):
        case.replay()
        assert case.plan.arena_bytes <= limit, case.what


def test_kernels_of_less_scratch_may_come_with_more_live_bytes() -> None:
    """Their cuts are moved for the arena's sake, and then the peak of the fastest kernels was lower."""
    graph = run_passes(made_up.residual(24, 3, (16, 32)))
    assert choose(graph, offers(graph), Objective.RAM).plan.arena_bytes < 12 * 1024
