"""The interleaved schedule of a real network, with rings and a draining input, is planned better than greedily."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import tinygen.ops  # noqa: F401
from tests.plan.shapes import box, staircase
from tinygen.ir.op import Numerics
from tinygen.passes.pipeline import run as run_passes
from tinygen.plan.model import Buffer
from tinygen.plan.solve import plan
from tinygen.plan.validate import validate
from tinygen.schedule.buffers import demand
from tinygen.schedule.program import build_program
from tinygen.schedule.search import SegmentSearch
from tinygen.tflite import read_model

DIGITS = Path(__file__).parents[2] / "examples" / "digits.tflite"


def interleaved(path: Path) -> tuple[Buffer, ...]:
    graph = run_passes(read_model(path), None)
    kernels = tuple(None if op.alias else op.kernels(graph, Numerics.LITERT)[0] for op in graph.ops)
    program = build_program(graph, kernels)
    search = SegmentSearch(program)
    return demand(program, search.cut(search.least_peak())).buffers


def test_the_search_beats_greedy_placement_of_an_interleaved_network() -> None:
    buffers = interleaved(DIGITS)
    assert any(len(buffer.rects) > 1 for buffer in buffers)
    greedy, searched = plan(buffers, node_budget=0), plan(buffers, node_budget=2_000)
    validate(searched)
    assert searched.lower_bound <= searched.arena_bytes < greedy.arena_bytes


def test_what_cannot_interlock_is_proven_to_need_more_than_its_live_bytes() -> None:
    """All rows ascend, so the larger tensor must begin below the one it is made of; nothing is below offset 0."""
    drains = replace(staircase("drains", 0, 4, 4, 1, dies=True, hold=0), pinned=0)
    fills = staircase("fills", 0, 4, 8, 1, dies=False, hold=0)
    result = plan([drains, fills, box("apart", 9, 10, 4)])
    assert (result.lower_bound, result.arena_bytes, result.proof) == (36, 48, "optimal")
    assert plan([drains, fills], node_budget=0).proof == "gap 12"
