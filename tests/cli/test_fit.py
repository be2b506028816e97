"""`tinygen fit`: verdicts from linked firmware and from the bound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tinygen import fit
from tinygen.boards import Board, Memory, all_boards, load_board
from tinygen.compile import CompileOptions, compile_model
from tinygen.fit.bound import STACK_BYTES, stack_bytes
from tinygen.paths import EXAMPLES
from tinygen.schedule.choose import Objective
from tinygen.source_tree import Library, SourceTree

BOARD = "stm32f746g-disco"


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setattr("tinygen.fit.linked.can_link", lambda board: False)


@pytest.fixture(scope="module")
def tree() -> SourceTree:
    return compile_model(EXAMPLES / "digits.tflite", CompileOptions())


def _with_ram(board: Board, size: int) -> Board:
    """The board with a single RAM of that many bytes."""
    data = replace(board.data[0], size=size, use=("data", "stack"))
    others: tuple[Memory, ...] = tuple(replace(m, use=()) for m in board.memories if m not in (*board.data, board.code))
    return replace(board, memories=(board.code, data, *(m for m in others if m.address > data.end)))


def _with_flash(board: Board, size: int) -> Board:
    small = replace(board.code, size=size)
    return replace(board, memories=tuple(small if m is board.code else m for m in board.memories))


def test_measured_on_the_elf(run, run_json, digits):
    pytest.importorskip("ziglang")
    found = run_json("fit", digits, "--board", BOARD)
    assert found["fits"] is True
    assert found["basis"] == "elf"
    assert found["compiler"].startswith("zig ")
    assert found["arena_bytes"] + found["stack_bytes"] <= found["ram_bytes"] < found["ram_available_bytes"]
    assert found["constant_bytes"] < found["flash_bytes"] < found["flash_available_bytes"]
    assert found["proof"] == "optimal" or found["proof"].startswith("gap ")
    assert "fits" in run("fit", digits, "--board", BOARD).stdout


def test_bound_fits(run_json, digits, no_compiler):
    found = run_json("fit", digits, "--board", BOARD)
    assert (found["fits"], found["basis"], found["compiler"]) == (True, "bound", None)


def test_all_boards_is_a_list(run, run_json, digits, no_compiler):
    found = run_json("fit", digits, "--all")["boards"]
    assert [f["board"] for f in found] == [b.id for b in all_boards()]
    assert run_json("fit", digits)["boards"] == found
    shown = run("fit", digits, "--all").stdout
    assert all(f["board"] in shown for f in found)


def test_board_and_all_exclude_each_other(run, digits):
    run("fit", digits, "--all", "--board", BOARD, exit_code=2)


@pytest.mark.parametrize("linked", [True, False])
def test_no_says_what_is_missing_and_what_would_help(run, run_json, digits, linked, monkeypatch):
    if linked:
        pytest.importorskip("ziglang")
    else:
        monkeypatch.setattr("tinygen.fit.linked.can_link", lambda board: False)
    small = _with_ram(load_board("mps2-an386"), 4096)
    monkeypatch.setattr("tinygen.cli.fit.load_board", lambda board: small)
    found = run_json("fit", digits, "--board", "small", exit_code=1)
    assert found["fits"] is False
    assert found["basis"] == ("elf" if linked else "bound")
    assert len(found["largest_buffers"]) == 3
    assert found["nearest"] in {b.id for b in all_boards()}
    shown = run("fit", digits, "--board", "small", exit_code=1).stderr
    assert "error[TG301]" in shown
    assert "4,096 are available" in shown
    assert found["nearest"] in shown


def test_no_names_the_options_that_would_fit(run, run_json, digits, monkeypatch, no_compiler):
    by_layer = compile_model(digits, CompileOptions(optimize=Objective.SPEED, keep_inputs=True))
    least = compile_model(digits, CompileOptions(optimize=Objective.RAM))
    assert least.plan.arena_bytes < by_layer.plan.arena_bytes
    monkeypatch.setattr("tinygen.fit.bound.VARIABLE_BYTES", 0)
    board = load_board("mps2-an386")
    between = _with_ram(board, fit.bounded(least, board).ram_bytes)
    monkeypatch.setattr("tinygen.cli.fit.load_board", lambda board: between)
    arguments = ("fit", digits, "--board", "small", "--optimize", "speed", "--keep-inputs")
    assert run_json(*arguments, exit_code=1)["remedy"] == "--optimize ram"
    assert "--optimize ram" in run(*arguments, exit_code=1).stderr


def test_unknown_exits_with_3(run, run_json, digits, monkeypatch, no_compiler):
    tight = _with_flash(load_board("mps2-an386"), 20_000)
    monkeypatch.setattr("tinygen.cli.fit.load_board", lambda board: tight)
    found = run_json("fit", digits, "--board", "tight", exit_code=3)
    assert found["fits"] is None
    shown = run("fit", digits, "--board", "tight", exit_code=3)
    assert "unknown" in shown.stdout
    assert "warning[TG301]" in shown.stderr
    assert "tinygen doctor" in shown.stderr


@pytest.mark.parametrize("model", ["digits", "zoo"])
@pytest.mark.parametrize("compiler", ["zig", "gcc"])
@pytest.mark.parametrize("board", ["mps2-an386", "rpi-pico", "hifive1-revb"])
def test_the_bound_is_never_below_the_elf(model, board, compiler):
    target = load_board(board)
    if not fit.is_installed(target, compiler):
        pytest.skip(f"{compiler} for {target.cpu} is not installed")
    tree = compile_model(EXAMPLES / f"{model}.tflite", CompileOptions(features=frozenset(target.features)))
    measured, bound = fit.fit_board(tree, target, compiler=compiler), fit.bounded(tree, target)
    assert measured.basis == "elf"
    assert measured.ram_bytes <= bound.ram_bytes
    assert measured.flash_bytes <= bound.flash_bytes


def test_the_bound_never_says_fits_where_it_could_be_too_small(tree):
    board = load_board("mps2-an386")
    exact = fit.bounded(tree, board)
    for ram, fits in ((exact.ram_bytes, True), (exact.ram_bytes - 4, None), (tree.plan.arena_bytes, False)):
        assert fit.bounded(tree, _with_ram(board, ram)).fits is fits
    for flash, fits in ((exact.flash_bytes, True), (exact.flash_bytes - 4, None), (tree.constant_bytes - 4, False)):
        assert fit.bounded(tree, _with_flash(board, flash)).fits is fits


def test_the_bound_never_says_fits_where_the_stack_could_be_too_small(tree):
    board = load_board("mps2-an386")
    most = stack_bytes((tree,))
    assert most > STACK_BYTES  # layers are interleaved
    for reserve, fits in ((most, True), (most - 1, None)):
        assert fit.bounded(tree, replace(board, stack_bytes=reserve)).fits is fits
    library = Library("L", "L_DIR", "", "", "", "", language="c++")
    assert fit.bounded(replace(tree, libraries=(library,)), board).fits is None


def test_a_compiler_that_was_asked_for_and_is_absent_is_an_error(run, digits, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "error[TG401]" in run("fit", digits, "--board", BOARD, "--compiler", "gcc", exit_code=1).stderr


def test_unsupported_models_have_no_verdict(run, tmp_path):
    path: Path = tmp_path / "x.tflite"
    path.write_bytes(b"")
    assert "error[TG101]" in run("fit", path, "--board", BOARD, exit_code=1).stderr
