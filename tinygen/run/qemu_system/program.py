"""The installed QEMU: which program, which version, and the counting plugin compiled for that version."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from pathlib import Path

from tinygen.boards import Board
from tinygen.cores import Core
from tinygen.errors import error
from tinygen.run.emulator.native import compiled

PROGRAMS = {"thumb": ("qemu-system-arm", "qemu-system-arm"), "riscv": ("qemu-system-riscv32", "qemu-system-misc")}
"""By the core's `arch`: the program, and Debian's package with it."""

OLDEST = (7, 2)
"""The version all this has been seen to work with; older ones lack machines and plugins."""

_SOURCE = Path(__file__).with_name("count_calls.c")
_SECOND_INTERFACE = (9, 0)
"""The first QEMU that takes no plugin of interface version 1."""


def machine_name(board: Board) -> str:
    """QEMU's name of a board; TG503 when it has none."""
    if board.emulators.qemu is None:
        hints = ("tinygen boards --json shows which emulators know a board",)
        raise error("TG503", f"QEMU has no machine for {board.id}", hints=hints)
    return board.emulators.qemu


def find_qemu(core: Core) -> str:
    """The QEMU with that core; TG411 when it is missing or older than `OLDEST`."""
    name, package = PROGRAMS[core.arch]
    program = shutil.which(name)
    hint = f"apt install {package}, brew install qemu, or https://www.qemu.org/download"
    if program is None:
        raise error("TG411", f"{name} is not installed", hints=(hint,))
    version = qemu_version(program)
    if version < OLDEST:
        found = ".".join(map(str, version)) or "no version"
        oldest = ".".join(map(str, OLDEST))
        raise error("TG411", f"found {program} of version {found}, accepted: {oldest} and newer", hints=(hint,))
    return program


@functools.cache
def qemu_version(program: str) -> tuple[int, ...]:
    """Its version number, empty when it does not say."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    found = re.search(r"version (\d+)\.(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else ()


def counting_plugin(program: str) -> Path:
    """count_calls.c compiled for that QEMU; TG520 when it takes no plugins, or no C compiler is found."""
    if not takes_plugins(program):
        hints = ("distributions build QEMU with --enable-plugins",)
        raise error("TG520", f"{program} was built without plugins, and counting needs one", hints=hints)
    version = 2 if qemu_version(program) >= _SECOND_INTERFACE else 1
    library = compiled(_SOURCE, f"PLUGIN_VERSION={version}", needs_host=True)
    if library is None:
        hints = ('pip install "tinygen[emulate]" brings a C compiler, or apt install gcc',)
        raise error("TG520", "QEMU counts with a plugin, and no C compiler here could make it", hints=hints)
    return library


@functools.cache
def takes_plugins(program: str) -> bool:
    """Whether that QEMU lists the option that loads a plugin."""
    said = subprocess.run([program, "-help"], capture_output=True, text=True, check=False, timeout=60).stdout
    return re.search(r"(?m)^-plugin\b", said) is not None
