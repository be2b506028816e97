"""Activation functions fused into an operator, as ranges its quantized output is clamped to."""

from __future__ import annotations

from enum import Enum

import numpy as np

from tinygen.ir.tensor import DType, Quantization


class Activation(Enum):
    """The schema's fused activations; the value is the name used in text."""

    NONE = "none"
    RELU = "relu"
    RELU_N1_TO_1 = "relu_n1_to_1"
    RELU6 = "relu6"
    TANH = "tanh"
    SIGN_BIT = "sign_bit"


_REAL_RANGES: dict[Activation, tuple[float | None, float | None]] = {
    Activation.NONE: (None, None),
    Activation.RELU: (0.0, None),
    Activation.RELU_N1_TO_1: (-1.0, 1.0),
    Activation.RELU6: (0.0, 6.0),
}

CLAMPS = frozenset(_REAL_RANGES)
"""The activations that are a clamp; the others cannot be fused into integer arithmetic."""


def activation_range(activation: Activation, quant: Quantization, dtype: DType) -> tuple[int, int]:
    """Smallest and largest quantized output; the division is in float32 as in LiteRT, ties round away from zero.

    Raises:
        KeyError: the activation is not a clamp.
        ValueError: the quantization is per channel.
    """
    info = np.iinfo(dtype.value)
    low, high = _REAL_RANGES[activation]
    return (
        info.min if low is None else max(info.min, _quantize(low, quant)),
        info.max if high is None else min(info.max, _quantize(high, quant)),
    )


def _quantize(real: float, quant: Quantization) -> int:
    with np.errstate(over="ignore"):
        # A scale too small for the quotient saturates: far beyond any 8-bit or 16-bit range either way.
        steps = float(np.clip(np.float32(real) / np.float32(quant.scale), -(2.0**31), 2.0**31))
    return quant.zero_point + int(np.copysign(np.floor(abs(steps) + 0.5), steps))
