"""Projects of every format to test, and building them with the tools of a computer."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tests.unit.trivial_model import trivial_tree
from tinygen.build.elf import read_symbols
from tinygen.compile import CompileOptions, compile_models
from tinygen.paths import EXAMPLES
from tinygen.project import Manifest, write_library
from tinygen.project.formats import Format, formats
from tinygen.source_tree import SourceTree

ECOSYSTEMS = Path(__file__).parent / "ecosystems"
LIBRARIES = tuple(format for format in formats().values() if format.library is not None)


@cache
def two_models() -> tuple[SourceTree, ...]:
    """The digit classifier twice, as two models that share an arena."""
    file = EXAMPLES / "digits.tflite"
    return tuple(compile_models((file, file), CompileOptions(), prefixes=("First", "second")))


MODELS = {"one": lambda: (trivial_tree(),), "two": two_models}


def written(format: Format, models: str, folder: Path) -> Manifest:
    """The library of a format, in `folder`."""
    return write_library(MODELS[models](), folder, format)


def run(*command: object, cwd: Path | None = None) -> str:
    """What a command says; it must succeed."""
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build_with_cmake(source: Path, build: Path, *definitions: str, flags: Sequence[str] = ()) -> None:
    """Configures and builds; `flags` are for the C compiler, warnings of the compiler are errors."""
    of_compiler = [f"-DCMAKE_C_FLAGS={' '.join(flags)}"] if flags else []
    run("cmake", "-S", source, "-B", build, *of_compiler, *definitions)
    run("cmake", "--build", build)


def contents(elf: Path) -> list[tuple[str, str, int]]:
    """Name, kind and bytes of everything that was linked, whatever the order."""
    return sorted((symbol.name, symbol.kind, symbol.size) for symbol in read_symbols(elf))
