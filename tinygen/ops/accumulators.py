"""Checks that a layer stays within 32 bits, as both LiteRT's kernels and the generated code rely on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinygen.ir.tensor import Quantization, Tensor
from tinygen.ops.check import Check


def check_accumulators(
    check: Check, weights: Tensor, bias: Tensor | None, source: Quantization, factors: Sequence[float], axis: int
) -> None:
    """Reports the first output channel whose accumulator could overflow, alone or shifted left for its factor.

    Args:
        weights: constant int8, output channels along `axis`.
        bias: constant int32, or None.
        source: the input's quantization.
        factors: of each output channel, from accumulator to output.
    """
    if weights.data is None:
        raise ValueError("only constant weights can be checked")
    filters = np.moveaxis(weights.data, axis, 0).reshape(weights.shape[axis], -1).astype(np.int64)
    start = (
        np.zeros(len(filters), np.int64) if bias is None or bias.data is None else bias.data.astype(np.int64).ravel()
    )
    folded = start - source.zero_point * filters.sum(axis=1)
    reach = np.abs(folded) + 128 * np.abs(filters).sum(axis=1)
    for channel, (extent, factor) in enumerate(zip(reach.tolist(), factors, strict=True)):
        left = max(math.frexp(factor)[1], 0) if math.isfinite(factor) else 32
        if left >= 32 or max(extent, 1) << left >= 1 << 31:
            found = f"found {extent} times a factor of {factor:.6g} in output channel {channel}"
            check.report("TG205", f"accumulators must stay within 32 bits when requantized, {found}", weights)
            return
