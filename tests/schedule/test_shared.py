"""What schedules and programs have in common is found once: it is what would be found alone."""

from __future__ import annotations

from itertools import product

from hypothesis import assume, given

from tests.ops.strategies import examples
from tests.schedule.cases import program_of
from tests.schedule.strategies import CutGraph, cut_graphs
from tinygen.plan.model import Buffer
from tinygen.schedule.buffers import Demands
from tinygen.schedule.peaks import Costs
from tinygen.schedule.pull import Puller
from tinygen.schedule.search import SegmentSearch
from tinygen.schedule.storages import Sharing


@examples(40)
@given(cut=cut_graphs())
def test_segments_known_from_similar_programs_have_their_own_peaks(cut: CutGraph) -> None:
    costs = Costs()
    for small, in_place, views in product((False, True), repeat=3):
        program = program_of(cut.graph, small=small, rules=cut.rules, sharing=Sharing(in_place, views))
        alone = SegmentSearch(program, keep_inputs=cut.keep_inputs)
        known = SegmentSearch(program, keep_inputs=cut.keep_inputs, costs=costs)
        count = len(program.layers)
        for first, end in ((a, b) for a in range(count) for b in range(a + 1, count + 1)):
            assert known.peak((first, end)) == alone.peak((first, end))


@examples(60)
@given(cut=cut_graphs())
def test_what_is_alive_near_a_cut_is_what_is_alive_there_in_the_whole(cut: CutGraph) -> None:
    case = cut.scheduled()
    assume(case.program.layers)
    demands = Demands(case.program, Puller(case.program), keep_inputs=cut.keep_inputs)
    whole, start = demands.of(case.schedule).buffers, 0
    assert whole == case.demand.buffers
    # A copy that nobody reads keeps its place for a step, which may be the first of the next segment.
    landed = {s.name for s in case.program.storages if s.id in case.demand.landings}
    for segment in case.schedule.segments:
        end = start + len(segment.steps)
        near = demands.while_computing(range(segment.first, segment.end), case.schedule)
        for time in range(start, end):
            here, there = alive(near, time), alive(whole, time)
            assert here <= there
            assert {name for name, _, _ in there - here} <= landed
        assert all(start <= r.lower < r.upper <= end for b in near for r in b.rects)
        start = end


def alive(buffers: tuple[Buffer, ...], time: int) -> set[tuple[str, int, int]]:
    """The rectangles of all buffers at a time."""
    return {(b.name, r.start, r.stop) for b in buffers for r in b.rects if r.lower <= time < r.upper}
