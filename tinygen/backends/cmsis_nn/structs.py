"""CMSIS-NN's parameter structs as data: dimensions, tiles, clamps and quantization."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinygen.ir.call import Constant, Field
from tinygen.ir.tensor import Array, Quantization

MOST_SIZE = 65535
"""The library's loops keep dimensions in 16 bits here and there."""


def dims(name: str, n: int, h: int, w: int, c: int) -> Field:
    """A `cmsis_nn_dims`."""
    return Field(name, (Field("n", n), Field("h", h), Field("w", w), Field("c", c)))


def tile(name: str, height: int, width: int) -> Field:
    """A `cmsis_nn_tile`."""
    return Field(name, (Field("w", width), Field("h", height)))


def clamp(limits: tuple[int, int]) -> Field:
    """The member `activation`, a `cmsis_nn_activation`."""
    return Field("activation", (Field("min", limits[0]), Field("max", limits[1])))


def offsets(source: Quantization, output: Quantization) -> tuple[Field, Field]:
    """The members `input_offset` and `output_offset`."""
    return Field("input_offset", -source.zero_point), Field("output_offset", output.zero_point)


def requantization(factors: tuple[NDArray[np.int32], NDArray[np.int32]]) -> tuple[Field, Field]:
    """The members `multiplier` and `shift`, per output channel."""
    multiplier, shift = factors
    return Field("multiplier", Constant("multipliers", multiplier)), Field("shift", Constant("shifts", shift))


def bias(data: Array | None) -> tuple[Field, ...]:
    """The member `bias`; without one it stays NULL."""
    return () if data is None else (Field("bias", Constant("bias", data.reshape(-1).astype(np.int32))),)
