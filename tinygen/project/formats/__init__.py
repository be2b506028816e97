"""Formats: what people of one ecosystem expect around generated code. One file each; a `FORMAT` in it is found."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tinygen.boards import Board

Templates = Mapping[str, str]
"""Templates of `templates/project` by the paths of the files they make; {name} and {gcc} in a path are filled in."""


def _any_board(board: Board) -> str | None:
    del board
    return None


@dataclass(frozen=True)
class Format:
    """A format, as data. Its files are templates; what they are filled with is in `tinygen.project.values`."""

    name: str
    summary: str
    firmware: Templates | None = None
    """Around the firmware for a board; None where the ecosystem brings start-up code of its own."""
    library: Templates | None = None
    """Around the models alone; None where there is nothing but a firmware."""
    folders: Mapping[str, str] = field(default_factory=lambda: {"include": "include", "src": "src"})
    """Where a library has the headers that are included from outside, and everything else of the models."""
    manifest: bool = True
    """Whether a library has a `tinygen.json`; without, a first line in every file says that tinygen wrote it."""
    cxx: bool = True
    """Whether its firmware can have C++ in it."""
    unknown: Callable[[Board], str | None] = _any_board
    """None when a firmware for this board can be had in this format, else why not."""


@functools.cache
def formats() -> Mapping[str, Format]:
    """Every format by name."""
    found: dict[str, Format] = {}
    for module in pkgutil.iter_modules(__path__):
        format = getattr(importlib.import_module(f"{__name__}.{module.name}"), "FORMAT", None)
        if format is not None:
            found[format.name] = format
    return MappingProxyType(dict(sorted(found.items())))


def firmware_formats(board: Board, *, cxx: bool = False) -> tuple[Format, ...]:
    """Every format that has a firmware for the board, with `cxx` one that can have C++ in it.

    It is what a project without a chosen format consists of.
    """
    possible = (f for f in formats().values() if f.cxx or not cxx)
    return tuple(f for f in possible if f.firmware is not None and f.unknown(board) is None)
