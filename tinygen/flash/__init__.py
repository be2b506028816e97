"""Programming boards: which tool, with which command. One file each; a file with a `TOOL` is a tool."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tinygen.boards import Board
from tinygen.errors import Origin, error


@dataclass(frozen=True)
class Firmware:
    """What is to be programmed, and the board it is for."""

    project: Path
    """The project's folder."""
    board: Board
    image: Path
    """The file the tool wants: the ELF, or one of its name made from it."""
    target: str
    """The board's or the chip's name for the tool."""
    port: str | None
    """The serial port; None lets the tool look for it."""
    probe: str | None
    """The debug probe's serial number, where there are several."""
    drive: Path | None
    """Where the board's drive is mounted; None where it is not, or nobody has looked."""

    @property
    def address(self) -> int:
        """Where the image starts in the code memory: after a bootloader."""
        return self.board.code.address + self.board.boot.application_offset


def _named_by_board(board: Board, tool: str) -> str | None:
    return None if board.flash is None else board.flash.target(tool)


@dataclass(frozen=True)
class Tool:
    """A program that writes to boards, as data."""

    name: str
    summary: str
    programs: tuple[str, ...]
    """Names of the program, the best first; none where tinygen does it by itself."""
    install: str
    """How to get the program."""
    image: str
    """What it reads: `.elf`, `.bin` (the code memory from the firmware's start) or `.uf2`; empty when it builds."""
    command: Callable[[Firmware], tuple[str, ...]]
    """The command line, the program first."""
    absent: tuple[str, ...]
    """What it says when no board or no probe is there."""
    connect: str
    """How to connect a board to it."""
    advice: tuple[tuple[str, str], ...] = ()
    """What else it may say, and what to do then; {target} is filled in."""
    named: Callable[[Board, str], str | None] = _named_by_board
    """The board's name for a tool; None when the tool cannot program it."""

    def target(self, board: Board) -> str | None:
        """The board's name for this tool; None when the tool cannot program it."""
        return self.named(board, self.name)


@functools.cache
def tools() -> Mapping[str, Tool]:
    """Every tool by name."""
    found: dict[str, Tool] = {}
    for module in pkgutil.iter_modules(__path__):
        tool = getattr(importlib.import_module(f"{__name__}.{module.name}"), "TOOL", None)
        if tool is not None:
            found[tool.name] = tool
    return MappingProxyType(dict(sorted(found.items())))


def choose_tool(board: Board, name: str | None = None) -> tuple[Tool, str]:
    """The board's tool, or the one of that name, and the board's name for it.

    Raises:
        TinygenError: TG416 when nothing programs the board, TG418 when the named tool does not.
    """
    origin = Origin(str(board.file))
    possible = [tool.name for tool in tools().values() if tool.target(board) is not None]
    wanted = name if name is not None or board.flash is None else board.flash.tool
    if wanted is None:
        hints = [f"--tool {tool}" for tool in possible] or ["tinygen run DIR --on RUNNER runs it on an emulator"]
        raise error("TG416", f"{board.name} has no [flash] in its description", origin=origin, hints=hints)
    chosen = tools()[wanted]
    target = chosen.target(board)
    if target is None:
        message = f"{chosen.name} has no name for {board.name}, accepted: {', '.join(possible) or 'no tool'}"
        hint = f'in the board file [flash] {chosen.name} = "NAME" says what {chosen.name} calls it'
        raise error("TG418", message, origin=origin, hints=(hint,))
    return chosen, target
