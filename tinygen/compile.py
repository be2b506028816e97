"""The whole compiler on one screen: from a model file to a tree of C sources."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinygen.errors import error
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.source_tree import SourceTree


@dataclass(frozen=True)
class CompileOptions:
    """What a user can choose; it is also in the banner of the generated files."""

    prefix: str | None = None
    """Of every generated name; by default the model file's stem made a C identifier."""
    backend: str = "c"
    numerics: Numerics = Numerics.LITERT
    optimize: str = "balanced"
    keep_inputs: bool = False
    features: frozenset[str] = frozenset()
    """Core features the kernels may count on, such as `dsp`; never changes results."""


def compile_model(path: str | Path, options: CompileOptions, *, dump_ir: Path | None = None) -> SourceTree:
    """Compiles a model file; with `dump_ir`, writes the graph's text there after every pass.

    Raises:
        TinygenError: TG1xx and TG2xx for the model, TG406 for an unusable prefix.
    """
    raise NotImplementedError


def compile_graph(graph: Graph, options: CompileOptions, *, dump_ir: Path | None = None) -> SourceTree:
    """Compiles a graph that has been read already."""
    raise error("TG404", "not yet")
