"""Keywords that Renode's server brings, with QEMU as the emulator: its UART is served on the port they name."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tinygen.boards import load_board
from tinygen.run.qemu_system.process import machine_arguments
from tinygen.run.qemu_system.program import find_qemu

__all__ = ["execute_command", "reset_emulation", "start_emulation"]

variables: dict[str, str] = {}
process: subprocess.Popen[bytes] | None = None


def execute_command(command: str) -> None:
    """`set NAME VALUE` and `include @FILE`, which must be there."""
    word, _, rest = command.partition(" ")
    if word == "set":
        name, value = rest.split(" ")
        variables[name] = value
    else:
        assert word == "include", command
        script = Path(rest.removeprefix("@"))
        assert "CreateServerSocketTerminal $port" in script.read_text(encoding="utf-8")
        variables["board"] = script.stem


def start_emulation() -> None:
    """Runs the firmware; instructions are counted by the core's own counter."""
    global process
    board = load_board(variables["board"])
    elf = Path(variables["bin"].removeprefix("@"))
    line = f"socket,host=127.0.0.1,port={variables['port']},server=on,wait=on"
    arguments = machine_arguments(board, elf, line)
    process = subprocess.Popen([find_qemu(board.core), *arguments, "-icount", "shift=0,sleep=off"])


def reset_emulation() -> None:
    """Ends it."""
    global process
    if process is not None:
        process.kill()
        process.wait()
    process = None
