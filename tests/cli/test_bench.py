"""`tinygen bench` and `tinygen run`."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tinygen import oracle
from tinygen.boards import load_board
from tinygen.compile import CompileOptions, compile_model
from tinygen.fit import fit_board
from tinygen.tflite import read_model

pytest.importorskip("unicorn")
pytest.importorskip("ziglang")

BOARD = "mps2-an386"


class _Page(HTMLParser):
    """Counts elements and remembers what a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: dict[str, int] = {}
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] = self.elements.get(tag, 0) + 1
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("bench")


def test_document_and_report(run_json, digits, small):
    found = run_json("bench", digits, "--board", BOARD, "--on", "unicorn", "--report", small / "x.html")
    assert (found["kind"], found["cycles"], found["seconds"]) == ("emulated", None, None)
    assert found["outputs_match"] is True
    layers = found["layers"]
    operators = [op.origin.op_index for op in read_model(digits).ops]
    assert [layer["index"] for layer in layers] == sorted({layer["index"] for layer in layers})
    assert {layer["index"] for layer in layers} <= set(operators)
    counted = sum(layer["instructions"] for layer in layers)
    assert 0.9 * found["instructions"] < counted < 1.1 * found["instructions"]
    assert 0 < found["stack_bytes"] < found["ram_bytes"]

    tree = compile_model(digits, CompileOptions(features=frozenset(load_board(BOARD).features)))
    fit = fit_board(tree, load_board(BOARD))
    assert (found["ram_bytes"], found["flash_bytes"]) == (fit.ram_bytes, fit.flash_bytes)
    assert (found["arena_bytes"], found["proof"]) == (fit.arena_bytes, fit.proof)

    text = (small / "x.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert page.fetched == []
    assert "@import" not in text
    assert not re.search(r"url\((?!#)|<script", text)
    assert page.elements["svg"] == 2
    assert page.elements["tr"] == 1 + len(layers)
    assert f"{found['instructions']:,}" in text
    assert all(f">{layer['kernel']}</code>" in text for layer in layers)
    assert found["provenance"]["model_sha256"] in text
    assert str(Path.home()) not in text
    assert str(small) not in text
    assert "emulated" in text
    assert "/tmp" not in text


def test_text(run, digits):
    shown = run("bench", digits, "--board", BOARD, "--on", "unicorn").stdout
    assert re.search(r"inference [\d,]+ instructions \(emulated\)", shown)
    assert "instructions (emulated)" in shown.split("\n\n")[1]


def test_without_the_oracle_the_reference_is_named(run_json, digits, monkeypatch):
    monkeypatch.setattr(oracle, "available", lambda: False)
    found = run_json("bench", digits, "--board", BOARD, "--on", "unicorn")
    assert found["outputs_match"] is True
    assert "numpy reference" in found["compared_with"]


def test_wrong_outputs_are_an_error(run, run_json, digits, monkeypatch):
    monkeypatch.setattr(oracle.Oracle, "run", lambda self, inputs: (np.full((1, 10), 99, np.int8),))
    assert run_json("bench", digits, "--board", BOARD, "--on", "unicorn", exit_code=1)["outputs_match"] is False
    result = run("bench", digits, "--board", BOARD, "--on", "unicorn", exit_code=1)
    assert "DIFFER" in result.stdout
    assert "error[TG504]" in result.stderr


def test_report_that_cannot_be_written_is_found_before_the_work(run, digits, small, monkeypatch):
    monkeypatch.setattr("tinygen.cli.bench.bench", None)
    for path in (small / "no" / "such" / "x.html", small):
        result = run("bench", digits, "--board", BOARD, "--on", "unicorn", "--report", path, exit_code=1)
        assert "error[TG403]" in result.stderr


def test_the_host_counts_nothing(run, digits):
    assert "error[TG503]" in run("bench", digits, "--board", BOARD, "--on", "host", exit_code=1).stderr


def test_boards_and_runners_side_by_side(run, run_json, digits, small):
    many = ("bench", digits, "--board", f"{BOARD},mps3-an547", "--on", "unicorn", "--report", small / "many.html")
    found = run_json(*many, exit_code=1)
    assert [b["board"] for b in found["benchmarks"]] == [BOARD]
    assert [(u["board"], u["errors"][0]["code"]) for u in found["unmeasured"]] == [("mps3-an547", "TG503")]
    assert found["regression"] is None
    result = run("bench", digits, "--board", f"{BOARD},mps2-an500", "--on", "unicorn", "--report", small / "many.html")
    assert re.search(r"mps2-an386 instructions \(emulated\) +mps2-an500 instructions \(emulated\)", result.stdout)
    page = _Page()
    page.feed((small / "many.html").read_text(encoding="utf-8"))
    assert page.fetched == []
    assert page.elements["svg"] == 4


def test_nothing_could_be_measured(run, run_json, digits):
    arguments = ("bench", digits, "--board", "mps3-an547", "--on", "unicorn,host")
    assert run_json(*arguments, exit_code=1)["benchmarks"] == []
    assert "error[TG503]" in run(*arguments, exit_code=1).stderr


def test_several_models_are_one_firmware(run_json, digits, small):
    other = small / "other.tflite"
    other.write_bytes(digits.read_bytes())
    found = run_json("bench", digits, other, "--board", BOARD, "--on", "unicorn")["benchmarks"]
    alone = run_json("bench", digits, "--board", BOARD, "--on", "unicorn")
    assert [b["model"] for b in found] == ["digits", "other"]
    assert found[0]["flash_bytes"] == found[1]["flash_bytes"] > alone["flash_bytes"] + alone["constant_bytes"]
    assert all(b["outputs_match"] for b in found)


def test_runs_are_listed(run, run_json, digits):
    found = run_json("bench", digits, "--board", BOARD, "--on", "unicorn", "--runs", 3)
    assert found["runs"] == [found["instructions"]] * 3
    assert "p99" in run("bench", digits, "--board", BOARD, "--on", "unicorn", "--runs", 3).stdout


def test_compare_with_an_older_benchmark(run, run_json, digits, small):
    bench = ("bench", digits, "--board", BOARD, "--on", "unicorn")
    old = run_json(*bench)
    old["layers"][0]["instructions"] -= 1
    old["instructions"] = round(old["instructions"] / 1.03)
    (small / "old.json").write_text(json.dumps(old), encoding="utf-8")
    compare = (*bench, "--compare", small / "old.json")
    assert run_json(*compare)["regression"]["compared"][0]["layers"][0]["index"] == old["layers"][0]["index"]
    assert "REGRESSED" in run(*compare, "--max-regression", "2%", exit_code=1).stdout
    assert "REGRESSED" not in run(*compare, "--max-regression", "4").stdout


@pytest.mark.parametrize(
    "options",
    [
        ("--max-regression", "2%"),
        ("--accuracy", "0.9"),
        ("--compare", "x.json", "--max-regression", "-1%"),
        ("--compare", "x.json", "--max-regression", "much"),
    ],
)
def test_options_that_mean_nothing_alone(run, digits, options):
    run("bench", digits, "--board", BOARD, "--on", "unicorn", *options, exit_code=2)
    run("bench", digits, "--board", f"{BOARD},", "--on", "unicorn", exit_code=2)


def test_energy_beside_the_count(run_json, run, digits, small):
    trace = small / "trace.csv"
    trace.write_text("time(ms),current(mA),d0\n1,2,0\n2,2,1\n3,2,1\n4,2,0\n", encoding="utf-8")
    energy = ("--energy", trace, "--voltage", 3, "--accuracy", 0.9)
    bench = ("bench", digits, "--board", BOARD, "--on", "unicorn", *energy, "--report", small / "energy.html")
    found = run_json(*bench)["energy"]
    assert found["joules"] == pytest.approx(12e-6)
    assert found["edge_score"] == pytest.approx(0.9 / 12e-6)
    assert "12.00 uJ" in run(*bench).stdout
    assert "Edge Score" in (small / "energy.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project(small, request) -> Path:
    from tinygen.paths import EXAMPLES
    from tinygen.project import write_project

    board = load_board(BOARD)
    tree = compile_model(EXAMPLES / "digits.tflite", CompileOptions(features=frozenset(board.features)))
    return write_project(tree, board, small / "project").path


@pytest.mark.parametrize("runner", ["host", "unicorn"])
def test_run_prints_the_outputs_of_every_sample(run, run_json, project, digits, small, runner):
    pytest.importorskip("ai_edge_litert")
    inputs = np.random.default_rng(0).integers(-128, 128, (2, 1, 8, 8, 1)).astype(np.int8)
    np.save(small / "x.npy", inputs)
    found = run_json("run", project, "--on", runner, "--input", small / "x.npy")
    litert = oracle.Oracle(digits)
    for sample, image in zip(found["samples"], inputs, strict=True):
        assert sample["outputs"][0]["data"] == litert.run((image,))[0].ravel().tolist()
    shown = run("run", project, "--on", runner, "--input", small / "x.npy").stdout
    assert "sample 1  Identity int8 [1x10]:" in shown


def test_run_without_input_takes_zeros(run_json, project):
    assert run_json("run", project, "--on", "host")["input"] == "zeros"


def test_run_with_bad_input(run, project, small):
    np.save(small / "bad.npy", np.zeros((3, 3), np.float64))
    result = run("run", project, "--on", "host", "--input", small / "bad.npy", exit_code=1)
    assert "error[TG505]" in result.stderr
    assert "found float64" in result.stderr
    assert "accepted: int8" in result.stderr


def test_run_of_something_else(run, small):
    assert "error[TG405]" in run("run", small, "--on", "host", exit_code=1).stderr
    assert "error[TG405]" in run("run", small / "absent", "--on", "host", exit_code=1).stderr
