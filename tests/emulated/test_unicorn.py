"""The emulated boards: outputs, exact counts in C and in Python, and faults with the names of what they hit."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from tests.emulated.trivial_model import Fault, trivial_inputs, trivial_output, trivial_tree
from tests.requirement import require
from tinygen.boards import Board, all_boards, load_board
from tinygen.build.builder import build_project
from tinygen.errors import TinygenError
from tinygen.project import Project, write_project
from tinygen.run.emulator.block_counter import native_library
from tinygen.run.emulator.machine import Machine, Program
from tinygen.run.emulator.session import EmulatedSession
from tinygen.run.unicorn import RUNNER

BOARDS = [board.id for board in all_boards() if board.core.unicorn_model is not None]
QEMU_BOARDS = [board.id for board in all_boards() if board.emulators.qemu is not None]
ARM, RISCV = "mps2-an386", "hifive1-revb"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("zig", "unicorn")
    return tmp_path_factory.mktemp("projects")


@functools.cache
def project(folder: Path, board: str) -> Project:
    return write_project(trivial_tree(), load_board(board), folder / board)


@functools.cache
def session(folder: Path, board: str, *, native: bool | None = None) -> EmulatedSession:
    written = project(folder, board)
    return RUNNER.open(written, written.path / "build", compiler="zig", native_counter=native)


@pytest.mark.parametrize("board", BOARDS)
def test_every_board_boots_and_infers(folder: Path, board: str) -> None:
    inputs = trivial_inputs()
    for _ in range(2):
        (output,) = session(folder, board).infer(inputs)
        np.testing.assert_array_equal(output, trivial_output(*inputs))


@pytest.mark.parametrize("board", all_boards(), ids=lambda board: board.id)
def test_boards_say_where_they_ran(board: Board) -> None:
    """The tests of this folder run every board Unicorn has a core for, and in QEMU those of test_qemu.py."""
    assert ("unicorn" in board.verified) == (board.id in BOARDS)
    assert ("qemu" in board.verified) == (board.id in QEMU_BOARDS)


def test_no_model_of_the_m55(folder: Path) -> None:
    with pytest.raises(TinygenError, match="Unicorn has no cortex-m55") as caught:
        session(folder, "mps3-an547")
    assert caught.value.code == "TG503"


@pytest.mark.parametrize("board", [ARM, "rpi-pico", RISCV])
def test_counts_in_c_equal_counts_in_python(folder: Path, board: str) -> None:
    require("cc")
    in_c, in_python = (
        session(folder, board, native=native).measure(trivial_inputs(), runs=2) for native in (True, False)
    )
    assert in_c.runs == in_python.runs
    assert in_c.layers == in_python.layers
    assert in_c.runs[0] == in_c.runs[1] > 0
    assert in_c.stack_bytes == in_python.stack_bytes > 0


def test_without_a_cache_folder_python_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert native_library.__wrapped__() is None


def test_layers_add_up_to_the_profiling_build(folder: Path) -> None:
    """All but what is outside of layers: the loop over four rows, and the calls that each begin and end one."""
    written = project(folder, ARM)
    measurement = session(folder, ARM).measure(trivial_inputs())
    assert [(x.index, x.op, x.name) for x in measurement.layers] == [(0, "MUL", "doubled"), (2, "ADD", "z")]
    built = build_project(written, written.path / "build", compiler="zig", profile=True)
    program = Program(built.elf, "trivial_invoke", "trivial_layer_begin", "trivial_layer_end", 3)
    machine = Machine(written.board, written.path, program)
    _infer_raw(machine)
    inside = sum(machine.counter.layers)
    assert inside == sum(x.count for x in measurement.layers)
    # The hooks' bodies run inside invoke and outside of layers, so the difference is them and the loop: as often as
    # rows times layers, and nothing that grows with a layer's work.
    outside = machine.counter.count - inside
    assert 0 < outside < 4 * 2 * 80


def test_the_measurement_says_emulated(folder: Path) -> None:
    measurement = session(folder, ARM).measure(trivial_inputs())
    assert (measurement.kind, measurement.counter, measurement.clock_hz) == ("emulated", "instructions", None)
    assert measurement.compiler.startswith("zig ")


@pytest.mark.parametrize(
    ("fault", "board", "text"),
    [
        (Fault.WRITE_FLASH, ARM, r"write of 1 bytes at 0x0000\w{4} \(ssram1, read-only\) in misbehave"),
        (Fault.STACK, ARM, r"stack overflow in overflow_stack \(\w+\): write at 0x1fff\w{4}, below ssram23"),
        (Fault.CALL_NULL, ARM, r"jump to 0x00000000 .* from trivial_\w+ "),
        (Fault.RUN_RAM, ARM, r"jump to 0x2000\w{4} \(ssram23, not executable\) from trivial_\w+ "),
        (Fault.READ, ARM, r"read of 1 bytes at 0xa0000000 \(no memory\) in misbehave"),
        (Fault.WRITE_FLASH, RISCV, r"write of 1 bytes at 0x2001\w{4} \(flash, read-only\) in misbehave"),
        (Fault.STACK, RISCV, r"stack overflow in overflow_stack \(\w+\): write at 0x7fff\w{4}, below dtim"),
        (Fault.CALL_NULL, RISCV, r"jump to 0x00000000 \(null\) from trivial_\w+ "),
        (Fault.RUN_RAM, RISCV, r"jump to 0x8000\w{4} \(dtim, not executable\) from trivial_\w+ "),
        (Fault.READ, RISCV, r"read of 1 bytes at 0xa0000000 \(no memory\) in misbehave"),
        (Fault.TRAP, ARM, r"undefined instruction in misbehave"),
        (Fault.TRAP, RISCV, r"undefined instruction in misbehave"),
        (Fault.TRAP, "rpi-pico", r"undefined instruction in misbehave"),
        (Fault.STATUS, ARM, r"invoke function returned 3, success is 0"),
    ],
)
def test_faults_name_function_access_and_layer(folder: Path, fault: Fault, board: str, text: str) -> None:
    opened = session(folder, board)
    with pytest.raises(TinygenError, match=text) as caught:
        opened.infer(trivial_inputs(fault))
    assert caught.value.code == "TG501"
    if fault is not Fault.STATUS:
        assert "in layer #2 ADD 'z'" in str(caught.value)
    inputs = trivial_inputs()
    np.testing.assert_array_equal(opened.infer(inputs)[0], trivial_output(*inputs))


@pytest.mark.parametrize("native", [True, False])
def test_a_loop_without_end_uses_up_its_budget(folder: Path, native: bool) -> None:
    if native:
        require("cc")
    written = project(folder, ARM)
    built = build_project(written, written.path / "build", compiler="zig")
    machine = Machine(written.board, written.path, Program(built.elf, "trivial_invoke", "", "", 3), native=native)
    machine.budget = 10_000
    with pytest.raises(TinygenError, match="ran 10,000 instructions without an answer, last in misbehave") as caught:
        _infer_raw(machine, Fault.LOOP)
    assert caught.value.code == "TG502"


@pytest.mark.parametrize(
    "inputs",
    [
        trivial_inputs()[:1],
        (trivial_inputs()[0].astype(np.uint8), trivial_inputs()[1]),
        (trivial_inputs()[0][0], trivial_inputs()[1]),
    ],
)
def test_inputs_that_do_not_match(folder: Path, inputs: tuple[np.ndarray, ...]) -> None:
    with pytest.raises(TinygenError) as caught:
        session(folder, ARM).infer(inputs)
    assert caught.value.code == "TG505"


def _infer_raw(machine: Machine, first: int = 1) -> None:
    from tinygen.protocol import BenchClient

    client = BenchClient(machine)
    client.boot()
    for index, array in enumerate(trivial_inputs(first)):
        client.load(index, array.tobytes())
    client.infer()
