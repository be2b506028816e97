"""PlatformIO: builds and uploads what its platformio.ini says, with the tool of its own that fits the board."""

from __future__ import annotations

from tinygen.boards import Board
from tinygen.flash import Firmware, Tool


def _named(board: Board, tool: str) -> str | None:
    del tool
    return None if board.platformio is None else board.platformio.board


def _command(firmware: Firmware) -> tuple[str, ...]:
    port = ("--upload-port", firmware.port) if firmware.port is not None else ()
    return ("pio", "run", "-d", str(firmware.project), "-t", "upload", *port)


TOOL = Tool(
    name="pio",
    summary="pio run -t upload",
    programs=("pio", "platformio"),
    install="pip install platformio",
    image="",
    command=_command,
    absent=("open failed", "No device found", "Please specify `upload_port`", "could not open port"),
    connect="connect the board's USB port",
    named=_named,
)
