"""The runner `qemu`: equal outputs and counts as Unicorn for the same ELF, and no process or wait that does not end."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.emulated.trivial_model import Fault, trivial_inputs, trivial_output, trivial_tree
from tests.requirement import require
from tinygen.boards import all_boards, load_board
from tinygen.build.builder import build_project
from tinygen.compile import CompileOptions, compile_model
from tinygen.errors import TinygenError
from tinygen.project import Project, write_project
from tinygen.protocol import BenchClient
from tinygen.run import find_runner, qemu, unicorn
from tinygen.run.emulator import socket_line
from tinygen.run.emulator.machine import Machine, Program
from tinygen.run.emulator.session import EmulatedSession
from tinygen.run.qemu_system import process, program

MODELS = Path(__file__).resolve().parents[2].parent / "shared" / "models"
BOARDS = [board for board in all_boards() if board.emulators.qemu is not None]
BOTH = [board.id for board in BOARDS if board.core.unicorn_model is not None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("zig", "unicorn", "qemu", "cc")
    return tmp_path_factory.mktemp("projects")


@functools.cache
def project(folder: Path, board: str) -> Project:
    return write_project(trivial_tree(), load_board(board), folder / board)


@pytest.fixture
def session(folder: Path) -> Iterator[EmulatedSession]:
    written = project(folder, "mps2-an386")
    with qemu.RUNNER.open(written, written.path / "build", compiler="zig") as opened:
        yield opened


def _process(opened: EmulatedSession) -> subprocess.Popen[bytes]:
    target = opened._target
    assert isinstance(target, process.QemuMachine)
    return target._process


def _compare(project: Project, compiler: str, inputs: Sequence[NDArray[Any]]) -> None:
    """Two inferences on both emulators: outputs, counts, layers and stack are equal."""
    on_unicorn, on_qemu = (
        _measured(runner.open(project, project.path / "build", compiler=compiler), inputs)
        for runner in (unicorn.RUNNER, qemu.RUNNER)
    )
    np.testing.assert_equal(on_qemu.outputs, on_unicorn.outputs)
    assert on_qemu.runs == on_unicorn.runs
    assert on_qemu.layers == on_unicorn.layers
    assert on_qemu.stack_bytes == on_unicorn.stack_bytes
    assert (on_qemu.kind, on_qemu.counter, on_qemu.runner) == ("emulated", "instructions", "qemu")


def _measured(opened: EmulatedSession, inputs: Sequence[NDArray[Any]]) -> Any:
    with opened:
        return opened.measure(inputs, runs=2)


def test_a_variable_of_a_board_that_runs(folder: Path) -> None:
    """Initialised by the start-up code, before the greeting."""
    written = project(folder, "mps2-an386")
    built = build_project(written, written.path / "build", compiler="zig")
    named = Program.of(built.elf, written.model.prefix, written.model.layer_slots)
    values = []
    for board in (Machine(written.board, written.path, named), process.QemuMachine(written.board, named)):
        BenchClient(board).boot()
        values.append((board.word("tg_running_layer"), board.word("tg_inferences")))
        board.close()
    assert values == [(0xFFFF_FFFF, 0)] * 2


@pytest.mark.parametrize("board", BOTH)
def test_equal_outputs_and_counts(folder: Path, board: str) -> None:
    _compare(project(folder, board), "zig", trivial_inputs())


@pytest.mark.parametrize("board", ["mps2-an386", "hifive1-revb"])
def test_equal_outputs_and_counts_of_the_other_compiler(folder: Path, board: str) -> None:
    require("riscv" if board == "hifive1-revb" else "gcc")
    _compare(project(folder, board), "gcc", trivial_inputs())


@pytest.mark.parametrize(("model", "board"), [("kws", "mps2-an500"), ("ad", "mps2-an386"), ("ad", "hifive1-revb")])
def test_a_real_model(folder: Path, tmp_path: Path, model: str, board: str) -> None:
    path = MODELS / f"{model}.tflite"
    if not path.exists():
        pytest.skip(f"there is no {path}")
    target = load_board(board)
    tree = compile_model(path, CompileOptions(features=frozenset(target.features)))
    generator = np.random.default_rng(0)
    inputs = [generator.integers(-128, 128, spec.shape).astype(spec.dtype) for spec in tree.inputs]
    _compare(write_project(tree, target, tmp_path), "zig", inputs)


@pytest.mark.parametrize("board", [board.id for board in BOARDS if board.id not in BOTH])
def test_boards_unicorn_has_no_core_for(folder: Path, board: str) -> None:
    written = project(folder, board)
    inputs = trivial_inputs()
    found = _measured(qemu.RUNNER.open(written, written.path / "build", compiler="zig"), inputs)
    np.testing.assert_array_equal(found.outputs[0], trivial_output(*inputs))
    assert found.runs[0] == found.runs[1] > 0
    assert all(layer.count > 0 for layer in found.layers)


@pytest.mark.parametrize(
    ("board", "fault", "text"),
    [
        ("mps2-an386", Fault.CALL_NULL, "usage fault in 0x0*: jump without the Thumb bit"),
        ("mps2-an386", Fault.READ, "bus fault in .* at 0xa0000000"),
        ("mps2-an386", Fault.STACK, "the core locked up, a fault within a fault, in "),
        ("mps3-an547", Fault.STACK, "bus fault.*: .*stack overflow at 0x2fff"),
        ("hifive1-revb", Fault.STACK, "trap fault in .*: store access fault at 0x7fff"),
        ("hifive1-revb", Fault.READ, "trap fault in .*: load access fault at 0xa0000000"),
    ],
)
def test_the_firmware_reports_its_own_faults(folder: Path, board: str, fault: Fault, text: str) -> None:
    written = project(folder, board)
    with qemu.RUNNER.open(written, written.path / "build", compiler="zig") as opened:
        with pytest.raises(TinygenError, match=text) as caught:
            opened.infer(trivial_inputs(fault))
        assert caught.value.code == "TG501"
        (output,) = opened.infer(trivial_inputs())
    np.testing.assert_array_equal(output, trivial_output(*trivial_inputs()))


def test_a_loop_that_never_ends(session: EmulatedSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session.infer(trivial_inputs())
    monkeypatch.setattr(socket_line, "_GRACE_SECONDS", 0.5)
    monkeypatch.setattr(socket_line, "_SLOWEST_PER_SECOND", 10**12)
    looping = _process(session)
    with pytest.raises(TinygenError, match="has not answered in") as caught:
        session.infer(trivial_inputs(Fault.LOOP))
    assert caught.value.code == "TG502"
    assert looping.returncode == -signal.SIGKILL


def test_qemu_ends_and_the_next_inference_starts_it_again(session: EmulatedSession) -> None:
    session.infer(trivial_inputs())
    _process(session).kill()
    with pytest.raises(TinygenError, match="QEMU ended with exit code -9") as caught:
        session.infer(trivial_inputs())
    assert caught.value.code == "TG519"
    (output,) = session.infer(trivial_inputs())
    np.testing.assert_array_equal(output, trivial_output(*trivial_inputs()))


def test_qemu_says_why_it_ends(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "machine_name", lambda board: "no-such-machine")
    written = project(folder, "mps2-an386")
    with pytest.raises(TinygenError, match="unsupported machine type") as caught:
        qemu.RUNNER.open(written, written.path / "build", compiler="zig")
    assert caught.value.code == "TG519"


def test_nothing_is_left_when_tinygen_is_killed(folder: Path) -> None:
    """Not even by a signal that no program can handle: the plugin notices."""
    written = project(folder, "mps2-an386")
    code = (
        "import sys, time; from pathlib import Path; from tinygen.project import load_project;"
        "from tinygen.run.qemu import RUNNER;"
        "s = RUNNER.open(load_project(Path(sys.argv[1])), Path(sys.argv[2]), compiler='zig');"
        "print(s._target._process.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(written.path), str(written.path / "build")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        os.kill(pid, 0)
        holder.kill()
    for _ in range(600):
        if not _lives(pid):
            return
        time.sleep(0.1)
    pytest.fail("QEMU has outlived tinygen by a minute")


def _lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("lacking", "text"), [("compiled", "no C compiler"), ("takes_plugins", "built without plugins")]
)
def test_without_a_plugin_outputs_and_no_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, lacking: str, text: str
) -> None:
    monkeypatch.setattr(program, lacking, lambda *_, **__: None)
    written = project(folder, "mps2-an386")
    with qemu.RUNNER.open(written, written.path / "build", compiler="zig") as opened:
        (output,) = opened.infer(trivial_inputs())
        np.testing.assert_array_equal(output, trivial_output(*trivial_inputs()))
        with pytest.raises(TinygenError, match=text) as caught:
            opened.measure(trivial_inputs())
    assert caught.value.code == "TG520"


def test_qemu_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TinygenError, match="apt install qemu-system-arm") as caught:
        find_runner("qemu")
    assert caught.value.code == "TG411"
    with pytest.raises(TinygenError, match="qemu-system-riscv32 is not installed") as caught:
        program.find_qemu(load_board("hifive1-revb").core)
    assert caught.value.code == "TG411"


@pytest.mark.parametrize(("said", "found"), [("QEMU emulator version 6.1.0", "6.1.0"), ("nonsense", "no version")])
def test_qemu_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, found: str) -> None:
    script = tmp_path / "qemu-system-arm"
    script.write_text(f"#!/bin/sh\necho {said}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(TinygenError, match=f"found .* of version {found}, accepted: 7.2") as caught:
        program.find_qemu(load_board("mps2-an386").core)
    assert caught.value.code == "TG411"


def test_boards_qemu_does_not_have(folder: Path) -> None:
    written = project(folder, "rpi-pico")
    with pytest.raises(TinygenError, match="QEMU has no machine for rpi-pico") as caught:
        qemu.RUNNER.open(written, written.path / "build", compiler="zig")
    assert caught.value.code == "TG503"
