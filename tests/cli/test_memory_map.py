"""The memory map: everything in the plan is in the drawing, where it belongs."""

from __future__ import annotations

import re
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from tinygen.plan.live import largest_at_peak, live_bytes
from tinygen.plan.model import Area, Buffer, Plan, Rect
from tinygen.report.memory_map import WORKING_COLOUR, colours, kind_shown, short_name, svg
from tinygen.report.terminal_map import letters, terminal_map
from tinygen.report.timeline import Stretch, Timeline, layered_timeline, timeline
from tinygen.source_tree import Layer

NAMESPACE = {"s": "http://www.w3.org/2000/svg"}
NAMED = Timeline((*"abcde",), (Stretch(0, 3, ("layers 0 to 2, interleaved", "0-2")), Stretch(3, 5, ("3 conv", "3"))))


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
    root = ElementTree.fromstring(svg(plan, NAMED, width=576, height=140))
    paths = root.findall("s:path[@class='buffer']", NAMESPACE)
    assert len(paths) == 3
    titles = [path.findtext("s:title", namespaces=NAMESPACE) for path in paths]
    assert titles[0] == "in<put> (input): 100 bytes at 0, steps 0 to 1"
    assert titles[1] == "scratch (scratch): 16 bytes at 40, step 2"
    # 500 pixels for five steps from 64 on, a pixel for a byte: x from 64 + 100 * step, y from 176 down.
    assert re.findall(r"M(\d+) (\d+)H(\d+)V(\d+)H\1z", paths[0].get("d", "")) == [("64", "76", "264", "176")]
    boxes = re.findall(r"M(\d+) (\d+)H(\d+)V(\d+)H\d+z", paths[2].get("d", ""))
    assert boxes == [("164", "36", "364", "56"), ("264", "56", "464", "76"), ("364", "36", "564", "56")]


def test_a_file_with_a_million_steps_is_drawn_by_its_changes():
    buffers = (_buffer("a", 10, 700_000, 8), _buffer("b", 600_000, 10**12, 4))
    text = svg(Plan(buffers, (0, 8), 12, 12, "optimal"))
    titles = re.findall("<title>(steps .*?)</title>", text)
    assert titles == [
        "steps 0 to 9: 0 bytes alive",
        "steps 10 to 599999: 8 bytes alive",
        "steps 600000 to 699999: 12 bytes alive (the most)",
        f"steps 700000 to {10**12 - 1}: 4 bytes alive",
    ]
    assert f"time, {10**12:,} steps" in text


def test_peak_and_bound_are_marked(plan):
    text = svg(plan, width=576, height=140)
    assert "arena 140 bytes" in text
    assert "peak 120" in text
    root = ElementTree.fromstring(text)
    titles = [title.text for title in root.findall("s:rect[@class='step']/s:title", NAMESPACE)]
    assert titles[1] == "step 1: 120 bytes alive (the most)"
    line = root.find("s:line[@class='peak']", NAMESPACE)
    assert line is not None
    assert line.get("x1") == "214"  # the middle of step 1
    bound = root.find("s:line[@class='bound']", NAMESPACE)
    assert bound is not None
    assert bound.get("y1") == "36"
    assert bound.findtext("s:title", namespaces=NAMESPACE) == "lower bound 140 bytes; the arena has 140 (optimal)"


def test_layers_are_named_below_the_time_they_take(plan):
    root = ElementTree.fromstring(svg(plan, NAMED, width=576))
    strips = [(s.get("x"), s.get("width")) for s in root.findall("s:rect[@class='strip']", NAMESPACE)]
    assert strips == [("64", "299"), ("364", "199")]
    texts = [t.text for t in root.findall("s:text", NAMESPACE)]
    assert {"layers 0 to 2, interleaved", "3 conv"} <= set(texts)


