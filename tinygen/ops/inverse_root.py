"""1 / sqrt(x) of integers in gemmlowp's fixed-point arithmetic, which RSQRT and L2_NORMALIZATION are made of."""

from __future__ import annotations

import math

from tinygen.fixedpoint import doubling_high_multiply, rounding_shift

_HALF_ROOT_2 = round(math.sqrt(0.5) * (1 << 31))


def inverse_root(value: int) -> tuple[int, int]:
    """Multiplier and shift of 1 / sqrt(value), 0 <= value < 2**31, by five Newton-Raphson steps from 1.

    Numbers have 3 integer bits. Of 0 it is that of 1.
    """
    if value <= 1:
        return (1 << 31) - 1, 0
    shift = 11
    while value >= 1 << 29:
        value //= 4
        shift += 1
    # Pairs of bits to the left, until the value fills 28 or 29 bits.
    pairs = (31 - value.bit_length()) // 2 - 1
    shift -= pairs
    number = (value << 2 * pairs) >> 1
    half = int(rounding_shift(number, 1))
    three_halves = (1 << 28) + (1 << 27)
    x = 1 << 28
    for _ in range(5):
        cube = _product(_product(x, x), x) << 6
        x = (_product(three_halves, x) - _product(half, cube)) << 3
    x = _product(x, _HALF_ROOT_2)
    return (x << -shift, 0) if shift < 0 else (x, -shift)


def _product(a: int, b: int) -> int:
    return int(doubling_high_multiply(a, b))
