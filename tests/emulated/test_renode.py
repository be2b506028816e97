"""The runner `renode`: commands and counts with a stand-in for the executable, and with a real Renode where one is."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.emulated.trivial_model import Fault, trivial_inputs, trivial_output, trivial_tree
from tests.requirement import need, require
from tinygen.boards import all_boards, load_board
from tinygen.errors import TinygenError
from tinygen.project import Project, write_project
from tinygen.project.renode import renode_script
from tinygen.run import find_runner, renode, unicorn
from tinygen.run.renode_system.machine import RenodeMachine
from tinygen.run.renode_system.program import VARIABLE, find_renode, renode_program, renode_version

HERE = Path(__file__).parent
BOARDS = [board for board in all_boards() if board.emulators.renode is not None]
PLAIN = ["stm32f4-discovery", "stm32f746g-disco", "arduino-nano-33-ble", "hifive1-revb"]
"""One for each kind of UART."""
INPUTS = trivial_inputs()
REAL = renode_program()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("zig", "unicorn")
    return tmp_path_factory.mktemp("with spaces")


@functools.cache
def project(folder: Path, board: str) -> Project:
    return write_project(trivial_tree(), load_board(board), folder / board)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """TINYGEN_RENODE names the stand-in."""
    script = tmp_path / "renode"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={HERE.parents[1]} exec {sys.executable} {HERE / "fake_renode.py"} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(script))
    monkeypatch.setenv("FAKE_RENODE_PREFIX", "trivial")
    renode_version.cache_clear()
    yield monkeypatch
    renode_version.cache_clear()


@pytest.mark.parametrize("board", PLAIN)
def test_equal_outputs_and_counts(folder: Path, fake: pytest.MonkeyPatch, board: str) -> None:
    """Two inferences and the layers, counted by the hooks as Unicorn's own counter counts them."""
    written = project(folder, board)
    fake.setenv("FAKE_RENODE_PROJECT", str(written.path))
    with renode.RUNNER.open(written, written.path / "build", compiler="zig") as session:
        found = session.measure(INPUTS, runs=2)
    with unicorn.RUNNER.open(written, written.path / "build", compiler="zig") as session:
        right = session.measure(INPUTS, runs=2)
    np.testing.assert_array_equal(found.outputs[0], trivial_output(*INPUTS))
    assert (found.runs, found.layers, found.stack_bytes) == (right.runs, right.layers, right.stack_bytes)
    assert (found.runner, found.kind, found.counter) == ("renode", "emulated", "instructions")


def test_executed_instructions(folder: Path, fake: pytest.MonkeyPatch) -> None:
    written = project(folder, PLAIN[0])
    fake.setenv("FAKE_RENODE_PROJECT", str(written.path))
    with renode.RUNNER.open(written, written.path / "build", compiler="zig") as session:
        session.infer(INPUTS)
        target = session._target
        assert isinstance(target, RenodeMachine)
        before = target.executed()
        session.infer(INPUTS)
        assert target.executed() - before > session.instructions > 0


def test_a_fault_and_the_next_inference(folder: Path, fake: pytest.MonkeyPatch) -> None:
    written = project(folder, PLAIN[0])
    fake.setenv("FAKE_RENODE_PROJECT", str(written.path))
    with renode.RUNNER.open(written, written.path / "build", compiler="zig") as session:
        with pytest.raises(TinygenError) as caught:
            session.infer(trivial_inputs(Fault.STATUS))
        assert caught.value.code == "TG501"
        np.testing.assert_array_equal(session.infer(INPUTS)[0], trivial_output(*INPUTS))


