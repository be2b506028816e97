"""PRELU: x where x is positive, alpha * x where it is negative, alpha being a constant for each channel or element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.fixedpoint import quantize_multiplier
from tinygen.ir.call import TOGETHER, Call, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, register
from tinygen.ir.rows import Rows
from tinygen.ir.tensor import Array, Quantization
from tinygen.ops.broadcast import broadcast, check_broadcast
from tinygen.ops.check import Check
from tinygen.ops.rescale import check_factor, rescale, single_product, single_ratio


@register("PRELU")
@dataclass(frozen=True, kw_only=True)
class Prelu(Op):
    """Inputs: activation, constant alpha that broadcasts to its shape.

    Both slopes have factors of their own, each applied with double rounding. LiteRT computes them from the scales in
    float32, TFLM in double.
    """

    kind: ClassVar[str] = "PRELU"

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2):
            return iter(check.found)
        source, alpha, output = check.activation(0), check.activation(1, "alpha"), check.output_activation()
        if source is None or alpha is None or output is None or not check.constant(alpha, "alpha"):
            return iter(check.found)
        if check.shape(output, "output", source.shape):
            check_broadcast(check, source, alpha, output)
        if source.quant is not None and alpha.quant is not None and output.quant is not None:
            for factor in _factors(source.quant, alpha.quant, output.quant, Numerics.LITERT):
                check_factor(check, factor)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x, alpha = inputs
        if x is None or alpha is None:
            raise ValueError("reference needs a verified operator")
        source, slope, result = self._quantizations(graph)
        positive, negative = _factors(source, slope, result, numerics)
        values = x.astype(np.int64) - source.zero_point
        slopes = alpha.astype(np.int64) - slope.zero_point
        above = rescale(values, positive, result.zero_point, (-128, 127))
        below = rescale(values * slopes, negative, result.zero_point, (-128, 127))
        return (np.where(values >= 0, above, below).astype(np.int8),)

    def rows(self, graph: Graph) -> Rows:
        return broadcast(self, graph).rows()

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (self._kernel(graph, numerics),)

    def _kernel(self, graph: Graph, numerics: Numerics, pitches: Pitches = TOGETHER) -> Kernel:
        """The activation is the operand that comes first: it has the output's shape, and is no constant."""
        shape = broadcast(self, graph, pitches)
        source, slope, result = self._quantizations(graph)
        positive, negative = _factors(source, slope, result, numerics)
        fields = (
            *shape.fields(),
            Field("a_zero_point", source.zero_point, ""),
            Field("b_zero_point", slope.zero_point, ""),
            *_factor_fields("positive", positive),
            *_factor_fields("negative", negative),
            Field("zero_point", result.zero_point, ""),
        )
        return Kernel(
            name="prelu_s8",
            instructions=shape.steps * (20 + 15 * shape.elements),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call("tg_prelu_s8", "prelu_s8.h", fields, args=("y", "rows", "out")),
            in_place=shape.in_place,
            apart=partial(self._kernel, graph, numerics),
        )

    def _quantizations(self, graph: Graph) -> tuple[Quantization, Quantization, Quantization]:
        """Those of the activation, of alpha and of the output."""
        source, slope, result = self.input(graph, 0).quant, self.input(graph, 1).quant, self.output(graph).quant
        if source is None or slope is None or result is None:
            raise ValueError("kernels and references need a verified operator")
        return source, slope, result


def _factors(
    source: Quantization, slope: Quantization, result: Quantization, numerics: Numerics
) -> tuple[float, float]:
    """From the input's scale to the output's for positive values, and for negative ones times alpha's scale."""
    if numerics is Numerics.TFLM:
        return source.scale / result.scale, source.scale * slope.scale / result.scale
    product = single_product(source.scale, slope.scale)
    return single_ratio(source.scale, result.scale), single_ratio(product, result.scale)


def _factor_fields(prefix: str, factor: float) -> tuple[Field, Field, Field]:
    multiplier, shift = quantize_multiplier(factor)
    return (
        Field(f"{prefix}_multiplier", multiplier, f"of {factor:.9g}"),
        Field(f"{prefix}_left", max(shift, 0), ""),
        Field(f"{prefix}_right", max(-shift, 0), ""),
    )
