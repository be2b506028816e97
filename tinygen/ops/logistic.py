"""LOGISTIC, 1 / (1 + exp(-x)), int8 to int8 by a table of all 256 results."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.fixedpoint import Int, multiply_double_rounding, quantize_multiplier, rounding_shift
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Array, DType, Quantization
from tinygen.ops.check import Check
from tinygen.ops.elementwise import ElementwiseOp, apply_table, byte_values, check_unary, table_kernel
from tinygen.ops.exponential import ONE, exp_of_negative, half_reciprocal

_INPUT_BITS = 4
"""Integer bits of the real input in TFLM's fixed-point arithmetic; larger inputs saturate."""


@register("LOGISTIC")
@dataclass(frozen=True, kw_only=True)
class Logistic(ElementwiseOp):
    """The output is always scale 1/256, zero point -128. LiteRT computes in float32, TFLM in fixed point."""

    kind: ClassVar[str] = "LOGISTIC"

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if check_unary(check) is None:
            return iter(check.found)
        check.activation(0)
        output = check.output_activation()
        quant = output.quant if output is not None else None
        if quant is not None and (quant.scale != 1 / 256 or quant.zero_point != -128):
            message = f"output must have scale 1/256 and zero point -128, found {quant.scale:g} and {quant.zero_point}"
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
        result = _fixed_point(steps, quant.scale) if numerics is Numerics.TFLM else _float32(steps, quant)
        return np.clip(result - 128, -128, 127).astype(np.int8)


def _float32(steps: Int, quant: Quantization) -> Int:
    """256 / (1 + exp(-x)), every operation rounded to float32, the last rounding half up."""
    with np.errstate(over="ignore"):
        x = np.float32(quant.scale) * steps.astype(np.float32)
        exps = np.exp(-x.astype(np.float64)).astype(np.float32)
    return np.asarray(np.floor(np.float32(256) / (np.float32(1) + exps) + np.float32(0.5)), np.int64)


def _fixed_point(steps: Int, scale: float) -> Int:
    """256 / (1 + exp(-x)) in TFLM's arithmetic: x in 4 integer bits, the result in none, rounded to 8 bits."""
    multiplier, shift = quantize_multiplier(scale * (1 << (31 - _INPUT_BITS)))
    radius = math.floor(math.ldexp((1 << _INPUT_BITS) - 1, 31 - _INPUT_BITS - shift))
    inside = np.where(np.abs(steps) < radius, steps, 0)
    x = multiply_double_rounding(inside, multiplier, min(shift, 31))
    positive = half_reciprocal((exp_of_negative(-np.abs(x), _INPUT_BITS) + (1 << 31)) >> 1)
    result = np.where(x > 0, positive, np.where(x < 0, ONE - positive, 1 << 30))
    rounded = rounding_shift(result, 31 - 8)
    return np.where(steps <= -radius, 0, np.where(steps >= radius, 256, rounded))
