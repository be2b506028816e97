"""Tensors of the file to tensors of the IR, with every check of shape, type, size, constant data and quantization."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tinygen.errors import Origin, error
from tinygen.ir.tensor import Array, DType, Quantization, Tensor
from tinygen.tflite.findings import Findings
from tinygen.tflite.flatbuffer import Table, Vector
from tinygen.tflite.options import enumerators

MAX_RANK = 8
"""More dimensions than any TensorFlow Lite kernel takes."""
MAX_TENSOR_BYTES = 1 << 28
"""Far above the memory of any microcontroller; keeps a small file from asking for a lot of memory."""

# Slots of schema.fbs: the order of declaration in tables Tensor, Buffer and QuantizationParameters.
_SHAPE, _TYPE, _BUFFER, _NAME, _QUANTIZATION, _IS_VARIABLE, _SPARSITY, _SIGNATURE = range(8)
_EXTERNAL_BUFFER = 10
_DATA, _OFFSET, _SIZE = range(3)
_MIN, _MAX, _SCALE, _ZERO_POINT, _DETAILS_TYPE, _DETAILS, _AXIS = range(7)

_TYPES = enumerators("TensorType")
_DTYPES = {code: DType(name.lower()) for code, name in _TYPES.items() if name.lower() in {t.value for t in DType}}
_INTEGERS = frozenset({DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64})


def tensor_name(table: Table, index: int) -> str:
    """A tensor's name as a model viewer shows it, or its number where it has none."""
    return table.string(_NAME, f"name of {table.what}") or f"#{index}"


