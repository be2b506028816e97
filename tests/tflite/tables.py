"""Writes .tflite files field by field, also those no converter would write: a table is a dict from slot to value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import tflite
from flatbuffers import number_types

Fields = dict[int, Any]
"""Slot to numpy scalar (inline), numpy array, str, dict (table) or list of dicts (vector of tables)."""


@dataclass(frozen=True)
class Repeated:
    """A vector whose entries are all the same table, written once."""

    table: Fields
    count: int


SCALE, ZERO_POINT, DETAILS_TYPE, AXIS = 2, 3, 4, 6
SHAPE, TYPE, BUFFER, NAME, QUANTIZATION, IS_VARIABLE, SPARSITY, SIGNATURE = range(8)
EXTERNAL_BUFFER = 10
TENSORS, INPUTS, OUTPUTS, OPERATORS = range(4)
OPCODE_INDEX, OP_INPUTS, OP_OUTPUTS, OPTIONS_TYPE, OPTIONS = range(5)
VERSION, OPERATOR_CODES, SUBGRAPHS, DESCRIPTION, BUFFERS = range(5)


def quantization(scales: list[float], zero_points: list[int], axis: int = 0) -> Fields:
    return {SCALE: np.array(scales, np.float32), ZERO_POINT: np.array(zero_points, np.int64), AXIS: np.int32(axis)}


def tensor(shape: tuple[int, ...], name: str, buffer: int = 0, dtype: str = "INT8", **quant: Any) -> Fields:
    fields = {
        SHAPE: np.array(shape, np.int32),
        TYPE: np.int8(getattr(tflite.TensorType, dtype)),
        BUFFER: np.uint32(buffer),
        NAME: name,
    }
    return fields | {QUANTIZATION: quantization(**quant)} if quant else fields


def dense_model() -> Fields:
    """A model of one FULLY_CONNECTED from int8 [1, 4] to int8 [1, 2], to be changed by tests before it is written.

    Tensors: 0 input, 1 weights (buffer 1), 2 bias (buffer 2), 3 output.
    """
    tensors = [
        tensor((1, 4), "in", scales=[0.5], zero_points=[3]),
        tensor((2, 4), "weights", 1, scales=[0.1, 0.2], zero_points=[0, 0]),
        tensor((2,), "bias", 2, "INT32", scales=[0.05, 0.1], zero_points=[0, 0]),
        tensor((1, 2), "out", scales=[0.25], zero_points=[-1]),
    ]
    operator = {
        OPCODE_INDEX: np.uint32(0),
        OP_INPUTS: np.array([0, 1, 2], np.int32),
        OP_OUTPUTS: np.array([3], np.int32),
        OPTIONS_TYPE: np.uint8(tflite.BuiltinOptions.FullyConnectedOptions),
        OPTIONS: {},
    }
    subgraph = {
        TENSORS: tensors,
        INPUTS: np.array([0], np.int32),
        OUTPUTS: np.array([3], np.int32),
        OPERATORS: [operator],
    }
    return {
        VERSION: np.uint32(3),
        OPERATOR_CODES: [{0: np.int8(tflite.BuiltinOperator.FULLY_CONNECTED)}],
        SUBGRAPHS: [subgraph],
        BUFFERS: [{}, {0: np.arange(8, dtype=np.uint8)}, {0: np.array([7, -7], np.int32).view(np.uint8)}],
    }


def write(model: Fields, identifier: bytes = b"TFL3") -> bytes:
    """The file."""
    builder = flatbuffers.Builder(1024)
    builder.ForceDefaults(True)
    builder.Finish(_reference(builder, model), identifier)
    return bytes(builder.Output())


def _reference(builder: flatbuffers.Builder, value: Any) -> int:
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, np.ndarray):
        return builder.CreateNumpyVector(value)
    if isinstance(value, list | Repeated):
        if isinstance(value, Repeated):
            offsets = [_reference(builder, value.table)] * value.count
        else:
            offsets = [_reference(builder, item) for item in value]
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()
    offsets = {slot: _reference(builder, v) for slot, v in value.items() if not isinstance(v, np.generic)}
    builder.StartObject(max(value, default=-1) + 1)
    for slot, field in value.items():
        if slot in offsets:
            builder.PrependUOffsetTRelativeSlot(slot, offsets[slot], 0)
        else:
            flags = getattr(number_types, f"{field.dtype.name.capitalize()}Flags")
            builder.PrependSlot(flags, slot, field.item(), 0)
    return builder.EndObject()
