"""MUL of two int8 activations or constants, with broadcasting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Diagnostic, Origin
from tinygen.fixedpoint import quantize_multiplier
from tinygen.ir.call import Call, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.rows import Rows
from tinygen.ir.tensor import Array, Quantization
from tinygen.ops.activation import Activation, activation_range
from tinygen.ops.broadcast import broadcast, check_broadcast
from tinygen.ops.check import Check
from tinygen.ops.rescale import check_factor, rescale, single_product, single_ratio


@register("MUL")
@dataclass(frozen=True, kw_only=True)
class Mul(Op):
    """(a - zero point) * (b - zero point), rescaled to the output's scale.

    LiteRT computes the factor from the three scales in float32, TFLM in double: it can differ in the last bits.
    """

    kind: ClassVar[str] = "MUL"
    activation: Activation

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        activation = Activation[options.enum("fused_activation_function")]
        return cls(inputs=inputs, outputs=outputs, origin=origin, activation=activation)

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2):
            return iter(check.found)
        a, b, output = check.activation(0, "input 0"), check.activation(1, "input 1"), check.output_activation()
        check.clamp(self.activation)
        if a is None or b is None or output is None:
            return iter(check.found)
        check_broadcast(check, a, b, output)
        if a.quant is not None and b.quant is not None and output.quant is not None:
            check_factor(check, _factor(a.quant, b.quant, output.quant, Numerics.LITERT))
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        a, b = inputs
        a_quant, b_quant, result = self._quant(graph)
        if a is None or b is None:
            raise ValueError("reference needs a verified operator")
        product = (a.astype(np.int64) - a_quant.zero_point) * (b.astype(np.int64) - b_quant.zero_point)
        factor = _factor(a_quant, b_quant, result, numerics)
        limits = activation_range(self.activation, result, self.output(graph).dtype)
        return (rescale(product, factor, result.zero_point, limits).astype(np.int8),)

    def rows(self, graph: Graph) -> Rows:
        return broadcast(self, graph).rows()

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        shape = broadcast(self, graph)
        quants = self._quant(graph)
        result = quants[2]
        factor = _factor(*quants, numerics)
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
        kernel = Kernel(
            name="mul_s8",
            instructions=shape.steps * (20 + 15 * shape.elements),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call("tg_mul_s8", "mul_s8.h", fields, args=("y", "rows", "out")),
        )
        return (kernel,)

    def _quant(self, graph: Graph) -> tuple[Quantization, Quantization, Quantization]:
        a, b, result = self.input(graph, 0).quant, self.input(graph, 1).quant, self.output(graph).quant
        if a is None or b is None or result is None:
            raise ValueError("kernels and references need a verified operator")
        return a, b, result


def _factor(a: Quantization, b: Quantization, result: Quantization, numerics: Numerics) -> float:
    if numerics is Numerics.TFLM:
        return a.scale * b.scale / result.scale
    return single_ratio(single_product(a.scale, b.scale), result.scale)
