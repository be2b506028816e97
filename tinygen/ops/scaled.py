"""Requantization of accumulators times 256: what templates/c/kernels/tg_scaled.h needs of a layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinygen.fixedpoint import multiply_double_rounding
from tinygen.ir.call import Constant
from tinygen.ops.requantize import Requantization

SCALE = 256
"""Of accumulators, so that two roundings become one addend to the upper word of a product."""


@dataclass(frozen=True, eq=False)
class Scaled:
    """Constants of each channel, [channels, 4]: bias * 256, shift, multiplier and rounding."""

    channels: NDArray[np.int64]
    linear: bool
    """Outputs below the zero point differ, as it is not -128."""

    def constant(self, addend: NDArray[np.int64] | int = 0) -> Constant:
        """The channels as the kernels read them; `addend` goes on top of the biases, which wrap around."""
        wrapped = self.channels.copy()
        wrapped[:, 0] += addend
        return Constant("channels", wrapped.astype(np.uint32).view(np.int32).reshape(-1))


def scaled(requantization: Requantization, filters: NDArray[np.int8]) -> Scaled | None:
    """Constants with which tg_scaled.h equals two roundings, None where there are none; filters are [channels, taps].

    Accumulators may wrap around where all of a channel's outputs are one value: its multiplier is 0.
    """
    if requantization.limits != (-128, 127):
        return None
    bias = requantization.bias.astype(np.int64)
    multipliers, shifts = requantization.multipliers.astype(np.int64), requantization.shifts.astype(np.int64)
    weights = filters.astype(np.int64)
    most = bias + np.where(weights > 0, 127 * weights, -128 * weights).sum(axis=1)
    least = bias + np.where(weights > 0, -128 * weights, 127 * weights).sum(axis=1)
    low, high = (_outputs(requantization, sums) for sums in (least, most))
    constant = low == high
    right = np.where(constant, 8, 7 - shifts)
    reach = np.maximum(np.abs(least), np.abs(most))
    zero_point = requantization.zero_point
    rounding = (1 << 6) + (1 << np.clip(right - 1, 0, 40)) + (zero_point << np.clip(right, 0, 40))
    product = (np.minimum(reach, 1 << 23) * multipliers) >> 24
    fits = (reach < 1 << 23) & (right >= 8) & (right <= 31) & (product + np.abs(rounding) + 256 < 1 << 31)
    if not np.all(constant | fits):
        return None
    rounding = np.where(constant, (low << 8) + (1 << 7), rounding)
    multipliers = np.where(constant, 0, multipliers)
    return Scaled(np.stack([bias * SCALE, right, multipliers, rounding], axis=1), linear=zero_point != -128)


def _outputs(requantization: Requantization, sums: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of accumulators, one for each channel; they grow with them."""
    rounded = multiply_double_rounding(sums, requantization.multipliers, requantization.shifts)
    return np.clip(rounded + requantization.zero_point, *requantization.limits)
