"""The `utvm` backend: operators as integer PrimFuncs, scheduled and lowered by Apache TVM, without TVM's runtime."""

from __future__ import annotations

import importlib.util

from tinygen.backends.c import KERNELS, portable_kernels
from tinygen.backends.lowering import lower
from tinygen.backends.options import CompileOptions
from tinygen.backends.utvm.tuning import Tuning, load_tuning
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.paths import TEMPLATES
from tinygen.source_tree import SourceTree


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
        folders = (TEMPLATES / "utvm" / "kernels", KERNELS)
        return lower(graph, found.kernels, options, prefix, folders, generated=found.header)


BACKEND = Utvm()
