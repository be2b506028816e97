"""The memory map: everything in the plan is in the drawing, where it belongs."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tinygen.plan.live import largest_at_peak, live_bytes
from tinygen.plan.model import Buffer, Plan, Rect
from tinygen.report.memory_map import WORKING_COLOUR, colours, short_name, svg

NAMESPACE = {"s": "http://www.w3.org/2000/svg"}


def _buffer(name: str, lower: int, upper: int, size: int, kind: str = "activation") -> Buffer:
    return Buffer(name, size, (Rect(lower, upper, 0, size),), kind=kind)


@pytest.fixture
def plan() -> Plan:
    ring = Buffer("ring", 40, tuple(Rect(step, step + 2, 20 * (step % 2), 20 * (step % 2) + 20) for step in (1, 2, 3)))
    buffers = (_buffer("in<put>", 0, 2, 100, "input"), _buffer("scratch", 2, 3, 16, "scratch"), ring)
    return Plan(buffers, (0, 40, 100), 140, 140, "optimal")


def test_live_bytes_by_step(plan):
    assert live_bytes(plan) == (100, 120, 56, 40, 20)
    assert [b.name for b in largest_at_peak(plan, 3)] == ["in<put>", "ring"]


def test_every_rectangle_is_drawn_at_its_place(plan):
    root = ElementTree.fromstring(svg(plan, [*"abcde"], width=576, height=140))
    paths = root.findall("s:path[@class='buffer']", NAMESPACE)
    assert len(paths) == 3
    titles = [path.findtext("s:title", namespaces=NAMESPACE) for path in paths]
    assert titles[0] == "in<put> (input): 100 bytes at 0, steps 0 to 1"
    assert titles[1] == "scratch (scratch): 16 bytes at 40, step 2"
    # 500 pixels for five steps from 64 on, a pixel for a byte: x from 64 + 100 * step, y from 170 down.
    assert re.findall(r"M(\d+) (\d+)H(\d+)V(\d+)H\1z", paths[0].get("d", "")) == [("64", "70", "264", "170")]
    boxes = re.findall(r"M(\d+) (\d+)H(\d+)V(\d+)H\d+z", paths[2].get("d", ""))
    assert boxes == [("164", "30", "364", "50"), ("264", "50", "464", "70"), ("364", "30", "564", "50")]


def test_peak_and_bound_are_marked(plan):
    text = svg(plan, width=900)
    assert "peak: 120 bytes alive in step 1" in text
    assert "arena 140 bytes, dashed: lower bound 140 bytes" in text
    band = ElementTree.fromstring(text).find("s:rect[@class='band']/s:title", NAMESPACE)
    assert band is not None
    assert band.text == "step 1, 1: 120 bytes alive (the most)"


def test_neighbours_differ_and_scratch_is_grey(plan):
    first, scratch, ring = colours(plan)
    assert scratch == WORKING_COLOUR
    assert len({first, scratch, ring}) == 3


def test_many_thin_steps_stay_well_formed():
    buffers = tuple(_buffer(f"b{i}", i, i + 2, 1 + i % 7) for i in range(3000))
    root = ElementTree.fromstring(svg(Plan(buffers, (0,) * 3000, 7, 7, "optimal"), width=350))
    assert len(root.findall("s:path[@class='buffer']", NAMESPACE)) == 3000


def test_a_plan_of_nothing():
    ElementTree.fromstring(svg(Plan((), (), 0, 0, "optimal")))


def test_names_must_be_as_many_as_steps(plan):
    with pytest.raises(ValueError, match="3 names for 5 steps"):
        svg(plan, ["a", "b", "c"])


def test_short_names():
    assert short_name("model/conv1/Relu;model/bn/FusedBatchNorm") == "conv1/Relu"
    assert short_name("Identity") == "Identity"
    assert short_name("") == ""
