"""The GNU cross compilers, arm-none-eabi-gcc and riscv64-unknown-elf-gcc."""

from __future__ import annotations

import functools
import shutil
import subprocess

from tinygen.build.compiler import Compiler
from tinygen.build.flags import GNU_LINK, OPTIMIZATIONS
from tinygen.cores import Core


@functools.cache
def gcc_version(program: str) -> str:
    """The version a GNU compiler states, such as `12.2.1`."""
    return subprocess.run([program, "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()


def gcc_compiler(core: Core) -> Compiler | None:
    """The GNU compiler for a core, None where it is not installed."""
    program = shutil.which(core.gcc)
    if program is None:
        return None
    cxx = shutil.which(core.gcc.removesuffix("gcc") + "g++")
    return Compiler(
        name=core.gcc,
        version=f"{core.gcc} {gcc_version(program)}",
        command=(program, *core.gcc_flags),
        optimizations=tuple((level, (level,)) for level in OPTIMIZATIONS),
        link=GNU_LINK,
        libraries=("-lgcc",),
        cxx=(cxx, *core.gcc_flags) if cxx else (),
    )
