"""The command that programs each board, with its own tool and with every other that can."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.requirement import need
from tinygen.boards import FLASH_TOOLS, all_boards, load_board
from tinygen.errors import TinygenError
from tinygen.flash import Firmware, choose_tool, tools
from tinygen.flash.uf2 import FAMILIES

BOARDS = all_boards()
REAL = [board for board in BOARDS if board.flash is not None]

COMMANDS = {
    ("arduino-nano-33-ble", None): "bossac -U -i -e -w x -R",
    ("ek-ra8m1", None): "pyocd flash -W -t r7fa8m1ahecbd x",
    ("esp32-c3", None): "esptool --chip esp32c3 write-flash 0x0 x",
    ("hifive1-revb", None): "openocd -f board/sifive-hifive1-revb.cfg -c program x verify reset exit",
    ("nrf52840dk", "openocd"): "openocd -f board/nordic_nrf52_dk.cfg -c program x verify reset exit",
    ("rpi-pico", "openocd"): "openocd -f interface/cmsis-dap.cfg -f target/rp2040.cfg -c program x verify reset exit",
    ("rpi-pico", None): "cp x DRIVE",
    ("rpi-pico", "picotool"): "picotool load -v -x x -t elf",
    ("stm32f746g-disco", None): "openocd -f board/stm32f746g-disco.cfg -c program x verify reset exit",
    ("stm32f746g-disco", "st-flash"): "st-flash --reset write x 0x08000000",
    ("stm32f746g-disco", "pio"): "pio run -d p -t upload",
}  # fmt: skip


def firmware(board_id: str, name: str | None, image: str = "x", **options: object) -> tuple[str, ...]:
    """The command for a board with a tool."""
    board = load_board(board_id)
    tool, target = choose_tool(board, name)
    nothing = Firmware(Path("p"), board, Path(image), target, None, None, None)
    return tool.command(replace(nothing, **options))


@pytest.mark.parametrize(("board", "tool"), COMMANDS)
def test_commands(board: str, tool: str | None) -> None:
    assert " ".join(firmware(board, tool)) == COMMANDS[board, tool]


def test_ports_probes_and_drives() -> None:
    assert firmware("esp32-c3", None, port="COM3")[3:5] == ("--port", "COM3")
    assert firmware("arduino-nano-33-ble", None, port="/dev/ttyACM0")[1] == "--port=ttyACM0"
    assert firmware("arduino-nano-33-ble", None, port="COM7")[1] == "--port=COM7"
    assert firmware("stm32f746g-disco", "pio", port="/dev/ttyACM0")[-2:] == ("--upload-port", "/dev/ttyACM0")
    assert firmware("stm32f746g-disco", None, probe="066EFF")[3:5] == ("-c", "adapter serial 066EFF")
    assert firmware("stm32f746g-disco", "st-flash", probe="066EFF")[1:3] == ("--serial", "066EFF")
    assert firmware("nrf52840dk", None, probe="42")[5:7] == ("-u", "42")
    assert firmware("rpi-pico", "picotool", probe="E6")[4:6] == ("--ser", "E6")
    assert firmware("rpi-pico", None, drive=Path("/media/me/RPI-RP2"))[-1] == "/media/me/RPI-RP2"


def test_a_path_with_spaces_is_one_word_for_openocd() -> None:
    assert firmware("stm32f746g-disco", None, image="a b/x.elf")[-1] == "program {a b/x.elf} verify reset exit"


@pytest.mark.parametrize("board", REAL, ids=lambda b: b.id)
def test_every_real_board_has_a_tool(board: object) -> None:
    tool, target = choose_tool(board)
    assert tool.target(board) == target


@pytest.mark.parametrize("board", [b for b in BOARDS if b.flash is None], ids=lambda b: b.id)
def test_an_emulated_board_has_none(board: object) -> None:
    assert set(board.verified) <= {"unicorn", "qemu", "renode"}
    with pytest.raises(TinygenError, match="tinygen run DIR --on RUNNER") as caught:
        choose_tool(board)
    assert caught.value.code == "TG416"


def test_a_tool_that_does_not_know_the_board() -> None:
    with pytest.raises(
        TinygenError, match="esptool has no name for 32F746GDISCOVERY, accepted: openocd, pio, st-fl"
    ) as caught:
        choose_tool(load_board("stm32f746g-disco"), "esptool")
    assert caught.value.code == "TG418"


def test_board_files_can_name_every_tool() -> None:
    assert set(FLASH_TOOLS) == set(tools()) - {"pio"}


def test_uf2_families_are_known() -> None:
    targets = [board.flash.target("uf2") for board in REAL]
    assert {target for target in targets if target is not None} <= set(FAMILIES)


@pytest.mark.parametrize("board", [b for b in REAL if b.flash.target("openocd")], ids=lambda b: b.id)
def test_openocd_has_the_configuration(board: object) -> None:
    """It reads them all and ends, where the configuration itself looks for the board's probe, without one."""
    need("openocd", shutil.which("openocd") is not None, "openocd")
    command = firmware(board.id, "openocd")[:-2]
    done = subprocess.run([*command, "-c", "shutdown"], capture_output=True, text=True, check=False)
    assert done.stderr.startswith("Open On-Chip Debugger")
    assert not [line for line in done.stderr.splitlines() if "Can't find" in line or "invalid" in line]