def test_landing_slots_are_hatched_in_the_colour_of_their_ring():
    ring = Buffer("a", 40, tuple(Rect(step, step + 2, 20 * (step % 2), 20 * (step % 2) + 20) for step in (1, 2, 3)))
    buffers = (_buffer("in", 0, 2, 100, "input"), ring, _buffer("a (landing)", 1, 2, 20))
    plan = Plan(buffers, (0, 100, 140), 160, 160, "optimal")
    assert colours(plan)[1] == colours(plan)[2] != colours(plan)[0]
    root = ElementTree.fromstring(svg(plan))
    hatched = root.findall("s:path[@class='hatch']", NAMESPACE)
    assert [h.get("d") for h in hatched] == [root.findall("s:path[@class='buffer']", NAMESPACE)[2].get("d")]
    assert "landing slot" in [t.text for t in root.findall("s:text", NAMESPACE)]


def _layer(index: int, op: str) -> Layer:
    return Layer(index, op, f"t{index}", "", "", 0, 0, 0, (1,))


def test_time_is_cut_where_no_layer_is_half_done():
    tree = SimpleNamespace(
        layers=tuple(map(_layer, (0, 1, 3, 4), ("CONV_2D", "ADD", "CONV_2D", "SOFTMAX"))),
        steps=(0, 0, 1, 2, 1, 2, 2, 3),
    )
    found = timeline(tree)
    assert found.steps[:4] == ("0 conv", "0 conv", "1 add", "3 conv")
    assert [(s.start, s.end, s.labels[0]) for s in found.stretches] == [
        (0, 2, "0 conv"),
        (2, 7, "layers 1 to 3, interleaved"),
        (7, 8, "4 softmax"),
    ]
    assert layered_timeline(tree).steps == ("0 conv", "1 add", "3 conv", "4 softmax")


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
        svg(plan, Timeline((*"abc",), ()))


def test_last_steps_outside_the_arena_are_drawn(plan):
    longer = Timeline((*"abcdefgh",), (Stretch(0, 8, ("layers 0 to 7, interleaved",)),))
    root = ElementTree.fromstring(svg(plan, longer))
    assert len(root.findall("s:rect[@class='step']", NAMESPACE)) == 8
    assert _lines(plan, when=longer)[-2].count("-") == 32
    nothing = Plan((), (), 0, 0, "optimal")
    assert "nothing in the arena" in svg(nothing, longer)
    assert _lines(nothing, when=longer) == []


@pytest.fixture
def spread() -> Plan:
    """The main memory at the higher address, and first in the range of offsets."""
    buffers = (_buffer("a", 0, 2, 80), _buffer("b", 1, 2, 20), _buffer("c", 2, 5, 40))
    areas = (Area("sram", 0, 80, True, 0x24000000), Area("dtcm", 80, 40, False, 0x20000000))
    return Plan(buffers, (0, 80, 80), 120, 100, "gap 20", areas)


def test_each_memory_is_a_band_with_its_name_address_and_peak(spread):
    root = ElementTree.fromstring(svg(spread, NAMED, width=576, height=240))
    sram, dtcm = groups = root.findall("s:g", NAMESPACE)
    assert _top(sram) < _top(dtcm)  # addresses ascend upwards
    titles = [[t.text for t in g.findall("s:path[@class='buffer']/s:title", NAMESPACE)] for g in groups]
    assert titles == [
        ["a (activation): 80 bytes at 0 of sram, steps 0 to 1"],
        ["b (activation): 20 bytes at 0 of dtcm, step 1", "c (activation): 40 bytes at 0 of dtcm, steps 2 to 4"],
    ]
    heads = ["".join(text.itertext()) for g in groups for text in g.findall("s:text", NAMESPACE)]
    assert {"sram: 80 bytes\u25be peak 80", "dtcm: 40 bytes\u25be peak 40"} <= set(heads)
    assert "dtcm from 0x20000000: 40 bytes" in svg(spread)
    peaks = [line.get("x1") for g in groups for line in g.findall("s:line[@class='peak']", NAMESPACE)]
    assert peaks == ["114", "314"]  # the middles of steps 0 and 2 of five in 500 pixels
    # Two pixels for a byte in either band, from 36 on.
    highest = [re.findall(r"M\d+ (\d+)H\d+V(\d+)", p.get("d", "")) for g in groups for p in _shapes(g)]
    assert highest == [[("36", "196")], [("76", "116")], [("36", "116")]]
    assert [len(g.findall("s:rect[@class='strip']", NAMESPACE)) for g in groups] == [0, 2]
    assert int(root.get("height", "")) > _top(dtcm) + 116


