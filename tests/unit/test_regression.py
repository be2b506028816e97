"""Benchmarks against older ones: what changed, what got too much worse, and files that cannot be compared."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tinygen.bench import BenchLayer, Benchmark, Provenance
from tinygen.errors import TinygenError
from tinygen.regression import read_benchmarks, regression
from tinygen.report.document import plain
from tinygen.report.terminal import regression_lines

LAYERS = tuple(
    BenchLayer(i, op, op.lower(), n, None, 10, 4, (1, 2), "tg_x") for i, op, n in ((0, "CONV_2D", 90), (3, "ADD", 9))
)
NEW = Benchmark(
    model="kws",
    board="mps2-an386",
    runner="unicorn",
    kind="emulated",
    instructions=100,
    cycles=None,
    seconds=None,
    runs=(100,),
    arena_bytes=1000,
    state_bytes=0,
    lower_bound_bytes=1000,
    proof="optimal",
    schedule_exact=True,
    excess_percent=0.0,
    ram_bytes=5000,
    ram_available_bytes=10000,
    memories=(),
    flash_bytes=0,
    flash_available_bytes=10000,
    constant_bytes=0,
    stack_bytes=100,
    outputs_match=True,
    compared_with="LiteRT",
    layers=LAYERS,
    energy=None,
    provenance=Provenance("0.1", "ab", "c", "litert", "zig", (), "unicorn", 0),
)


def _old(**changes: object) -> dict[str, object]:
    return plain(replace(NEW, **changes))  # type: ignore[arg-type, return-value]


def test_nothing_changed():
    found = regression("old.json", [_old()], [NEW], max_regression=0)
    assert not found.regressed
    assert found.compared[0].layers == ()
    assert {c.percent for c in found.compared[0].figures if c.before} == {0.0}


@pytest.mark.parametrize(
    ("before", "limit", "regressed"), [(98, 2, True), (99, 2, False), (99, None, False), (101, 0, False)]
)
def test_past_the_threshold(before, limit, regressed):
    found = regression("old.json", [_old(instructions=before)], [NEW], max_regression=limit)
    assert found.regressed is regressed
    if regressed:
        assert "REGRESSED more than 2 % above old.json" in list(regression_lines(found))


def test_what_was_nothing_has_no_percent():
    change = next(
        c
        for c in regression("o", [_old()], [replace(NEW, flash_bytes=1)], max_regression=50).compared[0].figures
        if c.name == "flash_bytes"
    )
    assert (change.percent, change.regressed) == (None, True)


def test_layers_that_changed_came_or_went():
    old = _old(layers=(replace(LAYERS[0], instructions=80), BenchLayer(7, "MUL", "m", 5, None, 0, 0, (1,), "tg_x")))
    layers = regression("old.json", [old], [NEW]).compared[0].layers
    assert [(x.index, x.op, x.before, x.after) for x in layers] == [
        (0, "CONV_2D", 80, 90),
        (3, "ADD", None, 9),
        (7, "MUL", 5, None),
    ]


def test_benchmarks_without_a_counterpart_are_named():
    old = [_old(), _old(model="vww")]
    found = regression("old.json", old, [NEW, replace(NEW, runner="qemu")])
    assert found.only_before == ("vww mps2-an386 unicorn c",)
    assert found.only_after == ("kws mps2-an386 qemu c",)
    with pytest.raises(TinygenError, match="TG531"):
        regression("old.json", old, [replace(NEW, model="ic")])


def test_instructions_are_not_compared_with_cycles():
    layers = tuple(replace(x, instructions=None, cycles=x.instructions) for x in LAYERS)
    with pytest.raises(TinygenError, match="counted in cycles then"):
        regression("old.json", [_old(instructions=None, cycles=90, layers=layers)], [NEW])


def test_both_kinds_of_documents_are_read(tmp_path):
    path = tmp_path / "old.json"
    for content, count in ((_old(), 1), ({"benchmarks": [_old(), _old(model="vww")]}, 2)):
        path.write_text(json.dumps(content), encoding="utf-8")
        assert len(read_benchmarks(path)) == count


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "3", '{"benchmarks": 3}', '{"benchmarks": [{}]}', "[" * 100_000, '{"errors": []}']
)
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "old.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TinygenError, match="TG531"):
        read_benchmarks(path)


def test_a_count_that_is_no_number_is_refused(tmp_path):
    path = tmp_path / "old.json"
    path.write_text(json.dumps({**_old(), "instructions": "many"}), encoding="utf-8")
    with pytest.raises(TinygenError, match="TG531"):
        read_benchmarks(path)