@pytest.mark.parametrize(
    ("name", "value", "code", "text"),
    [
        ("FAKE_RENODE_ENDS", "1", "TG519", "exit code 1\nUnhandled exception: there is no .NET here"),
        ("FAKE_RENODE_DIES_AT", "start", "TG519", "Renode ended with exit code 3"),
        ("FAKE_RENODE_VERSION", "Renode v1.15.3\n  build: 1a2b3c4d-202409010101", "TG412", "found Renode 1.15.3"),
        ("FAKE_RENODE_VERSION", "nonsense", "TG412", "does not say its version"),
    ],
)
def test_what_can_go_wrong(folder: Path, fake: pytest.MonkeyPatch, name: str, value: str, code: str, text: str) -> None:
    written = project(folder, PLAIN[0])
    fake.setenv(name, value)
    with pytest.raises(TinygenError, match=text) as caught:
        renode.RUNNER.open(written, written.path / "build", compiler="zig")
    assert caught.value.code == code


def test_a_command_that_renode_refuses(folder: Path, fake: pytest.MonkeyPatch) -> None:
    written = project(folder, PLAIN[0])
    fake.setenv("FAKE_RENODE_PROJECT", str(written.path))
    with renode.RUNNER.open(written, written.path / "build", compiler="zig") as session:
        target = session._target
        assert isinstance(target, RenodeMachine)
        with pytest.raises(TinygenError, match="refused 'cppu'\nNo such command or device: cppu") as caught:
            target._monitor.run("cppu")
    assert caught.value.code == "TG521"


@pytest.mark.parametrize(
    ("version", "works"),
    [
        ("Renode v1.16.1\n  build: 9f2e1a7b4-202602160412", False),
        ("Renode v1.16.1\n  build: 1.16.1+20260818git0c7d07620", True),
        ("Renode v1.17.0\n  build: 1234abcd-202612010000", True),
    ],
)
def test_helium_needs_a_newer_renode(fake: pytest.MonkeyPatch, version: str, works: bool) -> None:
    fake.setenv("FAKE_RENODE_VERSION", version)
    board = load_board("ek-ra8m1")
    if works:
        assert find_renode(board)
    else:
        with pytest.raises(TinygenError, match=r"newer than 1\.16\.1") as caught:
            find_renode(board)
        assert caught.value.code == "TG412"


def test_renode_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TinygenError, match="renode is not installed") as caught:
        find_runner("renode")
    assert caught.value.code == "TG412"
    monkeypatch.setenv(VARIABLE, "/nowhere/renode")
    with pytest.raises(TinygenError, match="names /nowhere/renode, which is no program") as caught:
        find_renode(load_board(PLAIN[0]))
    assert caught.value.code == "TG412"


def test_boards_renode_does_not_have() -> None:
    with pytest.raises(TinygenError, match="Renode has no platform for rpi-pico") as caught:
        find_renode(load_board("rpi-pico"))
    assert caught.value.code == "TG503"


@pytest.mark.parametrize("board", ["stm32f4-discovery", "hifive1-revb"])
def test_the_script_to_the_letter(board: str) -> None:
    golden = HERE / "renode_scripts" / f"{board}.resc"
    assert renode_script(load_board(board)) == golden.read_text(encoding="utf-8")


def test_a_platform_with_a_counter_of_its_own_gets_none(tmp_path: Path) -> None:
    text = Path(load_board("stm32f4-discovery").file).read_text(encoding="utf-8")
    other = tmp_path / "stm32f4-discovery.toml"
    other.write_text(re.sub(r"(?m)^renode_uart.*", r"\g<0>\nrenode_dwt = true", text))
    assert "DWT" not in renode_script(load_board(str(other)))


@pytest.mark.parametrize("board", [board.id for board in BOARDS])
def test_a_real_renode(folder: Path, board: str) -> None:
    need("renode", REAL is not None, "renode")
    require("zig", "unicorn")
    written = project(folder, board)
    try:
        find_renode(written.board)
    except TinygenError as problem:
        pytest.skip(str(problem))
    with renode.RUNNER.open(written, written.path / "build", compiler="zig") as session:
        found = session.measure(INPUTS, runs=2)
    np.testing.assert_array_equal(found.outputs[0], trivial_output(*INPUTS))
    if written.board.core.unicorn_model is not None:
        with unicorn.RUNNER.open(written, written.path / "build", compiler="zig") as session:
            right = session.measure(INPUTS, runs=2)
        assert (found.runs, found.layers) == (right.runs, right.layers)