def _top(group: ElementTree.Element) -> int:
    return int((group.get("transform") or "").removeprefix("translate(0 ").removesuffix(")"))


def _shapes(group: ElementTree.Element) -> list[ElementTree.Element]:
    return group.findall("s:path[@class='buffer']", NAMESPACE)


def test_each_memory_has_lines_of_its_own(spread):
    sram, peak, *lines, layers = _lines(spread, when=NAMED, width=31, height=12)
    assert (sram, peak) == ("sram from 0x24000000: 80 bytes", " " * 13 + "v peak 80")
    assert {line[11:] for line in lines[:8]} == {"A" * 8 + " " * 12}
    assert (lines[0][:11], lines[8]) == ("       80 |", "        0 +--------------------")
    assert lines[9:11] == ["dtcm from 0x20000000: 40 bytes", " " * 21 + "v peak 40"]
    assert [line[11:] for line in lines[11:]] == [" " * 8 + "C" * 12] * 2 + ["    BBBBCCCCCCCCCCCC"] * 2 + ["-" * 20]
    assert layers.startswith("   layers  |0-2")


def test_short_names():
    assert short_name("model/conv1/Relu;model/bn/FusedBatchNorm") == "conv1/Relu"
    assert short_name("Identity") == "Identity"
    assert short_name("") == ""


def _lines(plan: Plan, **options: object) -> list[str]:
    return ["".join(text for text, _ in line) for line in terminal_map(plan, **options)]


def test_map_in_characters(plan):
    peak, *rows, axis, layers = _lines(plan, when=NAMED, width=31, height=7)
    assert peak == " " * 17 + "v peak 120"  # the middle of step 1 of 5 in 20 columns from 11 on
    assert rows[0] == "      140 |    BBBBBBBBBBBBBBBB"
    assert rows[1] == "          |        BBBBBBBB    "
    assert axis == "        0 +--------------------"
    assert layers == "   layers  |0-2        |3 conv"


def test_every_character_is_what_lies_at_its_middle(plan):
    rows = _lines(plan, width=31, height=14)[1:-1][::-1]
    marks = dict(zip(letters(plan), zip(plan.buffers, plan.offsets, strict=True), strict=True))
    for row, line in enumerate(rows):
        for column, found in enumerate(line[11:]):
            step, byte = (column + 0.5) / 4, (row + 0.5) * 10
            alive = [
                mark
                for mark, (buffer, base) in marks.items()
                for r in buffer.rects
                if r.lower <= step < r.upper and base + r.start <= byte < base + r.stop
            ]
            assert [found] == (alive or [" "])


def test_landing_slots_have_their_rings_letter_in_lower_case():
    buffers = (_buffer("x", 0, 1, 4), _buffer("a (landing)", 1, 2, 20), _buffer("a", 1, 2, 20))
    assert letters(Plan(buffers, (0, 0, 20), 40, 40, "optimal")) == ("A", "b", "B")


def test_a_map_of_nothing_in_characters():
    assert _lines(Plan((), (), 0, 0, "optimal")) == []


def test_landing_slots_are_called_that():
    assert kind_shown("a (landing)", "activation") == "landing slot"
    assert kind_shown("a", "scratch") == "scratch"