class TensorReader:
    """Makes the tensors of a subgraph.

    Args:
        tables: the file's tensors.
        buffers: the file's buffers.
        findings: receives what tinygen does not support.
        warnings: receives what is unusual but harmless.
    """

    def __init__(
        self,
        tables: tuple[Table, ...],
        buffers: tuple[Table, ...],
        findings: Findings,
        warnings: Findings,
    ) -> None:
        self._tables = tables
        self._buffers = buffers
        self._findings = findings
        self._warnings = warnings

    def read(self, index: int, origin: Origin) -> Tensor | None:
        """The tensor, or None when it uses a feature that is not supported, which is then among the findings.

        Raises:
            TinygenError: TG102, TG103, TG106 or TG108 when it is damaged, TG111 for a variable tensor with values.
        """
        table = self._tables[index]
        name = tensor_name(table, index)
        origin = replace(origin, tensor=name)
        shape = self._shape(table, origin)
        if (unsupported := self._unsupported(table, shape, origin)) is not None:
            kind, message, *hints = unsupported
            self._findings.add("TG105", kind, message, origin, tuple(hints))
            return None
        dtype = _DTYPES[table.integer(_TYPE, "b")]
        tensor = Tensor(index, name, shape, dtype, variable=bool(table.integer(_IS_VARIABLE, "B")))
        if tensor.nbytes > MAX_TENSOR_BYTES:
            message = f"{tensor.describe()} takes {tensor.nbytes} bytes; at most {MAX_TENSOR_BYTES} are accepted"
            raise error("TG106", message, origin=origin)
        tensor = replace(
            tensor, quant=self._quantization(table, tensor, origin), data=self._data(table, tensor, origin)
        )
        if tensor.variable and tensor.data is not None:
            message = "a variable tensor has values in the file; accepted: none, as a reset would not restore them"
            raise error("TG111", message, origin=origin)
        return tensor

    def quantization(self, index: int, origin: Origin) -> Quantization | None:
        """The quantization of a tensor that exists only inside an operator, whatever its shape and type.

        Raises:
            TinygenError: TG102 or TG108 when it is damaged.
        """
        table = self._tables[index]
        dtype = _DTYPES.get(table.integer(_TYPE, "b"))
        if dtype is None:
            return None
        name = tensor_name(table, index)
        return self._quantization(table, Tensor(index, name, (), dtype), replace(origin, tensor=name))

    def _shape(self, table: Table, origin: Origin) -> tuple[int, ...]:
        shape = table.integers(_SHAPE, "i", f"shape of {table.what}") or ()
        if len(shape) > MAX_RANK:
            message = f"{len(shape)} dimensions; at most {MAX_RANK} are accepted"
            raise error("TG106", message, origin=origin)
        if any(d < -1 for d in shape):
            raise error("TG103", f"shape {list(shape)} has a negative dimension", origin=origin)
        return shape

    def _unsupported(self, table: Table, shape: tuple[int, ...], origin: Origin) -> tuple[str, ...] | None:
        """The first unsupported feature of a tensor: its kind, a message, and hints."""
        signature = table.integers(_SIGNATURE, "i", f"shape signature of {table.what}") or shape
        first = 1 if shape[:1] == (1,) and signature[:1] == (-1,) else 0
        if -1 in shape or len(signature) != len(shape) or signature[first:] != shape[first:]:
            text = f"dynamic shape {list(signature[:MAX_RANK])} with {list(shape)} in the file"
            accepted = "accepted: a static shape, or 1 for a dynamic batch"
            return "dynamic", f"{text}; {accepted}", "give the converter an input of fixed shape, with batch size 1"
        if 0 in shape:
            return "empty", f"shape {list(shape)} has no elements; accepted: dimensions above zero"
        if (code := table.integer(_TYPE, "b")) not in _DTYPES:
            found = _TYPES.get(code, f"number {code}")
            accepted = ", ".join(sorted(t.value for t in DType))
            return found, f"element type {found} is not supported; accepted: {accepted}"
        if table.target(_SPARSITY) is not None:
            return "sparse", "sparse tensors are not supported; accepted: dense"
        params = table.table(_QUANTIZATION, f"quantization of {table.what}")
        if params is not None and params.integer(_DETAILS_TYPE, "B"):
            return "quantization", "custom quantization is not supported; accepted: scales and zero points"
        buffer = self._buffer(table, origin)
        if table.integer(_EXTERNAL_BUFFER, "I") or buffer.integer(_OFFSET, "Q") or buffer.integer(_SIZE, "Q"):
            return "external", "the data is outside the flatbuffer; accepted: inside"
        return None

    def _buffer(self, table: Table, origin: Origin) -> Table:
        index = table.integer(_BUFFER, "I")
        if index >= len(self._buffers):
            raise error("TG104", f"buffer {index} of {len(self._buffers)} does not exist", origin=origin)
        return self._buffers[index]

    def _data(self, table: Table, tensor: Tensor, origin: Origin) -> Array | None:
        buffer = self._buffer(table, origin)
        vector = buffer.vector(_DATA, 1, buffer.what)
        if vector is None or vector.length == 0:
            return None
        if vector.length != tensor.nbytes:
            message = f"{tensor.describe()} takes {tensor.nbytes} bytes, but {buffer.what} holds {vector.length}"
            raise error("TG103", message, origin=origin)
        return self._constant(table, tensor, vector, origin)

    def _constant(self, table: Table, tensor: Tensor, vector: Vector, origin: Origin) -> Array:
        data = vector.array(tensor.dtype.numpy)
        if tensor.dtype is DType.BOOL:
            table.file.spend(vector.length, table.what)
            if vector.array(np.dtype(np.uint8)).max() > 1:
                raise error("TG102", "a bool constant holds bytes other than 0 and 1", origin=origin)
        return data.reshape(tensor.shape)

    def _quantization(self, table: Table, tensor: Tensor, origin: Origin) -> Quantization | None:
        params = table.table(_QUANTIZATION, f"quantization of {table.what}")
        if params is None:
            return None
        scales = params.reals(_SCALE, f"scales of {table.what}") or ()
        zero_points = params.integers(_ZERO_POINT, "q", f"zero points of {table.what}") or ()
        if not scales or tensor.dtype not in _INTEGERS:
            return None
        if len(scales) != len(zero_points):
            message = f"{len(scales)} scales but {len(zero_points)} zero points; accepted: as many of both"
            raise error("TG108", message, origin=origin)
        for scale in scales:
            if not (math.isfinite(scale) and scale > 0):
                raise error("TG108", f"scale {scale}; accepted: finite and above zero", origin=origin)
        limits = np.iinfo(tensor.dtype.value)
        for zero_point in zero_points:
            if not limits.min <= zero_point <= limits.max:
                message = f"zero point {zero_point} of {tensor.dtype.value}; accepted: {limits.min} to {limits.max}"
                raise error("TG108", message, origin=origin)
        axis = params.integer(_AXIS, "i")
        return Quantization(scales, zero_points, self._axis(axis, len(scales), tensor, origin))

    def _axis(self, axis: int, scales: int, tensor: Tensor, origin: Origin) -> int | None:
        """The dimension the scales are along; harmless nonsense, of which there is some in the field, is a warning."""
        if not 0 <= axis < max(len(tensor.shape), 1) and (scales == 1 or tensor.shape == (scales,)):
            message = (
                f"quantized dimension {axis} of {tensor.describe()} does not exist; ignored, as only one can be meant"
            )
            self._warnings.add("TG109", "axis", message, origin)
            axis = 0
        if scales == 1:
            return None
        if not 0 <= axis < len(tensor.shape) or tensor.shape[axis] != scales:
            message = f"{scales} scales along dimension {axis} of {tensor.describe()}"
            raise error("TG108", f"{message}; accepted: one, or one for each index of a dimension", origin=origin)
        return axis
