"""Tensors: element types, quantization parameters, shapes and constant data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import prod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]


class DType(Enum):
    """Element type; the value is the name used in text and JSON."""

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float32"
    BOOL = "bool"

    @property
    def numpy(self) -> np.dtype[np.generic]:
        return np.dtype(self.value)

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.numpy.itemsize

    @property
    def c_type(self) -> str:
        """The C99 type of one element."""
        return {"float32": "float", "bool": "uint8_t"}.get(self.value, f"{self.value}_t")


@dataclass(frozen=True)
class Quantization:
    """real = scale * (quantized - zero_point), per tensor (one scale) or per channel along `axis`.

    Scales are exactly the float32 values of the file, held as Python floats.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int | None = None

    @property
    def scale(self) -> float:
        """The scale of a per-tensor quantization."""
        if len(self.scales) != 1:
            raise ValueError("per-channel quantization has no single scale")
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The zero point of a per-tensor quantization."""
        if len(set(self.zero_points)) != 1:
            raise ValueError("per-channel quantization has no single zero point")
        return self.zero_points[0]


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value of the graph; a constant when `data` is present (then read-only and of this shape and dtype)."""

    id: int
    name: str
    shape: tuple[int, ...]
    dtype: DType
    quant: Quantization | None = None
    data: Array | None = None
    variable: bool = False
    """State that an operator keeps from one inference to the next."""

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.elements * self.dtype.itemsize

    def describe(self) -> str:
        """Short text for messages: `int8 [1x49x10x1]`."""
        return f"{self.dtype.value} [{'x'.join(map(str, self.shape))}]"


def reset_value(tensor: Tensor) -> int:
    """What every element of a variable tensor is before the first inference: LiteRT has it mean 0 only in int8."""
    return tensor.quant.zero_point if tensor.dtype is DType.INT8 and tensor.quant is not None else 0


def geometry(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows of an activation and elements per row: index y of [1, H, W, C], one time step of [1, T, C], else one row."""
    if len(shape) in (3, 4) and shape[0] == 1:
        return shape[1], prod(shape[2:])
    return 1, prod(shape)


def pixel_of(shape: tuple[int, ...]) -> int:
    """Elements of a pixel: what the last index runs over."""
    return shape[-1] if shape else 1
