"""The whole compiler on one screen: from a model file to a tree of C sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinygen.backends.c import emit
from tinygen.backends.literals import identifier, identifiers
from tinygen.errors import error
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op
from tinygen.passes.pipeline import run as run_passes
from tinygen.plan.validate import validate
from tinygen.schedule.choose import Objective, choose
from tinygen.schedule.program import Rules
from tinygen.source_tree import SourceTree
from tinygen.tflite import read_model

BACKENDS = ("c",)


@dataclass(frozen=True)
class CompileOptions:
    """What a user can choose; it is also in the banner of the generated files."""

    prefix: str | None = None
    """Of every generated name; by default the model file's stem made a C identifier."""
    backend: str = "c"
    numerics: Numerics = Numerics.LITERT
    optimize: Objective = Objective.BALANCED
    ram_budget: int | None = None
    """Bytes of arena at most; then the fastest schedule within them is taken."""
    keep_inputs: bool = False
    io_outside: bool = False
    """Inputs and outputs have arrays of their own, outside the arena."""
    pins: tuple[tuple[str, int], ...] = ()
    """Offsets in the arena of tensors by name."""
    features: frozenset[str] = frozenset()
    """Core features that kernels may require, such as `dsp`; results never depend on them."""
    shared_arena: bool = False
    """Work in the arena that a project of several models defines, see docs/design/several-models.md."""

    def __str__(self) -> str:
        kept = ", inputs kept" if self.keep_inputs else ""
        kept += ", inputs and outputs outside the arena" if self.io_outside else ""
        kept += "".join(f", {name} at {offset}" for name, offset in self.pins)
        budget = f", at most {self.ram_budget} bytes of arena" if self.ram_budget is not None else ""
        goal = f"optimized for {self.optimize.value}"
        shared = ", arena shared" if self.shared_arena else ""
        return f"backend {self.backend}, numerics {self.numerics.value}, {goal}{budget}{kept}{shared}"


def compile_model(path: str | Path, options: CompileOptions, *, dump_ir: Path | None = None) -> SourceTree:
    """Compiles a model file; with `dump_ir`, writes the graph's text there after every pass.

    Raises:
        TinygenError: TG1xx and TG2xx for the model, TG406 for an unusable prefix, TG407 for an unknown backend,
            TG305 for a RAM budget that cannot be met.
    """
    return compile_graph(read_model(path), options, dump_ir=dump_ir)


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
    several = len(paths) > 1
    return tuple(
        compile_model(
            path,
            replace(options, prefix=name, shared_arena=several and not separate_arenas),
            dump_ir=dump_ir / name if dump_ir is not None and several else dump_ir,
        )
        for path, name in zip(paths, names, strict=True)
    )


def compile_graph(graph: Graph, options: CompileOptions, *, dump_ir: Path | None = None) -> SourceTree:
    """Compiles a graph that has been read already; raises what compile_model does."""
    if options.backend not in BACKENDS:
        raise error("TG407", f"unknown backend '{options.backend}', accepted: {', '.join(BACKENDS)}")
    prefix = identifier(options.prefix, graph.name)
    graph = run_passes(graph, dump_ir)
    chosen = choose(
        graph,
        [_offers(op, graph, options) for op in graph.ops],
        options.optimize,
        ram_budget=options.ram_budget,
        keep_inputs=options.keep_inputs,
        rules=Rules(options.io_outside, options.pins),
    )
    validate(chosen.plan)
    return emit(
        chosen.program,
        chosen.schedule,
        chosen.demand,
        chosen.plan,
        prefix=prefix,
        numerics=options.numerics.value,
        options=str(options),
        keep_inputs=options.keep_inputs,
        shared_arena=options.shared_arena,
    )


def _offers(op: Op, graph: Graph, options: CompileOptions) -> tuple[Kernel, ...]:
    """The kernels that can compute an operator on the core; none for an alias, which has nothing to compute."""
    kernels = () if op.alias else op.kernels(graph, options.numerics)
    return tuple(kernel for kernel in kernels if kernel.requires <= options.features)
