"""Programs a board: makes the file that the tool reads, runs the tool, and says what its failure means."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tinygen.boards import Board
from tinygen.build.image import flash_image
from tinygen.errors import TinygenError, error
from tinygen.flash import Firmware, Tool
from tinygen.flash.drive import find_drive
from tinygen.flash.uf2 import uf2

_LAST_LINES = 12


def image_path(tool: Tool, elf: Path) -> Path:
    """The file that a tool reads, beside the ELF."""
    return elf.with_suffix(tool.image) if tool.image else elf


def make_image(tool: Tool, elf: Path, board: Board, target: str) -> Path:
    """Makes that file from the ELF; TG404 without pyelftools, TG418 when the target is no UF2 family."""
    path = image_path(tool, elf)
    if tool.image in (".bin", ".uf2"):
        data = flash_image(elf, board)
        if tool.image == ".uf2":
            data = uf2(data, board.code.address + board.boot.application_offset, target)
        path.write_bytes(data)
    return path


def program(tool: Tool, firmware: Firmware, say: Callable[[str], None]) -> None:
    """Writes the firmware to the board; `say` gets the tool's lines as they come.

    Raises:
        TinygenError: TG417 without the tool, TG526 without a board or probe, TG525 when the tool fails otherwise.
    """
    if tool.programs:
        _run(tool, firmware, say)
    else:
        _copy(tool, firmware)


def find_program(tool: Tool) -> str | None:
    """Where the tool's program is: on the path, or beside this Python, as pip installs it; None when it is not."""
    for name in tool.programs:
        found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
        if found is not None:
            return found
    return None


def _run(tool: Tool, firmware: Firmware, say: Callable[[str], None]) -> None:
    executable = find_program(tool)
    if executable is None:
        hints = (f"to get it: {tool.install}", "--dry-run prints the command, --tool NAME takes another")
        raise error("TG417", f"{tool.programs[0]} is not on the path", hints=hints)
    command = (executable, *tool.command(firmware)[1:])
    lines: list[str] = []
    try:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace"
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line.rstrip())
                say(lines[-1])
    except OSError as problem:
        raise error("TG525", f"cannot run {executable}: {problem}") from problem
    if process.returncode != 0:
        raise _failure(tool, firmware, lines, process.returncode)


def _failure(tool: Tool, firmware: Firmware, lines: list[str], code: int) -> TinygenError:
    text = "\n".join(lines)
    if any(pattern in text for pattern in tool.absent):
        cause = next(line for line in lines if any(pattern in line for pattern in tool.absent))
        hints = (tool.connect, "then run the command again")
        return error("TG526", f"{tool.name} finds no {firmware.board.name}: {cause.strip()}", hints=hints)
    shown = "\n".join(line for line in lines if line.strip()) or "it said nothing"
    last = "\n".join(shown.splitlines()[-_LAST_LINES:])
    advice = [hint.format(target=firmware.target) for pattern, hint in tool.advice if pattern in text]
    return error("TG525", f"{tool.name} ended with exit code {code}\n{last}", hints=advice or (tool.connect,))


def _copy(tool: Tool, firmware: Firmware) -> None:
    drive = find_drive() if firmware.drive is None else firmware.drive
    if drive is None or not drive.is_dir():
        found = "no drive has an INFO_UF2.TXT" if drive is None else f"{drive} is not a folder"
        raise error("TG526", f"the drive of {firmware.board.name} is not there: {found}", hints=(tool.connect,))
    try:
        shutil.copyfile(firmware.image, drive / firmware.image.name)
    except OSError as problem:
        raise error("TG525", f"cannot copy to {drive}: {problem}", hints=(tool.connect,)) from problem
