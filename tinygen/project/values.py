"""What the templates around a model are filled with: how programs and examples use it, names, sizes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from zlib import crc32

from tinygen.boards import Board
from tinygen.build.flags import CODE, CXX, CXX_LIBRARIES, DEFAULT_OPTIMIZATION, GNU_LINK, LIBRARY_CODE, LINK, hosted
from tinygen.project.firmware import (
    INCLUDE_FOLDERS,
    LIBC_FOLDER,
    PROGRAMS,
    answering_define,
    program_defines,
    program_sources,
)
from tinygen.project.formats import Format
from tinygen.project.model import Manifest, Model
from tinygen.source_tree import Library

LONGEST_NAME = 63
"""What Arduino allows a library's name; nobody allows less."""

_C_TYPES = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "int32": "int32_t",
    "int64": "int64_t",
    "uint16": "uint16_t",
    "uint32": "uint32_t",
    "uint64": "uint64_t",
    "float32": "float",
    "float64": "double",
    "bool": "bool",
}
_LANGUAGES = {".c": "C", ".cc": "CXX", ".cpp": "CXX"}


@dataclass(frozen=True)
class _Program:
    name: str
    sources: tuple[str, ...]
    defines: tuple[str, ...]


def firmware_values(manifest: Manifest, board: Board, formats: Sequence[Format], *, ci: bool) -> dict[str, object]:
    """The values of a firmware's templates; `formats` are the build systems it comes with, `ci` whether it has CI."""
    programs = tuple(
        _Program(name, program_sources(board, name, manifest.files), program_defines(name)) for name in PROGRAMS
    )
    cxx = any(library.language == "c++" for library in manifest.libraries)
    return {
        **_common(manifest),
        "name": "_".join(model.prefix for model in manifest.models),
        "board": board,
        "core": board.core,
        "gcc": board.core.gcc,
        "models": [(model, answering_define(model.prefix)) for model in manifest.models],
        "programs": programs,
        "compile_flags": CODE,
        "link_flags": LINK,
        "gnu_link_flags": GNU_LINK,
        "optimize": DEFAULT_OPTIMIZATION,
        "includes": INCLUDE_FOLDERS,
        "libc": LIBC_FOLDER,
        "libraries": [_library(library, cxx) for library in manifest.libraries],
        "cxx": cxx,
        "cxx_flags": (*hosted(CODE), *CXX),
        "cxx_libraries": CXX_LIBRARIES,
        "stack_bytes": manifest.stack_bytes,
        "builds": [format.name for format in formats],
        "ci": ci,
    }


def _library(library: Library, cxx: bool) -> dict[str, object]:
    """A library that the code calls, as build systems name it and what is in it."""
    target = re.sub(r"\W", "_", library.name).lower()
    machine = hosted(CODE) if cxx else tuple(flag for flag in CODE if not flag.startswith("-std="))
    variable, _, inside = library.usual.partition("/")
    return {
        **asdict(library),
        "target": target,
        "environment": f"$ENV{{{library.variable}}}",
        "folder": f"${{{library.variable}}}",
        "usual_folder": f"${{{variable}}}/{inside}",
        "macros": (*library.defines, *library.lean_defines),
        "fetched": f"${{{target}_SOURCE_DIR}}",
        "files": f"${{{target}_sources}}",
        "flags": (*machine, *LIBRARY_CODE[library.language]),
    }


def library_values(manifest: Manifest, format: Format) -> dict[str, object]:
    """The values of a library's templates."""
    prefixes = [model.prefix for model in manifest.models]
    suffixes = [PurePosixPath(source).suffix for source in manifest.sources]
    return {
        **_common(manifest),
        "name": library_name(prefixes),
        "prefixes": prefixes,
        "headers": format.folders["include"],
        "folder": format.folders["src"],
        "languages": sorted({_LANGUAGES[suffix] for suffix in suffixes}),
        "constant_bytes": sum(model.constant_bytes for model in manifest.models),
        "release": "1.0.0",
    }


def library_name(prefixes: Sequence[str]) -> str:
    """A name for a library of these models, as all ecosystems accept it.

    In lower case, of at most LONGEST_NAME characters; the first is a letter or digit, and the first word not Arduino.
    """
    whole = "_".join(prefixes).lower()
    name = whole.lstrip("_") or "model"
    if name.startswith("arduino"):
        name = f"model_{name}"
    if len(name) > LONGEST_NAME:
        name = f"{name[: LONGEST_NAME - 9]}_{crc32(whole.encode()):08x}"
    return name


def printable(name: str) -> str:
    """A file name inside C comments, YAML and Markdown: whatever would end one becomes a question mark."""
    return "".join(c if c.isalnum() or c in " ._-+()[]" else "?" for c in name)


def _common(manifest: Manifest) -> dict[str, object]:
    return {
        "sources": manifest.sources,
        "version": manifest.tinygen,
        "arena_bytes": manifest.arena_bytes,
        "shared_arena": manifest.shared_arena,
        "uses": [_use(model) for model in manifest.models],
    }


def _use(model: Model) -> dict[str, object]:
    """A model as programs that use it name it."""
    return {
        "model": model,
        "name": printable(model.model_name),
        "input": model.inputs[0],
        "input_type": _C_TYPES[model.inputs[0].dtype],
        "output": model.outputs[0],
        "output_type": _C_TYPES[model.outputs[0].dtype],
        "fraction": model.outputs[0].dtype.startswith("float"),
    }
