"""Which files surround the model: the firmware's sources for each program, and what else a project copies."""

from __future__ import annotations

from tinygen.boards import Board
from tinygen.errors import Origin, error
from tinygen.paths import FIRMWARE

PROGRAMS = ("bench", "minimal")
"""`bench` answers on the serial line and measures; `minimal` is the model with an empty main, for sizes."""

INCLUDE_FOLDERS = ("include", "src", "firmware/common")
LIBC_FOLDER = "firmware/libc"
"""Comes last, as system headers: the memory functions, for compilers that bring no C library."""

_STARTUP = {"thumb": "startup_cortex_m.c", "riscv": "startup_riscv.S"}
_COMMON = {
    "bench": (
        "bench.c",
        "caches.c",
        "clock.c",
        "cycles.c",
        "decimal.c",
        "fault.c",
        "inference.c",
        "memory.c",
        "mlperf.c",
        "protocol.c",
        "registers.c",
        "stack.c",
        "trigger.c",
        "weights.c",
    ),
    "minimal": ("memory.c", "minimal.c"),
}


def firmware_files(board: Board) -> dict[str, str]:
    """Everything of `firmware/` that a project for the board carries, as text by path; TG303 for an unknown port."""
    port = FIRMWARE / "ports" / board.port.family
    if not port.is_dir():
        known = ", ".join(sorted(p.name for p in (FIRMWARE / "ports").iterdir() if p.is_dir()))
        message = f"port.family: found '{board.port.family}', accepted: {known}"
        raise error("TG303", message, origin=Origin(str(board.file)))
    files = {}
    other = {name for arch, name in _STARTUP.items() if arch != board.core.arch}
    for folder in (FIRMWARE / "common", FIRMWARE / "libc", port):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in other:
                files[f"firmware/{path.relative_to(FIRMWARE).as_posix()}"] = path.read_text(encoding="utf-8")
    return files


def program_sources(board: Board, program: str, files: tuple[str, ...]) -> tuple[str, ...]:
    """The firmware's sources of a program, among a project's files; the model's own come on top."""
    port = f"firmware/ports/{board.port.family}/"
    ports = (f for f in files if f.startswith(port) and f.endswith((".c", ".S")))
    # The minimal program never speaks, but what the boot ROM wants at the start of flash is in every image.
    used = (f for f in ports if program == "bench" or f.startswith(f"{port}boot."))
    return (*(f"firmware/common/{name}" for name in (_STARTUP[board.core.arch], *_COMMON[program])), *used)


def program_defines(program: str) -> tuple[str, ...]:
    """The macros a program is compiled with."""
    return ("TG_MINIMAL=1",) if program == "minimal" else ()


def answering_define(prefix: str) -> str:
    """The macro that makes a model answer in a project of several, as include/tinygen_model.h has it."""
    return f"TG_ANSWERS_{prefix.upper()}=1"
