"""The compiler of the machine tinygen runs on, for the host runner and for tests of generated C."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinygen.build.compiler import compiler_failed, try_compiler
from tinygen.build.flags import CXX, DEFAULT_OPTIMIZATION, HOST, SANITIZE, hosted
from tinygen.build.libraries import Found, library_defines, library_objects
from tinygen.build.zig import zig_command, zig_version
from tinygen.errors import error

SHARED_SUFFIX = {"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so")


@dataclass(frozen=True)
class HostCompiler:
    """A native C compiler."""

    name: str
    version: str
    command: tuple[str, ...]
    sanitizers: bool
    """Whether it can be expected to bring ASan and UBSan."""


@functools.cache
def find_host_compiler(*, sanitize: bool = False) -> HostCompiler:
    """The native compiler: cc, gcc or clang on the path, else zig; with `sanitize` one that has sanitizers.

    TG401 when there is none.
    """
    for name in ("cc", "gcc", "clang"):
        program = shutil.which(name)
        if program is not None:
            done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
            version = done.stdout.splitlines()[0] if done.stdout else name
            return HostCompiler(name, version, (program,), sanitizers=True)
    zig = zig_command()
    if zig is not None and not sanitize:
        return HostCompiler("zig", f"zig {zig_version()}", (*zig, "cc"), sanitizers=False)
    wanted = "no C compiler with sanitizers (cc, gcc, clang)" if sanitize else "no C compiler (cc, gcc, clang, zig)"
    hints = ["install one, on Debian and Ubuntu: apt install gcc"]
    if not sanitize:
        hints.append('or pip install "tinygen[emulate]", which brings zig')
    raise error("TG401", f"{wanted} is installed on this machine", hints=hints)


def build_host(
    sources: Sequence[Path],
    out: Path,
    *,
    includes: Sequence[Path] = (),
    libraries: Sequence[Found] = (),
    defines: Sequence[str] = (),
    shared: bool = True,
    optimize: str = DEFAULT_OPTIMIZATION,
    sanitize: bool = False,
    warnings: Sequence[str] = (),
) -> Path:
    """Compiles C sources for this machine into `out`: a shared library, or a program when not `shared`.

    A sanitized library cannot be loaded into a Python that was not started with the sanitizer's runtime: make it a
    program. `libraries` are compiled as well, without sanitizers; `warnings` may be STRICT_WARNINGS. TG401 without a
    compiler, TG402 when it fails.
    """
    compiler = find_host_compiler(sanitize=sanitize)
    out.parent.mkdir(parents=True, exist_ok=True)
    cxx = find_host_cxx() if any(source.suffix != ".c" for source in sources) else None
    preprocessor = (
        *(f"-I{folder.resolve()}" for folder in includes),
        *(flag for found in libraries for folder in found.includes for flag in ("-isystem", folder)),
        *(f"-D{macro}" for macro in (*defines, *library_defines(libraries, profile=False))),
    )
    checks = SANITIZE if sanitize else ("-fno-sanitize=undefined",)
    objects = [
        _cxx_object(cxx, source, out, (optimize, *checks, *preprocessor))
        for source in sources
        if cxx is not None and source.suffix != ".c"
    ]
    command = (
        *compiler.command,
        *HOST,
        *warnings,
        optimize,
        *checks,
        *preprocessor,
        *(("-shared",) if shared else ()),
        *(str(source.resolve()) for source in sources if source.suffix == ".c"),
        *objects,
        *_library_objects(compiler, cxx, libraries, optimize),
        *(() if sys.platform == "win32" else ("-lm",)),
        *(("-lstdc++",) if cxx is not None else ()),
        "-o",
        str(out.resolve()),
    )
    failure = try_compiler(command, out.parent)
    if failure is not None:
        raise compiler_failed(command, out.parent, failure)
    return out


def find_host_cxx() -> str:
    """The native C++ compiler; TG424 when there is none."""
    found = next((path for path in map(shutil.which, ("c++", "g++", "clang++")) if path is not None), None)
    if found is None:
        hints = ("install one, on Debian and Ubuntu: apt install g++",)
        raise error("TG424", "the model's code needs C++: no c++, g++ or clang++ is installed here", hints=hints)
    return found


def _cxx_object(cxx: str, source: Path, out: Path, flags: Sequence[str]) -> str:
    output = out.with_name(f"{out.name}-{source.stem}.o")
    command = (cxx, *hosted(HOST), *CXX, *flags, "-c", str(source.resolve()), "-o", str(output.resolve()))
    failure = try_compiler(command, out.parent)
    if failure is not None:
        raise compiler_failed(command, out.parent, failure)
    return str(output.resolve())


def _library_objects(
    compiler: HostCompiler, cxx: str | None, libraries: Sequence[Found], optimize: str
) -> tuple[str, ...]:
    if not libraries:
        return ()
    flags = (*hosted(HOST), optimize)
    commands = {"c": (*compiler.command, *flags), "c++": (cxx or "c++", *flags)}
    return library_objects(libraries, commands, (), compiler.version, profile=False)
