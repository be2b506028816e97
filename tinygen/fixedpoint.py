"""TFLite's integer arithmetic in numpy: quantized multipliers and the two roundings they are applied with.

Sources: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", section 2.2, and the behaviour of LiteRT's reference kernels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
"""Integer arrays are computed in int64, wide enough for every intermediate here."""


def quantize_multiplier(real: float) -> tuple[int, int]:
    """(multiplier, shift) with real = multiplier * 2**(shift - 31), multiplier in [2**30, 2**31).

    A positive shift is to the left. Values below 2**-32 become (0, 0), as LiteRT has it.

    Raises:
        ValueError: the value is negative or not finite.
    """
    if not math.isfinite(real) or real < 0:
        raise ValueError(f"{real} cannot be a requantization factor")
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def doubling_high_multiply(a: Any, b: Any) -> Int:
    """Saturating rounding doubling high multiply: round(a * b / 2**31) to int32, ties towards plus infinity."""
    a, b = np.asarray(a, np.int64), np.asarray(b, np.int64)
    return np.asarray(np.minimum((a * b + (1 << 30)) >> 31, (1 << 31) - 1), np.int64)


def rounding_shift(x: Any, exponent: Any) -> Int:
    """round(x / 2**exponent), ties away from zero; exponent >= 0."""
    x, exponent = np.asarray(x, np.int64), np.asarray(exponent, np.int64)
    half = np.where(exponent > 0, np.int64(1) << np.maximum(exponent - 1, 0), 0)
    return np.asarray(np.where(exponent > 0, (x + half + (x >> 63)) >> exponent, x), np.int64)


def multiply_double_rounding(x: Any, multiplier: Any, shift: Any) -> Int:
    """x * multiplier * 2**(shift - 31), rounded after the high multiply and again after the right shift."""
    shift = np.asarray(shift, np.int64)
    shifted = np.asarray(x, np.int64) * (np.int64(1) << np.maximum(shift, 0))
    return rounding_shift(doubling_high_multiply(shifted, multiplier), np.maximum(-shift, 0))


def multiply_single_rounding(x: Any, multiplier: Any, shift: Any) -> Int:
    """x * multiplier * 2**(shift - 31), rounded once with ties towards plus infinity; shift <= 30."""
    total = 31 - np.asarray(shift, np.int64)
    product = np.asarray(x, np.int64) * np.asarray(multiplier, np.int64)
    return np.asarray((product + (np.int64(1) << (total - 1))) >> total, np.int64)
