"""Backends: from a graph to C text. One module or folder each; one with a `BACKEND` is a backend."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from tinygen.backends.options import CompileOptions
from tinygen.errors import error
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.source_tree import SourceTree


class Backend(Protocol):
    """A way to turn a model into C."""

    name: str
    """As on the command line."""
    summary: str
    numerics: tuple[Numerics, ...]
    """Whose rounding its code can follow, the default first."""
    passes: bool
    """Whether it takes the graph after the passes, or the model as it is in the file."""

    def available(self) -> str | None:
        """None when it can generate, else what is missing and how to get it.

        What only builds need, such as the sources of a library, is not asked for here.
        """

    def features(self, graph: Graph) -> frozenset[str]:
        """The core features its code for a graph depends on: cores that have the same of them get the same code."""

    def compile(self, graph: Graph, options: CompileOptions, prefix: str) -> SourceTree:
        """The graph as C; options are settled.

        Raises:
            TinygenError: TG2xx for what the backend does not support, TG305 and TG307 for arenas that cannot be had.
        """


@functools.cache
def backends() -> Mapping[str, Backend]:
    """Every backend by name."""
    found: dict[str, Backend] = {}
    for module in pkgutil.iter_modules(__path__):
        backend = getattr(importlib.import_module(f"{__name__}.{module.name}"), "BACKEND", None)
        if backend is not None:
            found[backend.name] = backend
    return MappingProxyType(dict(sorted(found.items())))


def find_backend(name: str) -> Backend:
    """The backend of that name; TG407 when there is none, TG404 when it lacks something."""
    backend = backends().get(name)
    if backend is None:
        raise error("TG407", f"unknown backend '{name}', accepted: {', '.join(backends())}")
    missing = backend.available()
    if missing is not None:
        raise error(
            "TG404", f"the backend {name} cannot be used: {missing}", hints=("tinygen doctor shows what is here",)
        )
    return backend


def settled(options: CompileOptions) -> CompileOptions:
    """The options with the backend's numerics where the user did not choose.

    Raises:
        TinygenError: TG407 and TG404 of the backend, TG420 for numerics that it does not follow.
    """
    backend = find_backend(options.backend)
    numerics = backend.numerics[0] if options.numerics is None else options.numerics
    if numerics not in backend.numerics:
        accepted = ", ".join(each.value for each in backend.numerics)
        message = f"the backend {backend.name} does not follow numerics {numerics.value}, accepted: {accepted}"
        raise error("TG420", message, hints=("leave --numerics out, or choose another --backend",))
    return replace(options, numerics=numerics)
