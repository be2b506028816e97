"""Rescaling of element-wise operators: factors from scales, and the range in which they are exact."""

from __future__ import annotations

import numpy as np

from tinygen.fixedpoint import Int, multiply_double_rounding, quantize_multiplier
from tinygen.ops.check import Check

MOST_FACTOR = 8192.0
"""Larger factors leave int32 in LiteRT's arithmetic; with 8-bit outputs they would saturate everything anyway."""


def single_ratio(numerator: float, denominator: float) -> float:
    """numerator / denominator of float32 scales in float32 arithmetic, infinite where it overflows."""
    with np.errstate(over="ignore"):
        return float(np.float32(numerator) / np.float32(denominator))


def single_product(a: float, b: float) -> float:
    """a * b of float32 scales in float32 arithmetic, infinite where it overflows."""
    with np.errstate(over="ignore"):
        return float(np.float32(a) * np.float32(b))


def check_factor(check: Check, factor: float) -> None:
    """Reports a factor from the inputs' scale to the output's that is too large."""
    if not factor <= MOST_FACTOR:
        found = f"found a factor of {factor:.6g}"
        check.report("TG205", f"input scale divided by output scale must be at most {MOST_FACTOR:.0f}, {found}")


def rescale(values: Int, factor: float, zero_point: int, limits: tuple[int, int]) -> Int:
    """values * factor + zero_point with TFLite's double rounding, clamped."""
    return np.clip(multiply_double_rounding(values, *quantize_multiplier(factor)) + zero_point, *limits)
