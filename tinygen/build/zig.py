"""zig's C compiler, clang with a linker and run-time library for every core in one pip package."""

from __future__ import annotations

import functools
import importlib.util
import shutil
import subprocess
import sys

from tinygen.build.compiler import Compiler
from tinygen.cores import Core


@functools.cache
def zig_command() -> tuple[str, ...] | None:
    """How to start zig: the `ziglang` package of this Python, else a `zig` on the path, else None."""
    if importlib.util.find_spec("ziglang") is not None:
        return (sys.executable, "-m", "ziglang")
    program = shutil.which("zig")
    return (program,) if program else None


@functools.cache
def zig_version() -> str:
    """zig's version number."""
    command = zig_command()
    assert command is not None
    return subprocess.run([*command, "version"], capture_output=True, text=True, check=True).stdout.strip()


def zig_compiler(core: Core) -> Compiler | None:
    """zig for a core, None where zig is not installed."""
    command = zig_command()
    if command is None:
        return None
    return Compiler(
        name="zig",
        version=f"zig {zig_version()}",
        # zig turns its undefined-behaviour traps on by itself at some levels, and hands every step the flags of all.
        command=(
            *command,
            "cc",
            *core.zig_flags,
            "-fno-sanitize=undefined",
            "-Wno-unused-command-line-argument",
        ),
        # zig lowers -O3 to -O2, only -Xclang reaches the optimiser.
        optimizations=(("-O2", ("-O2",)), ("-O3", ("-O3", "-Xclang", "-O3")), ("-Os", ("-Os",))),
    )
