"""The model as a program for this machine, with its own compiler, plain or with sanitizers."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

from tinygen.build.compiler import run_compiler
from tinygen.build.flags import HOST, SANITIZE
from tinygen.build.zig import zig_command, zig_version
from tinygen.errors import error
from tinygen.project.firmware import INCLUDE_FOLDERS
from tinygen.project.model import Project

_MAIN = "firmware/common/host.c"


def host_compiler(*, sanitize: bool = False) -> tuple[str, ...] | None:
    """The command of this machine's C compiler: `cc`, else zig, which has no sanitizers; None when there is none."""
    program = shutil.which("cc")
    if program is not None:
        return (program,)
    zig = zig_command()
    return (*zig, "cc") if zig is not None and not sanitize else None


@functools.cache
def host_version() -> str:
    """What the host's compiler calls itself."""
    command = host_compiler()
    if command is None or len(command) > 1:
        return f"zig {zig_version()}" if command else "none"
    shown = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout
    return shown.splitlines()[0]


def build_host(project: Project, out: Path, *, sanitize: bool = False, optimize: str = "-O2") -> Path:
    """Compiles the model with `firmware/common/host.c` into the folder `out` and returns the executable.

    With `sanitize` the first bad access or undefined operation ends it with a report. TG401 without a compiler, TG402
    when it fails.
    """
    command = host_compiler(sanitize=sanitize)
    if command is None:
        hints = ("install gcc or clang as cc, on Debian and Ubuntu: apt install gcc",)
        raise error("TG401", "no C compiler for this machine", hints=hints)
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    executable = out / f"{project.manifest.prefix}-host{'-sanitized' if sanitize else ''}"
    run_compiler(
        (
            *command,
            *HOST,
            optimize,
            *(SANITIZE if sanitize else ()),
            *(f"-I{folder}" for folder in INCLUDE_FOLDERS),
            *project.manifest.sources,
            _MAIN,
            "-lm",
            "-o",
            str(executable),
        ),
        project.path,
    )
    return executable
