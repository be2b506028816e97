"""The backend whose layers call CMSIS-NN, and tinygen's portable kernels where CMSIS-NN has none.

One file per operator with `kernels(op, graph, unit)` and the library's `SOURCES`, found by the operator's name.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from tinygen.backends.c import BACKEND as PORTABLE
from tinygen.backends.c import KERNELS, portable_kernels
from tinygen.backends.cmsis_nn.library import cmsis_nn
from tinygen.backends.cmsis_nn.scratch import unit
from tinygen.backends.lowering import lower
from tinygen.backends.options import CompileOptions
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op
from tinygen.paths import TEMPLATES
from tinygen.source_tree import SourceTree


class CmsisNn:
    """Arm's kernels under tinygen's schedule and plan."""

    name = "cmsis-nn"
    summary = "calls CMSIS-NN, and tinygen's own kernels where it has none; builds need CMSIS_NN_DIR"
    numerics = (Numerics.TFLM,)
    passes = True

    def available(self) -> str | None:
        return None

    def features(self, graph: Graph) -> frozenset[str]:
        return PORTABLE.features(graph) | {"dsp", "mve"}

    def compile(self, graph: Graph, options: CompileOptions, prefix: str) -> SourceTree:
        offers, sources, functions = [], set[str](), set[str]()
        for op in graph.ops:
            calls = _calls(op, graph, options)
            if calls and (module := _module(op)) is not None:
                sources.update(module.SOURCES)
                functions.update(kernel.name.partition(",")[0] for kernel in calls)
            offers.append(calls or portable_kernels(op, graph, options))
        return lower(
            graph,
            offers,
            options,
            prefix,
            (TEMPLATES / "cmsis_nn" / "kernels", KERNELS),
            (cmsis_nn(sources, functions),) if sources else (),
            status="tg_cmsis_nn_status" if sources else "",
        )


def _module(op: Op) -> ModuleType | None:
    """The file of an operator, if there is one."""
    name = f"{__name__}.{op.kind.lower()}"
    return importlib.import_module(name) if importlib.util.find_spec(name) is not None else None


def _calls(op: Op, graph: Graph, options: CompileOptions) -> tuple[Kernel, ...]:
    module = None if op.alias else _module(op)
    if module is None:
        return ()
    found: tuple[Kernel, ...] = module.kernels(op, graph, unit(options.features))
    return found


BACKEND = CmsisNn()
