"""`tinygen generate`, `fit`, `build`, `run` and `verify` with several models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tinygen import fit, oracle
from tinygen.boards import load_board
from tinygen.compile import CompileOptions, compile_models
from tinygen.paths import EXAMPLES

BOARD = "mps2-an386"
OF_A_MODEL_ALONE = {"excess_percent", "library_arena_bytes", "mlperf", "schedule_exact", "state_bytes"}
"""Keys of a project's model that the document has in `models` only."""


@pytest.fixture
def zoo() -> Path:
    """The model with one of every operator."""
    return EXAMPLES / "zoo.tflite"


def test_the_models_share_an_arena(run, run_json, digits, zoo, tmp_path):
    found = run_json("generate", digits, zoo, "--board", BOARD, "-o", tmp_path / "p")
    small, large = found["models"]
    assert [m["prefix"] for m in found["models"]] == ["digits", "zoo"]
    assert found["shared_arena"] is True
    assert found["total_arena_bytes"] == max(small["arena_bytes"], large["arena_bytes"])
    assert {key: found[key] for key in small if key not in OF_A_MODEL_ALONE} == {
        key: value for key, value in small.items() if key not in OF_A_MODEL_ALONE
    }
    manifest = json.loads((tmp_path / "p/tinygen.json").read_text())
    assert [m["prefix"] for m in manifest["models"]] == ["digits", "zoo"]
    assert manifest["sources"] == ["src/digits.c", "src/tinygen_arena.c", "src/zoo.c"]
    assert "until an input of another" in (tmp_path / "p/include/zoo.h").read_text()
    assert "share one arena" in run("generate", digits, zoo, "--board", BOARD, "-o", tmp_path / "q").stdout


def test_separate_arenas(run_json, digits, zoo, tmp_path):
    arguments = ("generate", digits, zoo, "--board", BOARD, "-o", tmp_path / "p", "--separate-arenas")
    found = run_json(*arguments)
    assert found["shared_arena"] is False
    assert found["total_arena_bytes"] == sum(m["arena_bytes"] for m in found["models"])
    assert not (tmp_path / "p/src/tinygen_arena.c").exists()
    assert "input of another" not in (tmp_path / "p/include/zoo.h").read_text()


def test_a_model_alone_is_generated_as_ever(run_json, digits, tmp_path):
    alone = run_json("generate", digits, "--board", BOARD, "-o", tmp_path / "p", "--separate-arenas")
    assert alone["shared_arena"] is False
    assert alone["total_arena_bytes"] == alone["arena_bytes"]
    assert "tinygen_arena" not in "".join(alone["files"])
    assert "include/tinygen_model_digits.h" not in alone["files"]


def test_prefixes(run, run_json, digits, tmp_path):
    to = ("--board", BOARD, "-o", tmp_path / "p")
    found = run_json("generate", digits, digits, *to, "--prefix", "one", "--prefix", "two")
    assert [m["prefix"] for m in found["models"]] == ["one", "two"]
    assert "2 models" in run("generate", digits, digits, *to, "--prefix", "one", exit_code=2).stderr


@pytest.mark.parametrize("prefixes", [(), ("a", "A"), ("a", "a_weights"), ("b_weights", "b")])
def test_prefixes_that_clash(run, digits, tmp_path, prefixes):
    other = tmp_path / "other" / "digits.tflite"
    other.parent.mkdir()
    shutil.copy(digits, other)
    options = [word for prefix in prefixes for word in ("--prefix", prefix)]
    shown = run("generate", digits, other, "--board", BOARD, "-o", tmp_path / "p", *options, exit_code=1).stderr
    assert "error[TG406]" in shown
    assert f"of {digits} and " in shown
    assert f"of {other} " in shown
    assert "--prefix once for each model" in shown


@pytest.mark.parametrize("name", ["tinygen_model", "main", "while"])
def test_prefixes_that_are_taken(run, run_json, digits, tmp_path, name):
    to = ("--board", BOARD, "-o", tmp_path / "p")
    assert "error[TG406]" in run("generate", digits, *to, "--prefix", name, exit_code=1).stderr
    shutil.copy(digits, tmp_path / f"{name}.tflite")
    assert run_json("generate", tmp_path / f"{name}.tflite", *to)["prefix"] == f"{name}_model"


def test_ir_of_each_model(run, digits, zoo, tmp_path):
    run("generate", digits, zoo, "--board", BOARD, "-o", tmp_path / "p", "--dump-ir", tmp_path / "ir")
    assert sorted(p.name for p in (tmp_path / "ir").iterdir()) == ["digits", "zoo"]
    assert all(any(p.iterdir()) for p in (tmp_path / "ir").iterdir())


