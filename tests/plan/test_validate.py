"""The validator finds every kind of violation, and says which buffers, which step and which bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.plan.shapes import box, ring, staircase
from tinygen.errors import TinygenError
from tinygen.plan.model import Buffer, Plan, Rect
from tinygen.plan.validate import live_bytes_bound, validate


def good() -> Plan:
    buffers = (box("a", 0, 2, 8, 4), box("b", 1, 3, 12, 4), box("c", 2, 4, 8, 4, pinned=0))
    return Plan(buffers, offsets=(0, 8, 0), arena_bytes=20, lower_bound=20, proof="optimal")


def refused(plan: Plan) -> str:
    with pytest.raises(TinygenError) as caught:
        validate(plan)
    assert caught.value.code == "TG304"
    return str(caught.value)


def test_a_good_plan_passes() -> None:
    validate(good())
    validate(Plan((), (), 0, 0, "optimal"))


def test_overlap_names_both_buffers_step_and_bytes() -> None:
    message = refused(replace(good(), offsets=(0, 4, 0)))
    assert "'a' and 'b'" in message
    assert "[4, 8)" in message
    assert "step 1" in message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"offsets": (0, 8)}, "3 buffers but 2 offsets"),
        ({"offsets": (0, -4, 0)}, "negative offset -4"),
        ({"offsets": (0, 9, 0), "arena_bytes": 24}, "not aligned to 4"),
        ({"offsets": (0, 8, 4), "arena_bytes": 24}, "pinned at offset 0 but placed at 4"),
        ({"arena_bytes": 16}, "leaves the arena of 16 bytes"),
        ({"lower_bound": 16}, "states a lower bound of 16 bytes, the live bytes give 20"),
        ({"lower_bound": 24}, "states a lower bound of 24 bytes, the live bytes give 20"),
    ],
)
def test_each_violation_is_found(change: dict[str, object], words: str) -> None:
    assert words in refused(replace(good(), **change))


@pytest.mark.parametrize(
    ("rect", "words"),
    [
        (Rect(3, 3, 0, 4), "which is empty"),
        (Rect(0, 1, 0, 9), "bytes [0, 9) are outside"),
        (Rect(0, 1, -1, 4), "bytes [-1, 4) are outside"),
    ],
)
def test_malformed_buffers_are_found(rect: Rect, words: str) -> None:
    assert words in refused(Plan((Buffer("x", 8, (rect,)),), (0,), 8, 8, "optimal"))


def test_a_tensor_may_move_in_below_one_that_drains() -> None:
    drains = staircase("in", 0, 4, 10, 1, dies=True, hold=0)
    fills = staircase("out", 1, 4, 10, 1, dies=False, hold=0)
    bound = live_bytes_bound((drains, fills))
    assert bound == 40
    validate(Plan((drains, fills), (0, 0), 40, bound, "optimal"))
    message = refused(Plan((drains, fills), (0, 10), 50, bound, "gap 10"))
    assert "'in' and 'out'" in message
    assert "[10, 20)" in message


def test_slots_of_a_ring_are_free_between_two_rows() -> None:
    sparse = Buffer("r", 8, (Rect(0, 2, 0, 8), Rect(4, 6, 0, 8)))
    validate(Plan((sparse, box("s", 2, 4, 8)), (0, 0), 8, 8, "optimal"))
    assert "step 4" in refused(Plan((box("s", 3, 5, 8), sparse), (0, 0), 8, 16, "optimal"))


def test_the_bound_counts_shared_rows_once_and_rounds_to_the_common_alignment() -> None:
    rewritten = Buffer("r", 8, (Rect(0, 3, 0, 8), Rect(2, 5, 0, 8)))
    assert live_bytes_bound((rewritten,)) == 8
    assert live_bytes_bound((box("a", 0, 1, 5, 4), box("b", 0, 1, 5, 16))) == 16
    assert live_bytes_bound((box("a", 0, 1, 5), box("b", 0, 1, 5))) == 10
    assert live_bytes_bound((ring("r", 0, 6, 3, 5, 1, alignment=4),)) == 16
