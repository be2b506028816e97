"""The `utvm` backend: operators as integer PrimFuncs, scheduled and lowered by Apache TVM, without TVM's runtime."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING

from tinygen.backends.c import KERNELS, portable_kernels
from tinygen.backends.lowering import lower
from tinygen.backends.options import CompileOptions
from tinygen.backends.utvm.tuning import Tuning, load_tuning
from tinygen.errors import TinygenError
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.paths import TEMPLATES
from tinygen.schedule.choose import Objective
from tinygen.schedule.layer_by_layer import layered_plan
from tinygen.schedule.storages import Rules
from tinygen.source_tree import SourceTree

if TYPE_CHECKING:  # importing it imports TVM
    from tinygen.backends.utvm.offers import Offers

LIMIT = 1.3
"""A tuned arena against backend c's of a layer at a time, at most, unless speed is all that is wanted."""


class Utvm:
    """TVM's kernels in tinygen's rows, schedule and arena; TVM is imported when something is compiled."""

    name = "utvm"
    summary = "portable C99 with kernels that Apache TVM schedules and lowers; no TVM on the board"
    numerics = (Numerics.LITERT, Numerics.TFLM)
    passes = True

    def available(self) -> str | None:
        if importlib.util.find_spec("tvm") is None:
            return 'apache-tvm is not installed, pip install "tinygen[utvm]" brings it'
        return None

    def features(self, graph: Graph) -> frozenset[str]:
        kernels = (k for op in graph.ops if not op.alias for n in self.numerics for k in op.kernels(graph, n))
        return frozenset({"dsp"}).union(*(kernel.requires for kernel in kernels))

    def compile(self, graph: Graph, options: CompileOptions, prefix: str) -> SourceTree:
        return self.compile_tuned(graph, options, prefix, load_tuning(options.tuning) if options.tuning else None)

    def compile_tuned(self, graph: Graph, options: CompileOptions, prefix: str, tuning: Tuning | None) -> SourceTree:
        """The graph as C with the best schedules of a tuning; raises what `compile` does.

        Raises:
            TinygenError: TG430 and TG431 where a schedule of the tuning cannot be used.
        """
        from tinygen.backends.utvm.offers import offers

        found = offers(graph, options, prefix, tuning, portable_kernels)
        tree = self._lowered(graph, options, prefix, tuning, found)
        return replace(
            tree,
            layers=tuple(replace(layer, schedule=found.schedules.get(layer.kernel, "")) for layer in tree.layers),
            tuned_for="" if tuning is None else tuning.target.brief,
        )

    def _lowered(
        self, graph: Graph, options: CompileOptions, prefix: str, tuning: Tuning | None, found: Offers
    ) -> SourceTree:
        """With a tuning the best schedules as far as the arena has room for their scratch."""
        folders = (TEMPLATES / "utvm" / "kernels", KERNELS)
        tree = lower(graph, found.kernels, options, prefix, folders, generated=found.header)
        if tuning is None or options.optimize is not Objective.BALANCED or options.ram_budget is not None:
            return tree
        limit = _limit(graph, options)
        if tree.plan.arena_bytes <= limit:
            return tree
        try:
            less = replace(options, ram_budget=limit)
            return lower(graph, found.kernels, less, prefix, folders, generated=found.header)
        except TinygenError as problem:
            if problem.code != "TG305":
                raise
        return lower(graph, found.smallest, options, prefix, folders, generated=found.header)


def _limit(graph: Graph, options: CompileOptions) -> int:
    """The largest arena that a tuning may make, in bytes: scratch of fast schedules can exceed a model's tensors."""
    kernels = [portable_kernels(op, graph, options) for op in graph.ops]
    rules = Rules(options.io_outside, options.pins)
    return int(LIMIT * layered_plan(graph, kernels, rules, keep_inputs=options.keep_inputs).arena_bytes)


BACKEND = Utvm()
