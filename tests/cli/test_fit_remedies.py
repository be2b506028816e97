"""What `fit` says besides yes and no: the bound of the stack, what would help, what keeping the inputs costs."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.fit_matrix import shrunk
from tests.requirement import require
from tinygen import fit
from tinygen.boards import Board, load_board
from tinygen.build.builder import build_project
from tinygen.build.objects import ObjectCache
from tinygen.build.stack import StackBound, stack_bound
from tinygen.compile import CompileOptions, compile_model
from tinygen.paths import EXAMPLES
from tinygen.project import write_project
from tinygen.run.unicorn import RUNNER
from tinygen.samples import random_sample
from tinygen.schedule.choose import Objective
from tinygen.tflite import read_model

BOARD = "mps2-an386"


def use(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinygen.cli.fit.load_board", lambda name: board)


def test_less_ram_is_tried_before_it_is_named(run_json, digits, monkeypatch):
    require("zig")
    board = load_board(BOARD)
    arguments = ("fit", digits, "--board", "small", "--optimize", "speed")
    speed = run_json("fit", digits, "--board", BOARD, "--optimize", "speed")
    ram = run_json("fit", digits, "--board", BOARD, "--optimize", "ram")
    assert ram["ram_bytes"] < speed["ram_bytes"]
    use(shrunk(board, ram["ram_bytes"], 1 << 20), monkeypatch)
    found = run_json(*arguments, exit_code=1)
    assert found["remedy"] == "--optimize ram"
    assert found["missing_ram_bytes"] == speed["ram_bytes"] - ram["ram_bytes"]
    use(shrunk(board, ram["ram_bytes"] - 4, 1 << 20), monkeypatch)
    assert run_json(*arguments, exit_code=1)["remedy"] is None


def test_less_flash_is_tried_before_it_is_named(run, run_json, digits, monkeypatch):
    require("zig")
    board = load_board(BOARD)
    small = run_json("fit", digits, "--board", BOARD, "-O", "s")
    large = run_json("fit", digits, "--board", BOARD)
    assert small["flash_bytes"] < large["flash_bytes"]
    use(shrunk(board, 1 << 16, small["flash_bytes"]), monkeypatch)
    found = run_json("fit", digits, "--board", "small", exit_code=1)
    assert found["remedy"] == "-O s --optimize balanced"
    assert found["missing_flash_bytes"] == large["flash_bytes"] - small["flash_bytes"]
    run("fit", digits, "--board", "small", *found["remedy"].split())


def test_a_board_with_memory_outside_the_chip_is_told_of_it() -> None:
    board = load_board("stm32f746g-disco")
    data = replace(board.data[0], size=4096, use=("data", "stack"))
    others = tuple(replace(m, use=()) for m in board.memories if m.kind.startswith("external"))
    small = replace(board, stack_bytes=2048, memories=(board.code, data, *others))
    tree = compile_model(EXAMPLES / "digits.tflite", CompileOptions())
    found = fit.bounded(tree, small)
    assert found.fits is None
    assert found.external_memory == "sdram"


@pytest.mark.parametrize(("bound", "fits"), [(4096, True), (4104, False), (None, None)])
def test_the_stack_decides_too(run_json, digits, monkeypatch, bound, fits):
    require("zig")
    monkeypatch.setattr(
        "tinygen.fit.linked.stack_bound", lambda elf: StackBound(bound, None if bound else "it calls itself")
    )
    found = run_json("fit", digits, "--board", BOARD, exit_code={True: 0, False: 1, None: 3}[fits])
    assert found["fits"] is fits
    assert found["stack_bytes"] == 4096
    assert found["stack_bound_bytes"] == bound


def test_what_keeping_the_inputs_costs(run, run_json, digits):
    kept = run_json("fit", digits, "--board", BOARD, "--keep-inputs")
    consumed = run_json("fit", digits, "--board", BOARD)
    assert consumed["keep_inputs_bytes"] is None
    assert kept["keep_inputs_bytes"] == kept["arena_bytes"] - consumed["arena_bytes"] > 0
    shown = run("fit", digits, "--board", BOARD, "--keep-inputs").stdout
    assert f"costs {kept['keep_inputs_bytes']:,} bytes of arena" in shown


def test_generate_tells_the_cost_too(run_json, digits, tmp_path):
    kept = run_json("generate", digits, "--board", BOARD, "-o", tmp_path / "kept", "--keep-inputs")
    consumed = run_json("generate", digits, "--board", BOARD, "-o", tmp_path / "consumed")
    assert consumed["keep_inputs_bytes"] is None
    assert kept["keep_inputs_bytes"] == kept["arena_bytes"] - consumed["arena_bytes"] > 0


@pytest.mark.parametrize("command", ["generate", "fit", "verify", "bench"])
def test_a_budget_that_cannot_be_met_names_the_least(run, digits, tmp_path, command):
    places = {"generate": ("-o", tmp_path / "out"), "verify": ("--on", "host"), "bench": ("--on", "unicorn")}
    where = () if command == "verify" else ("--board", BOARD)
    shown = run(command, digits, *where, *places.get(command, ()), "--ram-budget", 100, exit_code=1).stderr
    assert "error[TG305]" in shown
    assert "no schedule needs at most 100 bytes of arena, the least found needs " in shown
    assert re.search(r"--ram-budget \d+ can be had", shown)


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
@pytest.mark.parametrize("board", ["rpi-pico", BOARD, "hifive1-revb"])
def test_no_run_uses_more_stack_than_the_bound(board: str, compiler: str, tmp_path: Path) -> None:
    """The painted stack of the bench program, whose call graph has the model and the serial protocol."""
    require("unicorn")
    target = load_board(board)
    if not fit.is_installed(target, compiler):
        pytest.skip(f"{compiler} for {target.cpu} is not installed")
    model = EXAMPLES / "zoo.tflite"
    options = CompileOptions(optimize=Objective.RAM, features=frozenset(target.features))
    project = write_project(compile_model(model, options), target, tmp_path / "project")
    with RUNNER.open(project, tmp_path / "build", compiler=compiler) as session:
        used = session.measure(random_sample(read_model(model), 0, 0)).stack_bytes
    found = stack_bound(build_project(project, tmp_path / "again", compiler=compiler).elf)
    assert found.bytes is not None, found.reason
    assert 0 < used <= found.bytes <= target.stack_bytes


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_shared_objects_change_nothing(compiler: str, tmp_path: Path) -> None:
    tree = compile_model(EXAMPLES / "digits.tflite", CompileOptions(features=frozenset({"dsp"})))
    objects = ObjectCache(tmp_path / "objects")
    for board in (load_board(BOARD), load_board("stm32f4-discovery")):
        if not fit.is_installed(board, compiler):
            pytest.skip(f"{compiler} for {board.cpu} is not installed")
        project = write_project(tree, board, tmp_path / board.id)
        alone = build_project(project, tmp_path / "alone", compiler=compiler, program="minimal")
        shared = build_project(project, tmp_path / "shared", compiler=compiler, program="minimal", objects=objects)
        assert alone.sizes == shared.sizes
    assert len(list((tmp_path / "objects").glob("*.o"))) == 1
