"""Programming a board with stand-ins for the tools, which say what the real ones said without a board."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.emulated.noisy_line import Target
from tests.emulated.trivial_model import trivial_tree as answering_tree
from tests.requirement import need, require
from tests.unit.trivial_model import trivial_tree
from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.errors import TinygenError
from tinygen.flash import drive as drives
from tinygen.flash import tools
from tinygen.project import write_project

OPENOCD_SAYS = """Open On-Chip Debugger 0.12.0
Info : clock speed 2000 kHz
Error: open failed
** OpenOCD init failed **
shutdown command invoked"""
PYOCD_SAYS = "No connected debug probes\n0001080 E No target device available [load_cmd]"
ST_FLASH_SAYS = "st-flash 1.7.0\n2026-01-01T00:00:00 WARN usb.c: Couldn't find any ST-Link devices"
BOSSAC_SAYS = "No device found on ttyACM9"
ESPTOOL_SAYS = (
    "A fatal error occurred: Could not connect to an Espressif device on any of the 1 available serial ports."
)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a program of that name on the path, alone: it keeps its arguments, says something and ends."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(name: str, says: str = "", code: int = 0) -> Path:
        monkeypatch.setenv("PATH", str(folder))
        script = folder / name
        kept = tmp_path / f"{name}.json"
        script.write_text(
            f"#!{sys.executable}\nimport json, sys\n"
            f"json.dump(sys.argv[1:], open({str(kept)!r}, 'w'))\nprint({says!r})\nsys.exit({code})\n"
        )
        script.chmod(0o755)
        return kept

    return make


@pytest.fixture
def project(tmp_path: Path):
    require("zig")
    return lambda board: write_project(trivial_tree(), load_board(board), tmp_path / board).path


def test_flash(run_json, stand_in, project) -> None:
    folder = project("stm32f746g-disco")
    kept = stand_in("openocd")
    found = run_json("flash", folder, "--no-ask")
    assert json.loads(kept.read_text()) == found["command"][1:]
    assert (found["flashed"], found["verified"]) == (True, False)
    assert Path(found["image"]).read_bytes().startswith(b"\x7fELF")
    assert found["image"] in found["command"][-1]


def test_a_dry_run_writes_nothing_and_needs_no_tool(run, run_json, monkeypatch, project) -> None:
    monkeypatch.setenv("PATH", "")
    folder = project("stm32f746g-disco")
    found = run_json("flash", folder, "--dry-run")
    assert not found["flashed"]
    assert not (folder / "build").exists()
    assert run("flash", folder, "--dry-run").stdout.startswith("openocd -f board/stm32f746g-disco.cfg -c 'program ")


def test_a_missing_tool(run, monkeypatch, project) -> None:
    monkeypatch.setenv("PATH", "")
    result = run("flash", project("stm32f746g-disco"), exit_code=1)
    assert "error[TG417]: openocd is not on the path" in result.stderr
    assert "apt install openocd" in result.stderr


@pytest.mark.parametrize(
    ("board", "tool", "says", "code"),
    [
        ("stm32f746g-disco", "openocd", OPENOCD_SAYS, 1),
        ("nrf52840dk", "pyocd", PYOCD_SAYS, 1),
        ("stm32f746g-disco", "st-flash", ST_FLASH_SAYS, 255),
        ("arduino-nano-33-ble", "bossac", BOSSAC_SAYS, 1),
        ("esp32-c3", "esptool", ESPTOOL_SAYS, 2),
    ],
)
def test_no_board(run, stand_in, project, board: str, tool: str, says: str, code: int) -> None:
    stand_in(tool, says, code)
    result = run("flash", project(board), "--tool", tool, exit_code=1)
    assert f"error[TG526]: {tool} finds no {load_board(board).name}: " in result.stderr
    assert tools()[tool].connect in result.stderr


def test_a_tool_that_fails_otherwise(run, stand_in, project) -> None:
    stand_in("pyocd", "Error: Target type r7fa8m1ahecbd not recognized.", 1)
    result = run("flash", project("ek-ra8m1"), exit_code=1)
    assert "error[TG525]: pyocd ended with exit code 1" in result.stderr
    assert "pyocd pack install r7fa8m1ahecbd" in result.stderr


@pytest.mark.parametrize(("board", "tool"), [("stm32f746g-disco", "openocd"), ("nrf52840dk", "pyocd")])
def test_the_real_tools_without_a_probe(run, project, board: str, tool: str) -> None:
    need(tool, shutil.which(tool) is not None or (Path(sys.executable).parent / tool).exists(), tool)
    assert "error[TG526]" in run("flash", project(board), exit_code=1).stderr


def test_a_drive(run_json, project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, drive = project("rpi-pico"), tmp_path / "media" / "RPI-RP2"
    drive.mkdir(parents=True)
    monkeypatch.setattr(drives, "MOUNTS", (f"{tmp_path}/media/*",))
    found = run_json("flash", folder, "--no-ask", exit_code=1, document="errors")
    assert [e["code"] for e in found["errors"]] == ["TG526"]
    (drive / "INFO_UF2.TXT").write_text("Board-ID: RPI-RP2\n")
    found = run_json("flash", folder, "--no-ask")
    assert (drive / Path(found["image"]).name).read_bytes() == Path(found["image"]).read_bytes()
    (tmp_path / "media" / "OTHER").mkdir()
    (tmp_path / "media" / "OTHER" / "INFO_UF2.TXT").write_text("")
    with pytest.raises(TinygenError, match="--drive"):
        drives.find_drive()
    found = run_json("flash", folder, "--no-ask", "--drive", tmp_path / "media" / "OTHER")
    assert list((tmp_path / "media" / "OTHER").glob("*.uf2"))


def test_platformio_builds_by_itself(run_json, stand_in, project) -> None:
    folder = project("stm32f746g-disco")
    kept = stand_in("pio")
    found = run_json("flash", folder, "--tool", "pio", "--no-ask")
    assert json.loads(kept.read_text()) == ["run", "-d", str(folder), "-t", "upload"]
    assert found["image"] == str(folder)
    assert not (folder / "build").exists()


def test_an_unknown_tool_is_a_wrong_command_line(run, project) -> None:
    assert "openocd" in run("flash", project("rpi-pico"), "--tool", "dd", exit_code=2).stderr


def test_the_firmware_is_asked_for_its_model(run_json, run, stand_in, tmp_path: Path) -> None:
    """In QEMU instead of on the board: the stand-in for OpenOCD programs nothing, and the UART is a socket."""
    require("zig", "qemu")
    board = load_board("hifive1-revb")
    project = write_project(answering_tree(), board, tmp_path / "right")
    other = write_project(replace(answering_tree(), model_sha256="cd" * 32), board, tmp_path / "wrong")
    elf = build_project(project, tmp_path / "build", compiler="zig").elf
    with Target(board, elf) as target:
        stand_in("openocd")
        found = run_json("flash", project.path, "--port", target.url)
        assert (found["flashed"], found["verified"]) == (True, True)
        failed = run("flash", other.path, "--port", target.url, exit_code=1)
        assert "error[TG514]: the firmware on socket://" in failed.stderr
