"""LOGISTIC, 1 / (1 + exp(-x)), int8 to int8 by a table of all 256 results."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.fixedpoint import Int, multiply_double_rounding, quantize_multiplier, rounding_shift
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Quantization
from tinygen.ops.exponential import ONE, exp_of_negative, half_reciprocal
from tinygen.ops.table import BoundedOp

_INPUT_BITS = 4
"""Integer bits of the real input in TFLM's fixed-point arithmetic; larger inputs saturate."""


@register("LOGISTIC")
@dataclass(frozen=True, kw_only=True)
class Logistic(BoundedOp):
    """The output is always scale 1/256, zero point -128. LiteRT computes in float32, TFLM in fixed point."""

    kind: ClassVar[str] = "LOGISTIC"
    steps_of_one: ClassVar[int] = 256
    zero_point: ClassVar[int] = -128

    def table(self, steps: Int, source: Quantization, numerics: Numerics) -> Int:
        fixed = numerics is Numerics.TFLM
        return (_fixed_point(steps, source.scale) if fixed else _float32(steps, source)) + self.zero_point


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
