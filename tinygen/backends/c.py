"""The default backend: portable C99 that depends on nothing."""

from __future__ import annotations

from tinygen.backends.lowering import lower
from tinygen.backends.options import CompileOptions
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op
from tinygen.paths import TEMPLATES
from tinygen.source_tree import SourceTree

KERNELS = TEMPLATES / "c" / "kernels"


class PortableC:
    """tinygen's own row kernels, scheduled row by row."""

    name = "c"
    summary = "portable C99 with tinygen's own kernels; depends on nothing"
    numerics = (Numerics.LITERT, Numerics.TFLM)
    passes = True

    def available(self) -> str | None:
        return None

    def features(self, graph: Graph) -> frozenset[str]:
        kernels = (k for op in graph.ops if not op.alias for n in self.numerics for k in op.kernels(graph, n))
        return frozenset(feature for kernel in kernels for feature in kernel.requires)

    def compile(self, graph: Graph, options: CompileOptions, prefix: str) -> SourceTree:
        offers = [portable_kernels(op, graph, options) for op in graph.ops]
        return lower(graph, offers, options, prefix, (KERNELS,))


def portable_kernels(op: Op, graph: Graph, options: CompileOptions) -> tuple[Kernel, ...]:
    """The kernels that can compute an operator on the core; none for an alias, which has nothing to compute."""
    kernels = () if op.alias else op.kernels(graph, options.rounding)
    return tuple(kernel for kernel in kernels if kernel.requires <= options.features)


BACKEND = PortableC()
