"""Sigmoid and tanh of int16 between the entries of one table, as tflite-micro's gates of recurrent layers have them.

Source: Logistic and Tanh of int16 in tflite-micro's integer_ops, which CMSIS-NN's kernels follow. sigmoid(x) is
(1 + tanh(x / 2)) / 2, so that tanh is enough. Results have 15 fractional bits.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from tinygen.fixedpoint import Int

_ENTRIES = 256
_STEPS = 48
"""Entries from 0 to 1; the last one is behind 5."""

_SIGMOID_BITS, _TANH_BITS = 9, 8
"""Bits of a scaled input below its entry's number."""


@functools.cache
def tanh_table() -> NDArray[np.int16]:
    """tanh(i / 48) with 15 fractional bits, the last entry nearly 1.

    A line between two points of a curve is off by at most an eighth of the curve's second derivative times their
    distance squared, always to the same side: the entries lie half of that beyond the curve.
    """
    curve = [math.tanh(i / _STEPS) for i in range(_ENTRIES - 1)]
    beyond = [y * (1 - y * y) / (8 * _STEPS**2) for y in curve]
    entries = [math.floor(math.ldexp(y + more, 15) + 0.5) for y, more in zip(curve, beyond, strict=True)]
    return np.array([*entries, (1 << 15) - 1], np.int16)


def sigmoid(x: Int) -> Int:
    """1 / (1 + exp(-x)) of int16 with 3 integer bits."""
    # Of the largest results one that rounds to more than 15 bits is left out.
    y = _between(np.abs(3 * x), _SIGMOID_BITS, (1 << 15) - 2)
    return np.where(x >= 0, (1 << 24) + y + (1 << 9), (1 << 24) - y + (1 << 9) - 1) >> 10


def tanh(x: Int, integer_bits: int) -> Int:
    """tanh of int16 with that many integer bits."""
    left = integer_bits - 3
    scaled = 3 * x << left if left >= 0 else (3 * x + (1 << (-left - 1))) >> -left
    y = _between(np.abs(scaled), _TANH_BITS, (1 << 15) - 1)
    return np.where(scaled >= 0, y + (1 << 7), -y + (1 << 7) - 1) >> 8


def _between(x: Int, bits: int, most: int) -> Int:
    """The table at x / 2**bits, with that many fractional bits more; `most` from the last entry on."""
    table = tanh_table().astype(np.int64)
    i = np.minimum(x >> bits, _ENTRIES - 2)
    y = (table[i] << bits) + (x & ((1 << bits) - 1)) * (table[i + 1] - table[i])
    return np.asarray(np.where(x >> bits < _ENTRIES - 1, y, most << bits), np.int64)
