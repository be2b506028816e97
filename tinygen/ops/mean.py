"""MEAN over any dimensions, int8, rescaled from the input's scale to the output's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from tinygen.fixedpoint import quantize_multiplier
from tinygen.ir.call import TOGETHER, Call, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Array, Tensor
from tinygen.ops.check import Check
from tinygen.ops.reduction import Reduction
from tinygen.ops.requantize import requantize

MAX_COUNT = 1 << 23
"""Averaged elements; more could overflow a 32-bit sum of differences to the zero point."""


@register("MEAN")
@dataclass(frozen=True, kw_only=True)
class Mean(Reduction):
    """Sums of differences to the zero point, the division being part of the factor."""

    kind: ClassVar[str] = "MEAN"

    def check_elements(self, check: Check, graph: Graph, source: Tensor, output: Tensor) -> None:
        if not 1 <= self.count(graph) <= MAX_COUNT:
            check.report("TG203", f"1 to {MAX_COUNT} elements can be averaged, found {self.count(graph)}", source)
        if check.clean and 255 * self.count(graph) << max(self.factor(graph)[1], 0) >= 1 << 31:
            check.report("TG205", "input scale divided by output scale takes sums beyond 32 bits", source)

    def factor(self, graph: Graph) -> tuple[int, int]:
        """Multiplier and shift of a sum: the quotient of the scales, with the division folded in as LiteRT does it."""
        source, result = self.input(graph, 0).quant, self.output(graph).quant
        if source is None or result is None:
            raise ValueError("the factor needs a verified operator")
        multiplier, shift = quantize_multiplier(source.scale / result.scale)
        count = self.count(graph)
        spare = min(count.bit_length() - 1, 32, 31 + shift)
        return (multiplier << spare) // count, shift - spare

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        source, output, x = self.input(graph, 0).quant, self.output(graph), inputs[0]
        if x is None or source is None or output.quant is None:
            raise ValueError("reference needs a verified operator")
        sums = x.sum(tuple(self.axes(graph)), dtype=np.int64) - source.zero_point * self.count(graph)
        result = requantize(sums, *self.factor(graph), output.quant.zero_point, (-128, 127))
        return (result.reshape(output.shape),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (self._kernel(graph),)

    def _kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        source, output = self.input(graph, 0), self.output(graph)
        if source.quant is None or output.quant is None:
            raise ValueError("kernels need a verified operator")
        rows, loops = self.rows(graph), self.loops(graph, pitches)
        multiplier, shift = self.factor(graph)
        fields = (
            *loops.fields(),
            Field("offset", -source.quant.zero_point * self.count(graph)),
            Field(
                "multiplier", multiplier, f"{source.quant.scale:.9g} / {output.quant.scale:.9g} / {self.count(graph)}"
            ),
            Field("shift", shift),
            Field("zero_point", output.quant.zero_point),
        )
        sums = loops.results
        if rows.accumulates:
            args = ("y", "rows", "out", "acc")
            call = Call(
                "tg_mean_rows_s8", "mean_s8.h", fields, args, accumulator_bytes=4 * sums, params="tg_mean_s8_params"
            )
        else:
            call = Call("tg_mean_s8", "mean_s8.h", fields)
        instructions = source.elements * 4 + rows.steps * sums * (10 + 5 * loops.lines.count) + output.elements * 25
        apart = partial(self._kernel, graph) if self.follows_pixels(graph) else None
        return Kernel("mean_s8", instructions, 0, 0, lambda: call, apart=apart)
