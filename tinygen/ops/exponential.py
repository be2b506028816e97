"""exp and reciprocals in gemmlowp's fixed-point arithmetic, which SOFTMAX, LOGISTIC and TANH are made of."""

from __future__ import annotations

import math

import numpy as np

from tinygen.fixedpoint import Int, doubling_high_multiply, rounding_shift

ONE = (1 << 31) - 1
"""The largest number with 31 fractional bits, which stands for 1."""


def exp_of_negative(x: Int, integer_bits: int) -> Int:
    """exp of non-positive numbers below 2**integer_bits in magnitude, with 31 fractional bits.

    The numbers have 31 - integer_bits fractional bits. A Taylor polynomial around -1/8 serves the part of x in
    [-1/4, 0), then a factor each bit of the rest.
    """
    fractional_bits = 31 - integer_bits
    quarter = 1 << (fractional_bits - 2)
    fraction = (x & (quarter - 1)) - quarter
    result = _exp_of_fraction(fraction << integer_bits)
    rest = fraction - x
    for bit in range(fractional_bits - 2, 31):
        factor = round(math.exp(-math.ldexp(1.0, bit - fractional_bits)) * (1 << 31))
        result = np.where(rest & (1 << bit), doubling_high_multiply(result, factor), result)
    return np.where(x == 0, ONE, result)


def half_reciprocal(d: Int) -> Int:
    """1 / (2 * d) for d in [1/2, 1), 31 fractional bits in and out."""
    return np.minimum(_reciprocal(d) * 2, ONE)


def complement_quotient(x: Int) -> Int:
    """(1 - x) / (1 + x) for x in [0, 1], 31 fractional bits in and out."""
    return np.minimum((_reciprocal((x + ONE + 1) >> 1) - (1 << 29)) * 4, ONE)


def _reciprocal(d: Int) -> Int:
    """1 / d for d in [1/2, 1), 31 fractional bits in, 29 out.

    Three Newton-Raphson steps from 48/17 - 32/17 * d.
    """
    x = round(48 / 17 * (1 << 29)) + doubling_high_multiply(d, round(-32 / 17 * (1 << 29)))
    for _ in range(3):
        x = x + doubling_high_multiply(x, (1 << 29) - doubling_high_multiply(d, x)) * 4
    return np.asarray(x, np.int64)


def _exp_of_fraction(x: Int) -> Int:
    """exp on [-1/4, 0), 31 fractional bits in and out."""
    centre, third = round(math.exp(-1 / 8) * (1 << 31)), round((1 << 31) / 3)
    x1 = x + (1 << 28)
    x2 = doubling_high_multiply(x1, x1)
    x3 = doubling_high_multiply(x2, x1)
    x4 = doubling_high_multiply(x2, x2)
    tail = rounding_shift(doubling_high_multiply(rounding_shift(x4, 2) + x3, third) + x2, 1)
    return centre + doubling_high_multiply(centre, x1 + tail)
