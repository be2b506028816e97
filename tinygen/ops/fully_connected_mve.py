"""The kernel of FULLY_CONNECTED for cores with Helium (MVE)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinygen.ir.call import Call, Constant, Field, Kernel
from tinygen.ops.pack import pack_mve, pad_to
from tinygen.ops.requantize import Requantization


def fully_connected_mve_kernels(
    filters: NDArray[np.int8], requantization: Requantization, vectors: int, steps: int, *, single_rounding: bool
) -> tuple[Kernel, ...]:
    """`steps` times `vectors` vectors by filters of [channels, depth]; none where a shift would leave 32 bits."""
    count, depth = filters.shape
    shifts = requantization.shifts.astype(np.int32)
    # The upper word of a product has one rounding where at least one bit of it is left to round by.
    left = np.maximum(shifts + 2 if single_rounding else shifts, 0)
    right = np.minimum(shifts, -2) + 1 if single_rounding else np.minimum(shifts, 0)
    if requantization.reach << int(left.max()) >= 1 << 31:
        return ()
    bare = single_rounding and not left.any()
    constants = [requantization.bias, *([] if bare else [left]), requantization.multipliers, right]
    form = "right_" if bare else "" if single_rounding else "double_"
    tail = (depth - 1) % 16 + 1

    def call() -> Call:
        fields = (
            Field("vectors", vectors),
            Field("depth", depth),
            Field("count", count),
            Field("chunks", depth // 16 - (tail == 16)),
            Field("tail", tail),
            Field("zero_point", requantization.zero_point),
            Field("activation_min", requantization.limits[0]),
            Field("activation_max", requantization.limits[1]),
            Field("channels", Constant("channels", _by_fours(constants))),
            Field("weights", Constant("weights", pack_mve(pad_to(filters, 0, 4)))),
        )
        header, params = "fully_connected_mve_s8.h", "tg_fully_connected_mve_s8_params"
        return Call(f"tg_fully_connected_mve_{form}s8", header, fields, params=params)

    groups = -(-count // 4)
    instructions = steps * (vectors * (35 + groups * (33 + 4 * (not bare) + (depth - 1) // 16 * 10)) + 30)
    flash = 4 * groups * (depth + 4 * len(constants)) + -depth % 16
    return (Kernel("fully_connected_mve_s8", instructions, flash, 0, call, requires=frozenset({"mve"})),)


def _by_fours(constants: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Arrays of a value for each channel as [channels / 4][arrays][4], missing channels as zeros."""
    stacked = np.stack(constants).astype(np.int32)
    padded = np.pad(stacked, ((0, 0), (0, -stacked.shape[1] % 4)))
    return padded.reshape(len(constants), -1, 4).transpose(1, 0, 2).reshape(-1)
