"""A cross compiler as a value, choosing one for a core, and running it with errors a user can act on."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinygen.build.flags import OPTIMIZATIONS
from tinygen.cores import Core
from tinygen.errors import TinygenError, error

_ERROR_LINES = 12


@dataclass(frozen=True)
class Compiler:
    """A compiler driver and the flags that select the core."""

    name: str
    """`zig` or the GNU compiler's program name."""
    version: str
    command: tuple[str, ...]
    optimizations: tuple[tuple[str, tuple[str, ...]], ...]
    """What each of OPTIMIZATIONS is for this compiler."""
    link: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    """Goes after the sources on the command line."""
    cxx: tuple[str, ...] = ()
    """Its C++ compiler's command, empty where there is none."""

    def optimize(self, level: str) -> tuple[str, ...]:
        """The flags of an optimisation level; ValueError unless it is one of OPTIMIZATIONS."""
        for name, flags in self.optimizations:
            if name == level:
                return flags
        raise ValueError(f"found optimisation {level}, accepted: {', '.join(OPTIMIZATIONS)}")


def find_compiler(core: Core, name: str | None = None) -> Compiler:
    """The compiler for a core: `zig`, `gcc` (or the GNU program's name), or None for zig where it is, else GNU.

    TG401 when there is none.
    """
    from tinygen.build.gcc import gcc_compiler
    from tinygen.build.zig import zig_compiler

    if name not in (None, "zig", "gcc", core.gcc):
        raise error("TG401", f"found compiler '{name}', accepted: zig, gcc (for this core {core.gcc})")
    found = zig_compiler(core) if name in (None, "zig") else None
    if found is None and name != "zig":
        found = gcc_compiler(core)
    if found is None:
        wanted = {None: f"neither zig nor {core.gcc} is", "zig": "zig is not"}.get(name, f"{core.gcc} is not")
        hints = () if name in ("gcc", core.gcc) else ('pip install "tinygen[emulate]" brings zig',)
        package = "gcc-arm-none-eabi" if core.arch == "thumb" else "gcc-riscv64-unknown-elf"
        gnu = () if name == "zig" else (f"or install {core.gcc}, on Debian and Ubuntu: apt install {package}",)
        raise error("TG401", f"{wanted} installed, needed for {core.cpu}", hints=(*hints, *gnu))
    return found


def find_cxx_compiler(core: Core, name: str | None = None) -> Compiler:
    """The compiler for a core whose firmware has C++ in it, as find_compiler; zig has no C++ library for such cores.

    TG424 when it has no C++.
    """
    from tinygen.build.gcc import gcc_compiler

    found = gcc_compiler(core) if name != "zig" else None
    if found is None or not found.cxx:
        program = core.gcc.removesuffix("gcc") + "g++"
        package = "gcc-arm-none-eabi libstdc++-arm-none-eabi-newlib" if core.arch == "thumb" else program
        message = f"the model's code needs C++ and a C library for {core.cpu}: {program} with newlib, not zig"
        hints = (f"on Debian and Ubuntu: apt install {package}", "--backend c and cmsis-nn need no C++")
        raise error("TG424", message, hints=hints)
    return found


def try_compiler(command: Sequence[str], folder: Path) -> str | None:
    """Runs a compiler command in `folder`: None when it succeeds, else what it said; TG402 when it does not start."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    except OSError as problem:
        raise error("TG402", f"cannot run {command[0]}: {problem}") from problem
    return None if done.returncode == 0 else done.stderr or done.stdout


def compiler_failed(command: Sequence[str], folder: Path, output: str) -> TinygenError:
    """TG402 from a compiler's output: from its first line with an error on, a dozen lines."""
    lines = output.strip().splitlines()
    first = next((i for i, line in enumerate(lines) if "error" in line.lower() or "undefined" in line), 0)
    shown = "\n".join(lines[first : first + _ERROR_LINES]) or "it said nothing"
    return error("TG402", shown, hints=(f"in {folder}: {shlex.join(command)}",))
