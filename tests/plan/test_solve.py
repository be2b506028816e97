"""Plans for random rings, staircases and boxes: valid, deterministic, and optimal where they say so."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plan.shapes import box, buffer_sets, staircase
from tinygen.errors import TinygenError
from tinygen.plan.csv_io import Gap, read_csv
from tinygen.plan.model import Buffer, Plan, Rect
from tinygen.plan.solve import plan
from tinygen.plan.validate import live_bytes_bound, validate

INSTANCES = Path(__file__).parents[3] / "shared" / "minimalloc"
property_test = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def gap(result: Plan) -> int:
    return 0 if result.proof == "optimal" else int(result.proof.removeprefix("gap "))


def smallest_arena(buffers: tuple[Buffer, ...], below: int) -> int:
    """By trying all offsets, the smallest arena less than `below`, else `below`."""
    for arena in range(below):
        ranges = [range(0, arena - b.size + 1, b.alignment) for b in buffers]
        for offsets in itertools.product(*ranges):
            try:
                validate(Plan(buffers, offsets, arena, live_bytes_bound(buffers), ""))
            except TinygenError:
                continue
            return arena
    return below


@property_test
@given(buffer_sets())
def test_plans_are_valid_bounded_and_deterministic(buffers: tuple[Buffer, ...]) -> None:
    result = plan(buffers, node_budget=300)
    validate(result)
    assert result.buffers == buffers
    assert result.arena_bytes - gap(result) >= result.lower_bound
    assert plan(buffers, node_budget=300) == result


@settings(property_test, max_examples=40)
@given(buffer_sets(most=4, largest=6, shapes=False))
def test_optimal_boxes_are_optimal(buffers: tuple[Buffer, ...]) -> None:
    result = plan(buffers, node_budget=5_000)
    assert result.proof == "optimal"
    assert smallest_arena(buffers, result.arena_bytes) == result.arena_bytes


@settings(property_test, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(1, 2), st.booleans()), min_size=2, max_size=3)
)
def test_optimal_staircases_are_optimal(steps: list[tuple[int, int, int, bool]]) -> None:
    buffers = tuple(
        staircase(f"b{i}", born, rows, row_bytes, 1, dies, 0) for i, (born, rows, row_bytes, dies) in enumerate(steps)
    )
    result = plan(buffers, node_budget=5_000)
    smallest = smallest_arena(buffers, result.arena_bytes)
    assert smallest >= result.arena_bytes - gap(result)


@property_test
@given(buffer_sets(most=8), st.integers(0, 120))
def test_capacity_is_kept_or_refused(buffers: tuple[Buffer, ...], capacity: int) -> None:
    try:
        result = plan(buffers, capacity=capacity, node_budget=300)
    except TinygenError as fault:
        assert fault.code == "TG305"  # noqa: PT017
        assert plan(buffers, node_budget=300).arena_bytes > capacity
    else:
        assert result.arena_bytes <= capacity


def test_a_chain_of_layers_meets_its_bound() -> None:
    chain = [box(f"t{i}", i, i + 2, size, 4) for i, size in enumerate((100, 4000, 8000, 4000, 8000, 16, 12000, 12))]
    result = plan(chain)
    assert (result.proof, result.arena_bytes) == ("optimal", 12016)


def test_an_output_moves_in_below_the_input_that_drains() -> None:
    frame = staircase("frame", 0, 8, 16, 2, dies=True, hold=1)
    output = staircase("output", 1, 8, 16, 2, dies=False, hold=0)
    result = plan([frame, output])
    assert result.proof == "optimal"
    assert result.arena_bytes == 8 * 16 + 16


def test_a_buffer_lives_in_the_slot_between_two_rows() -> None:
    sparse = Buffer("r", 16, (Rect(0, 2, 0, 8), Rect(1, 3, 8, 16), Rect(4, 6, 0, 8), Rect(5, 7, 8, 16)), alignment=8)
    between = box("s", 2, 4, 8)
    result = plan([sparse, between, box("t", 3, 5, 8)])
    assert result.arena_bytes == 16
    assert result.offsets == (0, 0, 8)


def test_pinned_buffers_stay_where_they_are() -> None:
    result = plan([box("a", 0, 4, 10), box("p", 0, 4, 10, pinned=5), box("q", 0, 4, 3)])
    assert result.offsets == (15, 5, 0)
    assert result.proof == "optimal"


@pytest.mark.parametrize("offset", [6, -4])
def test_pins_that_break_the_alignment_are_refused(offset: int) -> None:
    with pytest.raises(TinygenError, match=f"pinned at offset {offset}") as caught:
        plan([box("p", 0, 1, 8, 4, pinned=offset)])
    assert caught.value.code == "TG304"


def test_pins_on_one_another_are_refused() -> None:
    with pytest.raises(TinygenError, match="'p' and 'q' both hold bytes") as caught:
        plan([box("p", 0, 2, 8, pinned=0), box("q", 1, 3, 8, pinned=4)])
    assert caught.value.code == "TG304"


def refusal(buffers: list[Buffer], capacity: int, node_budget: int) -> str:
    with pytest.raises(TinygenError) as caught:
        plan(buffers, capacity=capacity, node_budget=node_budget)
    assert caught.value.code == "TG305"
    return str(caught.value)


def test_too_little_capacity_names_needs_the_steps_and_the_largest_there() -> None:
    crowd = [box(name, 2, 4, size) for name, size in (("s", 1), ("m", 20), ("l", 30), ("n", 25))]
    message = refusal([box("first", 0, 2, 50), *crowd, box("long", 0, 9, 2)], 70, 0)
    assert "needed at least 78 bytes, available 70; so much is alive in each of steps 2 to 3" in message
    assert "'l' (30 bytes), 'n' (25 bytes), 'm' (20 bytes), the largest of 5" in message


def test_too_little_capacity_for_a_pinned_buffer_names_it() -> None:
    message = refusal([box("a", 0, 1, 50), box("p", 1, 2, 20, pinned=60)], 70, 0)
    assert "needed at least 80 bytes, available 70; that is where 'p' of 20 bytes, pinned at offset 60 ends" in message


def test_capacity_that_was_not_found_differs_from_one_that_cannot_be() -> None:
    buffers = [box("a", 0, 2, 1), box("b", 0, 2, 1, alignment=4), box("c", 0, 2, 1, alignment=4)]
    assert live_bytes_bound(tuple(buffers)) == 3
    message = refusal(buffers, 4, 0)
    assert "the smallest plan found needs 9 bytes, 5 more than the capacity of 4; there may be one" in message
    assert "needed at least 5 bytes, available 4; the live bytes alone would need 3" in refusal(buffers, 4, 100)


@settings(property_test, max_examples=60)
@given(buffer_sets(most=6), buffer_sets(most=6))
def test_what_shares_no_step_is_planned_apart(first: tuple[Buffer, ...], second: tuple[Buffer, ...]) -> None:
    """One after the other they need what the larger needs; a buffer of no bytes makes the grain of all plans one."""
    first, second = ((*half, box("grid", 0, 1, 0)) for half in (first, second))
    later = tuple(
        replace(b, name=f"{b.name}'", rects=tuple(replace(r, lower=r.lower + 99, upper=r.upper + 99) for r in b.rects))
        for b in second
    )
    alone = [plan(half, node_budget=1_000) for half in (first, second)]
    both = plan((*first, *later), node_budget=10_000)
    if all(half.proof == "optimal" for half in alone):
        assert (both.proof, both.arena_bytes) == ("optimal", max(half.arena_bytes for half in alone))


@pytest.mark.parametrize(("name", "nodes"), [("E", 15_000), ("G", 100_000), ("K", 100_000)])
def test_published_instances_fit_their_capacity(name: str, nodes: int) -> None:
    """E is two problems one after the other, which together took 150,000 nodes."""
    file = INSTANCES / f"{name}.1048576.csv"
    if not file.exists():
        pytest.skip(f"no {file}")
    buffers = [row.buffer() for row in read_csv(file.read_text(), file.name)]
    assert plan(buffers, capacity=1_048_576, node_budget=nodes).arena_bytes <= 1_048_576


def test_gaps_do_not_make_a_file_harder_to_fit() -> None:
    """What fits without gaps fits with them; with the steps that only they begin in, A took more than 400,000 nodes."""
    file = INSTANCES / "A.1048576.csv"
    if not file.exists():
        pytest.skip(f"no {file}")
    rows = read_csv(file.read_text(), file.name)
    buffers = [
        replace(row, gaps=(Gap((2 * row.lower + row.upper) // 3, (row.lower + 2 * row.upper) // 3, 0, 0),)).buffer()
        if i % 5 == 0 and row.upper - row.lower > 3
        else row.buffer()
        for i, row in enumerate(rows)
    ]
    assert plan(buffers, capacity=1_048_576, node_budget=30_000).arena_bytes <= 1_048_576
