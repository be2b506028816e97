"""TANH, int8 to int8 by a table of all 256 results."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import Diagnostic
from tinygen.fixedpoint import Int, multiply_double_rounding, quantize_multiplier, rounding_shift
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Array, DType
from tinygen.ops.check import Check
from tinygen.ops.elementwise import ElementwiseOp, apply_table, byte_values, check_unary, table_kernel
from tinygen.ops.exponential import complement_quotient, exp_of_negative

_INPUT_BITS = 4
"""Integer bits of the real input in the fixed-point arithmetic; larger inputs saturate."""


@register("TANH")
@dataclass(frozen=True, kw_only=True)
class Tanh(ElementwiseOp):
    """The output is always scale 1/128, zero point 0. LiteRT computes in float32, TFLM in fixed point."""

    kind: ClassVar[str] = "TANH"

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if check_unary(check) is None:
            return iter(check.found)
        check.activation(0)
        output = check.output_activation()
        quant = output.quant if output is not None else None
        if quant is not None and (quant.scale != 1 / 128 or quant.zero_point != 0):
            message = f"output must have scale 1/128 and zero point 0, found {quant.scale:g} and {quant.zero_point}"
            check.report("TG205", message, output)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = inputs[0]
        if x is None:
            raise ValueError("reference needs a verified operator")
        return (apply_table(self._table(graph, numerics), x),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (table_kernel(graph, self, self._table(graph, numerics)),)

    def _table(self, graph: Graph, numerics: Numerics) -> Array:
        quant = self.input(graph, 0).quant
        if quant is None:
            raise ValueError("the table needs a verified operator")
        steps = byte_values(DType.INT8) - quant.zero_point
        result = _fixed_point(steps, quant.scale) if numerics is Numerics.TFLM else _float32(steps, quant.scale)
        return np.clip(result, -128, 127).astype(np.int8)


def _float32(steps: Int, scale: float) -> Int:
    """128 * tanh(x), every operation rounded to float32, ties away from zero.

    Ties are decided by tanh's last bit: it is that of fdlibm's tanhf, which the C libraries have, by way of expm1.
    """
    with np.errstate(over="ignore"):
        x = np.abs(np.float32(scale) * steps.astype(np.float32))
        large = np.float32(1) - np.float32(2) / (_expm1(2 * x) + np.float32(2))
    small = -_expm1(-2 * x)
    tanh = np.where(x >= 1, large, small / (np.float32(2) - small))
    return np.asarray(np.sign(steps) * np.floor(tanh * np.float32(128) + np.float32(0.5)), np.int64)


def _expm1(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """exp(x) - 1, rounded to float32."""
    return np.expm1(x.astype(np.float64)).astype(np.float32)


def _fixed_point(steps: Int, scale: float) -> Int:
    """128 * tanh(x) in TFLM's arithmetic: x in 4 integer bits, the result in none, rounded to 8 bits.

    tanh(x) = (1 - e) / (1 + e) with e = exp(-2x); twice a number is the same bits with one integer bit more.
    """
    multiplier, shift = quantize_multiplier(scale * (1 << (31 - _INPUT_BITS)))
    radius = math.floor(math.ldexp((1 << _INPUT_BITS) - 1, 31 - _INPUT_BITS - shift))
    inside = np.where(np.abs(steps) < radius, steps, 0)
    x = multiply_double_rounding(inside, multiplier, min(shift, 31))
    magnitude = complement_quotient(exp_of_negative(-np.abs(x), _INPUT_BITS + 1))
    rounded = rounding_shift(np.sign(x) * magnitude, 31 - 7)
    return np.where(steps <= -radius, -128, np.where(steps >= radius, 127, rounded))
