"""The whole compiler on one screen: from a model file to a tree of C sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinygen.apportion import apportion
from tinygen.backends import find_backend, settled
from tinygen.backends.literals import identifier, identifiers
from tinygen.backends.options import CompileOptions
from tinygen.ir.graph import Graph
from tinygen.passes.pipeline import run as run_passes
from tinygen.plan.regions import Region
from tinygen.source_tree import SourceTree
from tinygen.tflite import read_model

__all__ = [
    "CompileOptions",
    "compile_graph",
    "compile_graphs",
    "compile_model",
    "compile_models",
    "read_for",
    "useful_features",
]


def compile_model(path: str | Path, options: CompileOptions, *, dump_ir: Path | None = None) -> SourceTree:
    """Compiles a model file; with `dump_ir`, writes the graph's text there after every pass.

    Raises:
        TinygenError: TG1xx and TG2xx for the model, TG406 for an unusable prefix, TG407 for an unknown backend,
            TG420 for numerics it does not follow, TG305 for a RAM budget that cannot be met.
    """
    return compile_graph(read_for(path, options), options, dump_ir=dump_ir)


def read_for(path: str | Path, options: CompileOptions) -> Graph:
    """The graph of a model file as the backend of the options takes it.

    Raises:
        TinygenError: TG1xx and TG2xx for the model, TG407 for an unknown backend.
    """
    return read_model(path, opaque=not find_backend(options.backend).passes)


def compile_models(
    paths: Sequence[Path],
    options: CompileOptions,
    *,
    prefixes: Sequence[str] = (),
    separate_arenas: bool = False,
    dump_ir: Path | None = None,
) -> tuple[SourceTree, ...]:
    """Compiles the models of one firmware; several of them share an arena unless told otherwise.

    `prefixes` has one for each model or is empty; `dump_ir` gets a folder for each of several models.

    Raises:
        TinygenError: what compile_model raises; TG406 also when the names of two models would be the same.
    """
    names = identifiers(prefixes, paths)
    options = replace(options, shared_arena=len(paths) > 1 and not separate_arenas)
    return compile_graphs([read_for(path, options) for path in paths], options, names, dump_ir=dump_ir)


def compile_graphs(
    graphs: Sequence[Graph], options: CompileOptions, names: Sequence[str | None], *, dump_ir: Path | None = None
) -> tuple[SourceTree, ...]:
    """Compiles the graphs of one firmware, each with the prefix of that place in `names`; raises as compile_models."""
    several = len(graphs) > 1

    def compiled(i: int, regions: tuple[Region, ...]) -> SourceTree:
        dump = dump_ir / (names[i] or graphs[i].name) if dump_ir is not None and several else dump_ir
        return compile_graph(graphs[i], replace(options, prefix=names[i], regions=regions), dump_ir=dump)

    if several and options.regions:
        wanted, shared = bool(options.memories), options.shared_arena
        return apportion(compiled, len(graphs), options.regions, wanted=wanted, shared=shared)
    return tuple(compiled(i, options.regions) for i in range(len(graphs)))


def compile_graph(graph: Graph, options: CompileOptions, *, dump_ir: Path | None = None) -> SourceTree:
    """Compiles a graph that has been read already; raises what compile_model does."""
    options = settled(options)
    backend = find_backend(options.backend)
    prefix = identifier(options.prefix, graph.name)
    return backend.compile(run_passes(graph, dump_ir) if backend.passes else graph, options, prefix)


def useful_features(graph: Graph, options: CompileOptions) -> frozenset[str]:
    """The core features on which the code for a graph depends: cores that have the same of them get the same code."""
    backend = find_backend(options.backend)
    return backend.features(run_passes(graph) if backend.passes else graph)
