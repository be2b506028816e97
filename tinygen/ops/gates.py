"""Sigmoid and tanh of int16 in gemmlowp's fixed-point arithmetic, which gates of recurrent layers are made of.

Source: the algorithms of gemmlowp's fixedpoint.h, in which LiteRT's reference kernels compute them: an exponential of a
non-positive number, and a reciprocal by Newton and Raphson. Results have 15 fractional bits.
"""

from __future__ import annotations

import math

import numpy as np

from tinygen.fixedpoint import Int, rounding_shift

ONE = (1 << 15) - 1
"""The largest number with 15 fractional bits, which stands for 1."""

MOST_INTEGER_BITS = 6
"""Of a tanh's input in LiteRT."""


def sigmoid(x: Int, integer_bits: int) -> Int:
    """1 / (1 + exp(-x)) of int16 with that many integer bits."""
    positive = _doubled(_reciprocal(_exp_of_negative(-np.abs(x), integer_bits)), 1)
    return np.where(x > 0, positive, np.where(x < 0, ONE - positive, 1 << 14))


def tanh(x: Int, integer_bits: int) -> Int:
    """(1 - exp(-2x)) / (1 + exp(-2x)) of int16 with that many integer bits."""
    positive = _doubled(_reciprocal(_exp_of_negative(-np.abs(x), integer_bits + 1)) - (1 << 13), 2)
    return np.sign(x) * positive


def _exp_of_negative(x: Int, integer_bits: int) -> Int:
    """exp of non-positive numbers; a Taylor polynomial around -1/8 for [-1/4, 0), then a factor a bit of the rest."""
    fractional_bits = 15 - integer_bits
    quarter = 1 << (fractional_bits - 2)
    fraction = (x & (quarter - 1)) - quarter
    result = _exp_of_fraction(fraction << integer_bits)
    rest = fraction - x
    for bit in range(fractional_bits - 2, 15):
        factor = round(math.exp(-math.ldexp(1.0, bit - fractional_bits)) * (1 << 15))
        result = np.where(rest & (1 << bit), _multiply(result, factor), result)
    if integer_bits > 5:
        result = np.where(x < -(32 << fractional_bits), 0, result)
    return np.where(x == 0, ONE, result)


def _exp_of_fraction(x: Int) -> Int:
    """exp on [-1/4, 0), 15 fractional bits in and out."""
    centre, third = round(math.exp(-1 / 8) * (1 << 15)), round((1 << 15) / 3)
    x1 = x + (1 << 12)
    x2 = _multiply(x1, x1)
    x3 = _multiply(x2, x1)
    x4 = _multiply(x2, x2)
    tail = rounding_shift(_multiply(rounding_shift(x4, 2) + x3, third) + x2, 1)
    return np.minimum(centre + _multiply(centre, x1 + tail), ONE)


def _reciprocal(x: Int) -> Int:
    """2 / (1 + x) for x in [0, 1), 15 fractional bits in and 13 out: three steps from 48/17 - 32/17 * (1 + x) / 2."""
    half = (x + ONE + 1) >> 1
    y = round(48 / 17 * (1 << 13)) + _multiply(half, round(-32 / 17 * (1 << 13)))
    for _ in range(3):
        y = y + _doubled(_multiply(y, (1 << 13) - _multiply(half, y)), 2)
    return y


def _multiply(a: Int | int, b: Int | int) -> Int:
    """a * b with 15 fractional bits, ties towards plus infinity; never -1 times -1."""
    return np.asarray((np.asarray(a, np.int64) * b + (1 << 14)) >> 15, np.int64)


def _doubled(x: Int, times: int) -> Int:
    """x * 2**times, saturated to int16."""
    return np.asarray(np.clip(x << times, -32768, ONE), np.int64)
