"""MUL of two int8 activations or constants, with broadcasting."""

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
from tinygen.ir.tensor import Array, Quantization
from tinygen.ops.activation import activation_range
from tinygen.ops.binary import BinaryOp
from tinygen.ops.broadcast import broadcast
from tinygen.ops.check import Check
from tinygen.ops.rescale import check_factor, rescale, single_product, single_ratio


@register("MUL")
@dataclass(frozen=True, kw_only=True)
class Mul(BinaryOp):
    """(a - zero point) * (b - zero point), rescaled to the output's scale.

    LiteRT computes the factor from the three scales in float32, TFLM in double: it can differ in the last bits.
    """

    kind: ClassVar[str] = "MUL"

    def check_scales(self, check: Check, a: Quantization, b: Quantization, result: Quantization) -> None:
        check_factor(check, _factor(a, b, result, Numerics.LITERT))

    def factor(self, graph: Graph, numerics: Numerics) -> float:
        """What the product of the two operands is multiplied by."""
        return _factor(*self.quantizations(graph), numerics)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        a, b = inputs
        a_quant, b_quant, result = self.quantizations(graph)
        if a is None or b is None:
            raise ValueError("reference needs a verified operator")
        product = (a.astype(np.int64) - a_quant.zero_point) * (b.astype(np.int64) - b_quant.zero_point)
        factor = self.factor(graph, numerics)
        limits = activation_range(self.activation, result, self.output(graph).dtype)
        return (rescale(product, factor, result.zero_point, limits).astype(np.int8),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (self._kernel(graph, numerics),)

    def _kernel(self, graph: Graph, numerics: Numerics, pitches: Pitches = TOGETHER) -> Kernel:
        shape = broadcast(self, graph, pitches)
        quants = self.quantizations(graph)
        result = quants[2]
        factor = self.factor(graph, numerics)
        multiplier, shift = quantize_multiplier(factor)
        low, high = activation_range(self.activation, result, self.output(graph).dtype)
        a, b = (quants[operand.position] for operand in shape.operands)
        fields = (
            *shape.fields(),
            Field("a_zero_point", a.zero_point, ""),
            Field("b_zero_point", b.zero_point, ""),
            Field("multiplier", multiplier, f"of {factor:.9g}"),
            Field("left", max(shift, 0), ""),
            Field("right", max(-shift, 0), ""),
            Field("zero_point", result.zero_point, ""),
            Field("activation_min", low, ""),
            Field("activation_max", high, ""),
        )
        return Kernel(
            name="mul_s8",
            instructions=shape.steps * (20 + 15 * shape.elements),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call("tg_mul_s8", "mul_s8.h", fields, args=("y", "rows", "out")),
            in_place=shape.in_place,
            apart=partial(self._kernel, graph, numerics),
        )


def _factor(a: Quantization, b: Quantization, result: Quantization, numerics: Numerics) -> float:
    if numerics is Numerics.TFLM:
        return a.scale * b.scale / result.scale
    return single_ratio(single_product(a.scale, b.scale), result.scale)
