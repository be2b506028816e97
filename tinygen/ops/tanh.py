"""TANH, int8 to int8 by a table of all 256 results."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tinygen.fixedpoint import Int, multiply_double_rounding, quantize_multiplier, rounding_shift
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Quantization
from tinygen.ops.exponential import complement_quotient, exp_of_negative
from tinygen.ops.table import BoundedOp

_INPUT_BITS = 4
"""Integer bits of the real input in the fixed-point arithmetic; larger inputs saturate."""


@register("TANH")
@dataclass(frozen=True, kw_only=True)
class Tanh(BoundedOp):
    """The output is always scale 1/128, zero point 0. LiteRT computes in float32, TFLM in fixed point."""

    kind: ClassVar[str] = "TANH"
    steps_of_one: ClassVar[int] = 128
    zero_point: ClassVar[int] = 0

    def table(self, steps: Int, source: Quantization, numerics: Numerics) -> Int:
        return _fixed_point(steps, source.scale) if numerics is Numerics.TFLM else _float32(steps, source.scale)


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