def test_fit_covers_the_sum(run, run_json, digits, zoo):
    pytest.importorskip("ziglang")
    alone = run_json("fit", digits, "--board", BOARD)
    both = run_json("fit", digits, zoo, "--board", BOARD)
    separate = run_json("fit", digits, zoo, "--board", BOARD, "--separate-arenas")
    assert both["model"] == "digits, zoo"
    assert both["basis"] == "elf"
    assert both["constant_bytes"] == sum(m["constant_bytes"] for m in both["models"])
    assert both["flash_bytes"] >= alone["flash_bytes"] + both["models"][1]["constant_bytes"]
    assert both["arena_bytes"] == max(m["arena_bytes"] for m in both["models"])
    assert both["ram_bytes"] >= both["arena_bytes"] + both["stack_bytes"]
    assert separate["arena_bytes"] == sum(m["arena_bytes"] for m in both["models"])
    assert 0 <= separate["ram_bytes"] - both["ram_bytes"] - alone["arena_bytes"] < 16
    shown = run("fit", digits, zoo, "--board", BOARD).stdout
    assert "digits, zoo on mps2-an386: fits" in shown
    assert f"{both['models'][0]['arena_bytes']:,}" in shown


def test_names_do_not_matter_to_fit(run_json, digits, monkeypatch):
    monkeypatch.setattr("tinygen.fit.linked.can_link", lambda board: False)
    found = run_json("fit", digits, digits, "--all")["boards"]
    assert {f["model"] for f in found} == {"digits, digits"}
    assert run_json("fit", digits, "--board", BOARD)["arena_bytes"] == found[0]["arena_bytes"]


@pytest.mark.parametrize("separate", [False, True], ids=["shared", "separate"])
@pytest.mark.parametrize(("board", "compiler"), [(BOARD, "zig"), ("hifive1-revb", "gcc")])
def test_the_bound_of_several_is_never_below_the_elf(digits, zoo, board, compiler, separate):
    target = load_board(board)
    if not fit.is_installed(target, compiler):
        pytest.skip(f"{compiler} for {target.cpu} is not installed")
    options = CompileOptions(features=frozenset(target.features))
    trees = compile_models((digits, zoo), options, separate_arenas=separate)
    measured, bound = fit.fit_board(trees, target, compiler=compiler), fit.bounded(trees, target)
    assert measured.basis == "elf"
    assert measured.ram_bytes <= bound.ram_bytes
    assert measured.flash_bytes <= bound.flash_bytes


def test_run_and_build_select_a_model(run, run_json, digits, zoo, tmp_path):
    pytest.importorskip("ziglang")
    pytest.importorskip("unicorn")
    run("generate", digits, zoo, "--board", BOARD, "-o", tmp_path / "p")
    first = run_json("run", tmp_path / "p", "--on", "host")
    second = run_json("run", tmp_path / "p", "--on", "host", "--model", "zoo")
    assert (first["model"], second["model"]) == ("digits", "zoo")
    assert second["samples"] == run_json("run", tmp_path / "p", "--on", "unicorn", "--model", "zoo")["samples"]
    assert "zoo-bench" in run_json("build", tmp_path / "p", "--model", "zoo")["elf"]
    refused = run("run", tmp_path / "p", "--on", "host", "--model", "kws", exit_code=1).stderr
    assert "error[TG408]: found 'kws', accepted in this project: digits, zoo" in refused


@pytest.mark.parametrize("separate", [[], ["--separate-arenas"]])
def test_verify_compares_each_in_one_firmware(run_json, digits, zoo, separate):
    pytest.importorskip("ai_edge_litert")
    found = run_json("verify", digits, zoo, "--samples", 3, *separate)["verifications"]
    assert [(v["model"], v["samples"], v["mismatches"]) for v in found] == [("digits", 3, 0), ("zoo", 3, 0)]


def test_verify_says_which_model_differs(run, digits, zoo, monkeypatch):
    pytest.importorskip("ai_edge_litert")
    right = oracle.Oracle.run
    calls = iter(range(4))

    def wrong_from_the_third(self, inputs):
        late = next(calls) > 1
        return tuple(np.full_like(output, 42) if late else output for output in right(self, inputs))

    monkeypatch.setattr(oracle.Oracle, "run", wrong_from_the_third)
    result = run("verify", zoo, digits, "--samples", 2, exit_code=1)
    assert "zoo on host: 0 of 2" in result.stdout
    assert "digits on host: 2 of 2" in result.stdout
    assert "--> digits.tflite" in result.stderr
    assert "zoo.tflite" not in result.stderr


def test_verify_takes_a_file_of_inputs_for_one_model_only(run, digits, zoo):
    assert "--input is of one model" in run("verify", digits, zoo, "--input", "x.npz", exit_code=2).stderr
