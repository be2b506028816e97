"""REDUCE_MAX and REDUCE_MIN over any dimensions, int8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from tinygen.ir.call import TOGETHER, Call, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Array, Tensor
from tinygen.ops.check import Check
from tinygen.ops.reduction import Reduction


class _Extreme(Reduction):
    """Bytes are compared: as in LiteRT, input and output have the same scale and zero point."""

    symbol: ClassVar[str]
    ufunc: ClassVar[np.ufunc]

    def check_elements(self, check: Check, graph: Graph, source: Tensor, output: Tensor) -> None:
        check.same_quantization(source, output)
        if not self.count(graph):
            check.report("TG203", "at least 1 element can be reduced, found 0", source)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = inputs[0]
        if x is None:
            raise ValueError("reference needs a verified operator")
        result = np.asarray(self.ufunc.reduce(x, tuple(self.axes(graph))), x.dtype)
        return (result.reshape(self.output(graph).shape),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics are the same here."""
        return (self._kernel(graph),)

    def _kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        rows, loops = self.rows(graph), self.loops(graph, pitches)
        header, params, fields = "reduce_extreme_s8.h", "tg_reduce_extreme_s8_params", loops.fields()
        if rows.accumulates:
            args = ("y", "rows", "out", "acc")
            symbol, held = f"tg_reduce_{self.symbol}_rows_s8", loops.results
            call = Call(symbol, header, fields, args, accumulator_bytes=held, params=params)
        else:
            call = Call(f"tg_reduce_{self.symbol}_s8", header, fields, params=params)
        results = rows.steps * loops.results
        instructions = self.input(graph, 0).elements * 5 + results * (12 + 5 * loops.lines.count)
        apart = partial(self._kernel, graph) if self.follows_pixels(graph) else None
        return Kernel(f"reduce_{self.symbol}_s8", instructions, 0, 0, lambda: call, apart=apart)


@register("REDUCE_MAX")
@dataclass(frozen=True, kw_only=True)
class ReduceMax(_Extreme):
    """The largest element."""

    kind: ClassVar[str] = "REDUCE_MAX"
    symbol: ClassVar[str] = "max"
    ufunc: ClassVar[np.ufunc] = np.maximum


@register("REDUCE_MIN")
@dataclass(frozen=True, kw_only=True)
class ReduceMin(_Extreme):
    """The smallest element."""

    kind: ClassVar[str] = "REDUCE_MIN"
    symbol: ClassVar[str] = "min"
    ufunc: ClassVar[np.ufunc] = np.minimum
