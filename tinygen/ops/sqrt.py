"""SQRT and RSQRT, int8 to int8 by tables of all 256 results."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.fixedpoint import Int, multiply_double_rounding, quantize_multiplier
from tinygen.ir.op import register
from tinygen.ir.tensor import Quantization
from tinygen.ops.check import Check
from tinygen.ops.inverse_root import inverse_root
from tinygen.ops.table import TableOp

_FRACTION = 20
"""Fractional bits of a reciprocal root before it is rescaled."""


@register("SQRT")
@dataclass(frozen=True, kw_only=True)
class Sqrt(TableOp):
    """In float32, cut off towards zero. Below the zero point, where LiteRT stops the inference, the root of 0."""

    kind: ClassVar[str] = "SQRT"

    def check_scales(self, check: Check, source: Quantization, result: Quantization) -> None:
        most = math.sqrt(255 * source.scale) / result.scale
        if not most < 1 << 30:
            check.report("TG205", f"roots must be below {1 << 30} times the output scale, found {most:.6g}")

    def table(self, steps: Int, source: Quantization, result: Quantization) -> Int:
        roots = np.sqrt(np.float32(source.scale) * np.maximum(steps, 0).astype(np.float32))
        return np.asarray(roots / np.float32(result.scale), np.int64) + result.zero_point


@register("RSQRT")
@dataclass(frozen=True, kw_only=True)
class Rsqrt(TableOp):
    """In LiteRT's fixed-point arithmetic. Of zero the largest output, and below it too, where LiteRT stops."""

    kind: ClassVar[str] = "RSQRT"

    def check_scales(self, check: Check, source: Quantization, result: Quantization) -> None:
        factor = _factor(source, result)
        # The reciprocal root of one has 20 fractional bits; the shift left must leave it within int32.
        if not factor < 1 << 30:
            found = f"found {factor:.6g}"
            check.report("TG205", f"1 / (sqrt(input scale) * output scale) must be below {1 << 30}, {found}")

    def table(self, steps: Int, source: Quantization, result: Quantization) -> Int:
        multiplier, shift = quantize_multiplier(_factor(source, result))
        roots = []
        for value in steps.tolist():
            root, exponent = inverse_root(value) if value > 0 else (0, 0)
            roots.append(int(multiply_double_rounding(1, root, exponent + _FRACTION)))
        values = multiply_double_rounding(np.array(roots), multiplier, shift - _FRACTION) + result.zero_point
        return np.where(steps > 0, values, 127)


def _factor(source: Quantization, result: Quantization) -> float:
    """1 / (sqrt(input scale) * output scale), the product in float32."""
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        product = np.sqrt(np.float32(source.scale)) * np.float32(result.scale)
        return float(1 / np.float64(product))
