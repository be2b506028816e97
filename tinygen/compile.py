"""The whole compiler on one screen: from a model file to a tree of C sources."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinygen.backends.c import emit
from tinygen.backends.literals import identifier
from tinygen.errors import error
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op
from tinygen.passes.pipeline import run as run_passes
from tinygen.plan.validate import validate
from tinygen.schedule.choose import Objective, choose
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
    features: frozenset[str] = frozenset()
    """Core features that kernels may require, such as `dsp`; results never depend on them."""

    def __str__(self) -> str:
        kept = ", inputs kept" if self.keep_inputs else ""
        budget = f", at most {self.ram_budget} bytes of arena" if self.ram_budget is not None else ""
        goal = f"optimized for {self.optimize.value}"
        return f"backend {self.backend}, numerics {self.numerics.value}, {goal}{budget}{kept}"


def compile_model(path: str | Path, options: CompileOptions, *, dump_ir: Path | None = None) -> SourceTree:
    """Compiles a model file; with `dump_ir`, writes the graph's text there after every pass.

    Raises:
        TinygenError: TG1xx and TG2xx for the model, TG406 for an unusable prefix, TG407 for an unknown backend,
            TG305 for a RAM budget that cannot be met.
    """
    return compile_graph(read_model(path), options, dump_ir=dump_ir)


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
    )


def _offers(op: Op, graph: Graph, options: CompileOptions) -> tuple[Kernel, ...]:
    """The kernels that can compute an operator on the core; none for an alias, which has nothing to compute."""
    kernels = () if op.alias else op.kernels(graph, options.numerics)
    return tuple(kernel for kernel in kernels if kernel.requires <= options.features)
