"""Buffers over several memories: within each capacity, the hottest in the fastest, and nothing where nothing fits."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plan.shapes import box, buffer_sets
from tinygen.plan.model import Buffer, Rect
from tinygen.plan.regions import Region, spread


@settings(derandomize=True, deadline=None, max_examples=60)
@given(buffer_sets(most=8), st.integers(0, 80), st.integers(0, 80), st.randoms(use_true_random=False))
def test_every_buffer_is_in_one_region_within_its_capacity(
    buffers: tuple[Buffer, ...], fast: int, main: int, random: Random
) -> None:
    regions = (Region("fast", fast), Region("main", main, main=True))
    found = spread(buffers, regions, [random.random() for _ in buffers])
    if found is None:
        return
    capacity = {region.name: region.capacity for region in regions}
    for area in found.areas:
        assert area.bytes <= capacity[area.region]
    for buffer, offset in zip(found.buffers, found.offsets, strict=True):
        inside = [a for a in found.areas if a.start <= offset and offset + buffer.size <= a.start + a.bytes]
        assert inside
        assert buffer.pinned is None or inside[0].main


def test_the_hottest_buffer_is_in_the_fast_region() -> None:
    buffers = [box("cold", 0, 4, 64), box("hot", 0, 4, 64), box("warm", 0, 4, 64)]
    found = spread(buffers, (Region("fast", 64), Region("main", 200, main=True)), [1, 9, 3])
    assert found is not None
    assert [(area.region, area.start, area.bytes) for area in found.areas] == [("main", 0, 128), ("fast", 128, 64)]
    assert found.offsets[1] == 128


def test_two_that_share_no_region_need_both() -> None:
    buffers = [box("a", 0, 2, 60), box("b", 1, 3, 50)]
    regions = (Region("small", 56), Region("main", 64, main=True))
    found = spread(buffers, regions, [1, 1])
    assert found is not None
    assert found.offsets == (0, 64)
    assert spread(buffers, (Region("small", 55), Region("main", 64, main=True)), [1, 1]) is None


def test_an_area_starts_where_every_buffer_is_aligned() -> None:
    wide = Buffer("wide", 1, (Rect(0, 1, 0, 1),), alignment=16)
    found = spread([box("a", 0, 1, 24), wide], (Region("fast", 16), Region("main", 24, main=True)), [1, 9])
    assert found is not None
    assert found.offsets == (0, 32)
