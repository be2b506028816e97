"""MEAN over any dimensions, int8, rescaled from the input's scale to the output's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Diagnostic, Origin
from tinygen.fixedpoint import quantize_multiplier
from tinygen.ir.call import TOGETHER, Call, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.rows import SAME_ROW, WHOLE, Rows
from tinygen.ir.tensor import Array, DType, geometry
from tinygen.ops.broadcast import contiguous_strides
from tinygen.ops.check import Check
from tinygen.ops.requantize import requantize

MAX_COUNT = 1 << 23
"""Averaged elements; more could overflow a 32-bit sum of differences to the zero point."""


@dataclass(frozen=True)
class _Dimension:
    """Neighbouring dimensions that are all kept or all averaged, as one."""

    count: int
    stride: int
    averaged: bool


_ABSENT = _Dimension(1, 0, False)


@register("MEAN")
@dataclass(frozen=True, kw_only=True)
class Mean(Op):
    """Inputs: activation, constant dimensions to average over (negative ones count from the end)."""

    kind: ClassVar[str] = "MEAN"
    keep_dims: bool

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(inputs=inputs, outputs=outputs, origin=origin, keep_dims=options.boolean("keep_dims"))

    def axes(self, graph: Graph) -> frozenset[int]:
        """The dimensions averaged over."""
        data, rank = self.input(graph, 1).data, len(self.input(graph, 0).shape)
        if data is None:
            raise ValueError("the dimensions of a mean must be constant")
        return frozenset(int(a) % rank for a in data.reshape(-1))

    def count(self, graph: Graph) -> int:
        """Elements averaged into one output element."""
        shape = self.input(graph, 0).shape
        return prod(shape[a] for a in self.axes(graph))

    def rows(self, graph: Graph) -> Rows:
        """Rows are accumulated one at a time where they are averaged over, and independent where they stay rows."""
        steps = geometry(self.input(graph, 0).shape)[0]
        if steps > 1 and 1 in self.axes(graph):
            return Rows(steps=steps, inputs=((0, SAME_ROW),), writes_row=False, accumulates=True)
        output = self.output(graph).shape
        if steps > 1 and len(output) > 2 and output[:2] == (1, steps):
            return Rows(steps=steps, inputs=((0, SAME_ROW),))
        return Rows(steps=1, inputs=((0, WHOLE),), writes_row=False)

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2):
            return iter(check.found)
        source = check.activation(0, "input", 1, 2, 3, 4)
        axes = check.input(1, "axis")
        output = check.output_activation()
        if source is None or axes is None or output is None:
            return iter(check.found)
        if not (check.dtype(axes, "axis", DType.INT32) and check.constant(axes, "axis")) or axes.data is None:
            return iter(check.found)
        rank = len(source.shape)
        found = [int(a) for a in axes.data.reshape(-1)]
        if any(not -rank <= a < rank for a in found):
            check.report("TG204", f"axis must be within {-rank} to {rank - 1}, found {found}", axes)
            return iter(check.found)
        averaged = self.axes(graph)
        kept = tuple(
            1 if a in averaged else n for a, n in enumerate(source.shape) if self.keep_dims or a not in averaged
        )
        check.shape(output, "output", kept)
        if not 1 <= self.count(graph) <= MAX_COUNT:
            check.report("TG203", f"1 to {MAX_COUNT} elements can be averaged, found {self.count(graph)}", source)
        if check.clean and 255 * self.count(graph) << max(self.factor(graph)[1], 0) >= 1 << 31:
            check.report("TG205", "input scale divided by output scale takes sums beyond 32 bits", source)
        return iter(check.found)

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
        rows = self.rows(graph)
        pitch = pitches.of_input(0, source.shape[-1])
        dimensions = self._dimensions(graph, 0 if rows.inputs[0][1] is WHOLE else 2, pitch)
        outer, inner = _pair([d for d in dimensions if not d.averaged])
        # The longer of the averaged dimensions goes innermost, where an iteration costs least.
        lines, line = sorted(_pair([d for d in dimensions if d.averaged]), key=lambda d: d.count)
        multiplier, shift = self.factor(graph)
        fields = (
            Field("steps", rows.steps if rows.accumulates else 1),
            Field("outer_count", outer.count),
            Field("outer_stride", outer.stride),
            Field("inner_count", inner.count),
            Field("inner_stride", inner.stride),
            Field("lines", lines.count),
            Field("line_stride", lines.stride),
            Field("line_count", line.count),
            Field("element_stride", line.stride),
            Field("offset", -source.quant.zero_point * self.count(graph)),
            Field(
                "multiplier", multiplier, f"{source.quant.scale:.9g} / {output.quant.scale:.9g} / {self.count(graph)}"
            ),
            Field("shift", shift),
            Field("zero_point", output.quant.zero_point),
        )
        sums = outer.count * inner.count
        if rows.accumulates:
            args = ("y", "rows", "out", "acc")
            call = Call(
                "tg_mean_rows_s8", "mean_s8.h", fields, args, accumulator_bytes=4 * sums, params="tg_mean_s8_params"
            )
        else:
            call = Call("tg_mean_s8", "mean_s8.h", fields)
        instructions = source.elements * 4 + rows.steps * sums * (10 + 5 * lines.count) + output.elements * 25
        # Pixels may lie apart where they are averaged over and channels are kept: those two are never merged then.
        pooled = len(source.shape) == 4 and self.axes(graph) & {2, 3} == {2}
        apart = partial(self._kernel, graph) if pooled else None
        return Kernel("mean_s8", instructions, 0, 0, lambda: call, apart=apart)

    def _dimensions(self, graph: Graph, begin: int, pitch: int) -> list[_Dimension]:
        """The input's dimensions from `begin` on, neighbours merged where both are kept or both averaged.

        Its pixels are `pitch` bytes apart.
        """
        shape, axes = self.input(graph, 0).shape, self.axes(graph)
        strides = contiguous_strides(shape, pitch)
        merged: list[_Dimension] = []
        for axis in range(begin, len(shape)):
            if shape[axis] == 1:
                continue
            stride, averaged = strides[axis], axis in axes
            if merged and merged[-1].averaged == averaged:
                merged[-1] = _Dimension(merged[-1].count * shape[axis], stride, averaged)
            else:
                merged.append(_Dimension(shape[axis], stride, averaged))
        return merged


def _pair(dimensions: list[_Dimension]) -> tuple[_Dimension, _Dimension]:
    """At most two dimensions are left of four, as kept and averaged ones alternate."""
    first, second = [_ABSENT] * (2 - len(dimensions)) + dimensions
    return first, second
