"""`tinygen tune`: the document and the table, from a file that has everything, and command lines that make no sense."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.ops.builder import TensorDef
from tests.ops.strategies import int8
from tests.ops.test_fully_connected import dense
from tests.requirement import require
from tinygen.backends.utvm.decision import Decision, Dot
from tinygen.backends.utvm.tuning import Target, Tuning, save_tuning

BOARD = "mps2-an500"
TUNED = Path(__file__).resolve().parents[1] / "golden" / "digits.tuning.json"


def test_a_complete_file_is_only_shown(run, run_json, digits, tmp_path, monkeypatch):
    require("tvm", "unicorn", "zig")
    from tinygen import tune

    # Counting is tests/backends/test_tune.py's; here every candidate costs its number.
    numbers = iter(range(1000, 9999))
    monkeypatch.setattr(tune, "_results", lambda executor, trials, ahead: ((name, next(numbers)) for name, _ in trials))
    file = tmp_path / "digits.tuning.json"
    found = run_json("tune", digits, "--board", BOARD, "--compiler", "zig", "--tuning", file, "--workers", 1)
    assert found["measured"] > 0
    assert found["reused"] == 0
    assert found["instructions"] < found["untuned_instructions"]
    assert "cortex-m7 with dsp" in found["target"]
    text = run("tune", digits, "--board", BOARD, "--compiler", "zig", "--tuning", file, "--workers", 1).stdout
    assert f"0 candidates counted, {found['measured']} were there" in text
    assert f"--tuning {file}" in text
    used = run("generate", digits, "--backend", "utvm", "--board", BOARD, "--tuning", file, "-o", tmp_path / "project")
    assert "arena" in used.stdout
    assert "tuned by digits.tuning.json" in (tmp_path / "project" / "src" / "digits.c").read_text()


@pytest.fixture
def small(tmp_path):
    """A model of few candidates."""
    weights = TensorDef.constant(int8(np.random.default_rng(1), (2, 6)), [0.003])
    path = tmp_path / "small.tflite"
    path.write_bytes(dense(TensorDef.activation((1, 6)), weights, None, TensorDef.activation((1, 2))))
    return path


def test_several_boards_have_a_file_each_and_an_interrupted_search_says_that_it_is_kept(
    run, run_json, small, monkeypatch, tmp_path
):
    require("tvm", "unicorn", "zig")
    from tinygen import tune

    def interrupted(executor, trials, ahead):
        yield next(iter(trials))[0], 1000
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    used = ("tune", small, "--board", f"{BOARD},mps2-an386", "--compiler", "zig", "--workers", 1)
    monkeypatch.setattr(tune, "_results", interrupted)
    stopped = run(*used, exit_code=130)
    assert f"small-{BOARD}.tuning.json has what was counted so far" in stopped.output
    monkeypatch.setattr(tune, "_results", lambda executor, trials, ahead: ((name, 2000) for name, _ in trials))
    first, second = run_json(*used)["tunings"]
    assert (first["board"], first["reused"]) == (BOARD, 1)
    assert (second["board"], second["reused"]) == ("mps2-an386", 0)
    assert first["measured"] + 1 == second["measured"]
    assert {path.name for path in tmp_path.glob("*.json")} == {
        f"small-{BOARD}.tuning.json",
        "small-mps2-an386.tuning.json",
    }
    both = run(*used, "--tuning", "x.json", exit_code=2)
    assert "--tuning is of one board" in both.output


def test_schedules_and_what_they_were_counted_for_are_kept_and_compared(run, run_json, digits, tmp_path):
    require("tvm", "zig")
    used = ("--backend", "utvm", "--board", BOARD, "--tuning", TUNED)
    inspected = {o["index"]: o["schedule"] for o in run_json("inspect", digits, *used)["operators"]}
    assert inspected[2] == "3x2, 8 taps, wide dot"
    assert inspected[3] is None
    run("generate", digits, *used, "-o", tmp_path / "p")
    (model,) = json.loads((tmp_path / "p" / "tinygen.json").read_text())["models"]
    assert {layer["index"]: layer["schedule"] or None for layer in model["layers"]}[2] == inspected[2]
    assert model["tuned_for"] == "cortex-m7, arm-none-eabi-gcc 12.2.1 -O2"
    built = run("build", tmp_path / "p", "--compiler", "zig")
    assert "warning[TG434]: found schedules that were counted for cortex-m7, arm-none-eabi-gcc 12.2.1" in built.output
    assert "in a build for cortex-m7, zig " in built.output


def test_what_a_file_cannot_be_used_for(run, digits, tmp_path):
    require("tvm")
    missing = run("verify", digits, "--backend", "utvm", "--tuning", tmp_path / "x.json", exit_code=1)
    assert "error[TG430]: cannot read" in missing.output
    shape = "CONV_2D: 8x8x1 to 8x8x16, window 3x3, stride 1x1, dilation 1x1, padding 1x1x1x1, positive"
    of_this = Tuning(Target("cortex-m7", ("dsp",), "gcc 12.2.1", "-O2"))
    for decision, expected in (
        (
            Decision(2, 2, 4, dot=Dot.WIDE),
            "error[TG431]: the tuning is for cortex-m7 with dsp, gcc 12.2.1 -O2, and the core",
        ),
        (Decision(2, 99, 3), "error[TG430]: the tuning has '2x99, 3 taps' for CONV_2D"),
    ):
        save_tuning(of_this.having(shape, decision, 5), tmp_path / "x.json")
        wrong = run("verify", digits, "--backend", "utvm", "--tuning", tmp_path / "x.json", exit_code=1)
        assert expected in wrong.output


def test_command_lines_that_make_no_sense(run, digits, tmp_path):
    both = run("tune", digits, "--board", BOARD, "--workers", 2, "--scheduler", "tcp://x:1", exit_code=2)
    assert "--workers and --scheduler exclude each other" in both.output
    other = run("generate", digits, "--board", BOARD, "--tuning", tmp_path / "x", "-o", tmp_path / "p", exit_code=2)
    assert "--tuning is for --backend utvm" in other.output
