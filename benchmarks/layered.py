"""A model whose layers are computed one after the other, as firmware: what interleaved ones are compared with."""

from __future__ import annotations

from tinygen.backends import settled
from tinygen.backends.c import KERNELS, portable_kernels
from tinygen.backends.emission import emit
from tinygen.backends.literals import identifier
from tinygen.backends.options import CompileOptions
from tinygen.ir.graph import Graph
from tinygen.passes.pipeline import run as run_passes
from tinygen.plan.solve import plan
from tinygen.schedule.buffers import demand
from tinygen.schedule.layer_by_layer import layer_by_layer
from tinygen.schedule.program import build_program
from tinygen.source_tree import SourceTree


def compile_layered(graph: Graph, options: CompileOptions) -> SourceTree:
    """The graph with the fastest kernels, layer by layer; what `options` optimizes for plays no part."""
    options = settled(options)
    prefix = identifier(options.prefix, graph.name)
    graph = run_passes(graph)
    offers = [portable_kernels(op, graph, options) for op in graph.ops]
    fastest = tuple(min(kernels, key=lambda k: k.instructions, default=None) for kernels in offers)
    program = build_program(graph, fastest)
    schedule = layer_by_layer(program)
    wanted = demand(program, schedule)
    return emit(
        program,
        schedule,
        wanted,
        plan(wanted.buffers),
        prefix=prefix,
        backend=options.backend,
        numerics=options.rounding.value,
        options="layer by layer",
        keep_inputs=False,
        shared_arena=False,
        kernels=(KERNELS,),
    )
