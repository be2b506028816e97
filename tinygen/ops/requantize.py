"""Requantization of int32 accumulators to int8: the factors of a layer, and the rounding they are applied with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import Origin, error
from tinygen.fixedpoint import Int, multiply_double_rounding, multiply_single_rounding, quantize_multiplier
from tinygen.ir.call import Constant, Field
from tinygen.ir.tensor import Array, Quantization
from tinygen.ops.rescale import single_product


def channel_factors(
    source: Quantization, weights: Quantization, result: Quantization, channels: int
) -> tuple[float, ...]:
    """Source scale * weight scale / result scale in double, for each output channel of a convolution."""
    scales = weights.scales if len(weights.scales) == channels else weights.scales * channels
    return tuple(source.scale * scale / result.scale for scale in scales)


def vector_factors(
    source: Quantization, weights: Quantization, result: Quantization, channels: int
) -> tuple[float, ...]:
    """The factors of FULLY_CONNECTED's output channels.

    For weights with a single scale LiteRT multiplies the two scales in float32, unlike in convolutions.
    """
    if len(weights.scales) != 1:
        return channel_factors(source, weights, result, channels)
    return (single_product(source.scale, weights.scale) / result.scale,) * channels


def multipliers(factors: Sequence[float]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Multipliers and shifts of factors, as `quantize_multiplier` makes them."""
    pairs = [quantize_multiplier(factor) for factor in factors]
    return np.array([m for m, _ in pairs], np.int32), np.array([s for _, s in pairs], np.int32)


def requantize(
    accumulators: Int,
    multiplier: NDArray[np.int32] | int,
    shift: NDArray[np.int32] | int,
    zero_point: int,
    limits: tuple[int, int],
    *,
    single_rounding: bool = False,
) -> Array:
    """int8 of accumulators * multiplier * 2**(shift - 31) + zero point, clamped; channels are the last axis."""
    multiply = multiply_single_rounding if single_rounding else multiply_double_rounding
    return np.clip(multiply(accumulators, multiplier, shift) + zero_point, *limits).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Requantization:
    """What a kernel needs to turn accumulators into int8, per channel; the input zero point is folded into the bias."""

    bias: NDArray[np.int32]
    multipliers: NDArray[np.int32]
    shifts: NDArray[np.int8]
    zero_point: int
    limits: tuple[int, int]
    reach: int
    """No accumulator's magnitude exceeds this."""

    @property
    def fast(self) -> bool:
        """The case that templates/c/kernels/tg_requantize.h calls fast."""
        right = -self.shifts.astype(np.int32)
        return self.limits == (-128, 127) and self.reach < 1 << 30 and bool(right.min() >= 1 and right.max() <= 31)

    @property
    def clamps_negative(self) -> bool:
        """No value below the zero point is left, so that how negative ties round makes no difference, and no shift is
        to the left."""
        return self.limits[0] >= self.zero_point and bool(self.shifts.max() <= 0)

    def fields(self) -> tuple[Field, ...]:
        """The members of `tg_requantize_s8_params`."""
        return (
            Field("channels", len(self.bias)),
            Field("zero_point", self.zero_point),
            Field("activation_min", self.limits[0]),
            Field("activation_max", self.limits[1]),
            Field("bias", Constant("bias", self.bias)),
            Field("multiplier", Constant("multipliers", self.multipliers)),
            Field("shift", Constant("shifts", self.shifts)),
        )


def fold_requantization(
    filters: NDArray[np.int8],
    bias: Array | None,
    input_zero_point: int,
    factors: tuple[NDArray[np.int32], NDArray[np.int32]],
    zero_point: int,
    limits: tuple[int, int],
    origin: Origin,
    *,
    single_rounding: bool = False,
) -> Requantization:
    """Folds the input zero point into the bias: bias - zero point * sum(weights). `filters` is [channels, taps].

    Raises:
        TinygenError: TG205 when an accumulator could overflow 32 bits.
    """
    weights = filters.astype(np.int64)
    start = np.zeros(len(weights), np.int64) if bias is None else bias.astype(np.int64).reshape(-1)
    folded = start - input_zero_point * weights.sum(axis=1)
    reach = int((np.abs(folded) + 128 * np.abs(weights).sum(axis=1)).max())
    if reach >= 1 << 31:
        raise error("TG205", f"accumulators could reach {reach}, at most 2147483647 is supported", origin=origin)
    multipliers = factors[0]
    # A factor of zero may have any shift; one to the right keeps the layer in the fast case.
    shifts = np.where(multipliers == 0, -1, factors[1])
    # Filters of zeros make a constant, often from a huge bias; as 4 * constant / 4 it is in the fast case too.
    dead = ~weights.any(axis=1)
    multiply = multiply_single_rounding if single_rounding else multiply_double_rounding
    constant = multiply(folded, multipliers, shifts)
    constant = np.clip(constant + zero_point, *limits) - zero_point
    folded = np.where(dead, 4 * constant, folded)
    multipliers = np.where(dead, 1 << 30, multipliers).astype(np.int32)
    reach = int((np.abs(folded) + 128 * np.abs(weights).sum(axis=1)).max())
    shifts = np.where(dead, -1, shifts)
    return Requantization(folded.astype(np.int32), multipliers, shifts.astype(np.int8), zero_point, limits, reach)
