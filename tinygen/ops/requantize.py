"""Requantization of int32 accumulators to int8: the factors of a layer, and the rounding they are applied with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinygen.fixedpoint import Int, multiply_double_rounding, multiply_single_rounding, quantize_multiplier
from tinygen.ir.tensor import Array, Quantization


def channel_multipliers(
    source: Quantization, weights: Quantization, result: Quantization, channels: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Multipliers and shifts of each output channel, for source scale * weight scale / result scale in double."""
    scales = weights.scales if len(weights.scales) == channels else weights.scales * channels
    pairs = [quantize_multiplier(source.scale * scale / result.scale) for scale in scales]
    return np.array([m for m, _ in pairs], np.int32), np.array([s for _, s in pairs], np.int32)


def vector_multipliers(
    source: Quantization, weights: Quantization, result: Quantization, channels: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Multipliers and shifts of FULLY_CONNECTED's output channels.

    For weights with a single scale LiteRT multiplies the two scales in float32, unlike in convolutions.
    """
    if len(weights.scales) != 1:
        return channel_multipliers(source, weights, result, channels)
    product = float(np.float32(source.scale) * np.float32(weights.scale))
    multiplier, shift = quantize_multiplier(product / result.scale)
    return np.full(channels, multiplier, np.int32), np.full(channels, shift, np.int32)


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
