"""What the bench firmware does around a model: full speed, the trigger pin, and weights checked before their use."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from tests.emulated.trivial_model import trivial_inputs, trivial_tree
from tests.requirement import require
from tinygen.boards import all_boards, load_board
from tinygen.build.builder import build_project
from tinygen.compile import CompileOptions, compile_model
from tinygen.errors import TinygenError
from tinygen.paths import EXAMPLES
from tinygen.project import Project, write_project
from tinygen.protocol import BenchClient
from tinygen.run.emulator.machine import Machine, Program
from tinygen.source_tree import SourceTree

BOARDS = [board for board in all_boards() if board.core.unicorn_model is not None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("zig", "unicorn")
    return tmp_path_factory.mktemp("boards")


@functools.cache
def _built(folder: Path, board: str) -> tuple[Project, Path]:
    project = write_project(trivial_tree(), load_board(board), folder / board)
    return project, build_project(project, folder / board / "build", compiler="zig").elf


def _machine(project: Project, elf: Path) -> Machine:
    prefix = project.model.prefix
    return Machine(project.board, project.path, Program(elf, f"{prefix}_invoke", "", "", project.model.layer_slots))


@pytest.mark.parametrize("board", [board.id for board in BOARDS])
def test_every_board_reaches_its_clock(folder: Path, board: str) -> None:
    project, elf = _built(folder, board)
    hello = BenchClient(_machine(project, elf)).boot()
    clock = project.board.clock
    expected = dict(project.board.port.defines)["TG_CLOCK_HZ"] if clock is None else clock.hz
    assert (hello.clock_hz, hello.clock_fallback) == (expected, None)


@pytest.mark.parametrize("board", [board.id for board in BOARDS if board.clock is not None])
def test_without_its_hardware_every_clock_falls_back(folder: Path, board: str) -> None:
    """No register ever reads as the steps wait for: the firmware says which, and every register is as it was."""
    project, elf = _built(folder, board)
    port = project.path / "firmware" / "ports" / project.board.port.family / "port.toml"
    whole = port.read_text()
    start = whole.index("preset = [")
    port.write_text(whole[:start] + whole[whole.index("\n\n", start) :])
    try:
        machine = _machine(project, elf)
    finally:
        port.write_text(whole)
    hello = BenchClient(machine).boot()
    assert project.board.clock is not None
    waited = [step.register for step in project.board.clock.steps if step.kind == "WAIT"]
    assert hello.clock_fallback in waited
    assert hello.clock_hz == dict(project.board.port.defines)["TG_CLOCK_HZ"]
    for step in project.board.clock.steps:
        if step.kind == "WRITE" and "ENR" not in step.register and "RESETS" not in step.register:
            assert int.from_bytes(machine._uc.mem_read(step.address, step.width // 8), "little") & step.mask == 0, step


@pytest.mark.parametrize("board", [board.id for board in BOARDS if board.trigger is not None])
def test_the_trigger_pin_is_high_while_the_model_runs(folder: Path, board: str) -> None:
    import unicorn

    project, elf = _built(folder, board)
    trigger = project.board.trigger
    assert trigger is not None
    machine = _machine(project, elf)
    events: list[object] = []

    def write(_uc: Any, _kind: int, address: int, _size: int, value: int, _user: object) -> None:
        for step in (trigger.high, trigger.low):
            if (address, value & step.mask) == (step.address, step.value):
                events.append(step)

    for address in {trigger.high.address, trigger.low.address}:
        machine._uc.hook_add(unicorn.UC_HOOK_MEM_WRITE, write, begin=address, end=address + 3)
    invoke = machine._address(f"{project.model.prefix}_invoke") & ~1
    machine._uc.hook_add(unicorn.UC_HOOK_CODE, lambda *_: events.append("invoke"), begin=invoke, end=invoke)
    client = BenchClient(machine)
    client.boot()
    for index, array in enumerate(trivial_inputs()):
        client.load(index, array.tobytes())
    client.infer()
    assert events == [trigger.high, "invoke", trigger.low]


@functools.cache
def _digits() -> SourceTree:
    return compile_model(EXAMPLES / "digits.tflite", CompileOptions())


@pytest.mark.parametrize("board", ["mps2-an386", "rpi-pico", "esp32-c3"])
def test_damaged_weights_are_not_used(tmp_path: Path, board: str) -> None:
    require("zig", "unicorn")
    project = write_project(_digits(), load_board(board), tmp_path)
    elf = build_project(project, tmp_path / "build", compiler="zig").elf
    assert BenchClient(_machine(project, elf)).boot().weights == "intact"
    whole = bytearray(elf.read_bytes())
    whole[_offset(elf, "digits_06_weights") + 5] ^= 0x10
    damaged = tmp_path / "damaged.elf"
    damaged.write_bytes(whole)
    machine = _machine(project, damaged)
    client = BenchClient(machine)
    assert client.boot().weights == "damaged"
    assert machine.read_line().startswith(b"tg error reason=weights sum=")
    client.load(0, np.zeros(project.model.inputs[0].shape, np.int8).tobytes())
    with pytest.raises(TinygenError) as caught:
        client.infer()
    assert caught.value.code == "TG508"
    assert client.memory().stack > 0
    assert client.hello().weights == "damaged"


def test_weights_that_cannot_be_read_back_are_not_called_intact(folder: Path) -> None:
    project, elf = _built(folder, "mps2-an386")
    assert BenchClient(_machine(project, elf)).boot().weights == "unchecked"


def _offset(elf: Path, symbol: str) -> int:
    """Where in the file a variable's first byte is."""
    with elf.open("rb") as file:
        parsed = ELFFile(file)
        found = next(s for s in parsed.get_section_by_name(".symtab").iter_symbols() if s.name == symbol)
        section = parsed.get_section(found["st_shndx"])
        return int(section["sh_offset"] + found["st_value"] - section["sh_addr"])
