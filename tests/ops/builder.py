"""Builds small .tflite files in memory, from tensors and operators as data, with the flatbuffer schema's builders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import flatbuffers
import numpy as np
import tflite

OptionValue = int | float | bool | Sequence[int]

_TYPES = {
    "int8": tflite.TensorType.INT8,
    "uint8": tflite.TensorType.UINT8,
    "int16": tflite.TensorType.INT16,
    "int32": tflite.TensorType.INT32,
    "int64": tflite.TensorType.INT64,
    "float32": tflite.TensorType.FLOAT32,
    "bool": tflite.TensorType.BOOL,
}


@dataclass(frozen=True, eq=False)
class TensorDef:
    """A tensor; a constant when it has data. One scale is per tensor, several are per channel along `axis`."""

    shape: tuple[int, ...]
    dtype: str = "int8"
    scales: Sequence[float] = ()
    zero_points: Sequence[int] = ()
    axis: int = 0
    data: np.ndarray | None = None
    name: str = ""
    variable: bool = False

    @classmethod
    def activation(cls, shape: tuple[int, ...], scale: float = 1.0, zero_point: int = 0) -> TensorDef:
        return cls(shape, "int8", (scale,), (zero_point,))

    @classmethod
    def constant(cls, data: np.ndarray, scales: Sequence[float] = (), axis: int = 0) -> TensorDef:
        """A constant; with scales its zero points are 0."""
        return cls(data.shape, data.dtype.name, scales, (0,) * len(scales), axis, data)


@dataclass(frozen=True)
class Options:
    """An options table by the schema's names: Options("Conv2DOptions", {"StrideW": 2, "StrideH": 1})."""

    table: str
    values: dict[str, OptionValue] = field(default_factory=dict)


@dataclass(frozen=True)
class OpDef:
    """An operator over positions in the model's list of tensors; -1 is an absent input."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Options | None = None
    intermediates: tuple[int, ...] = ()


def single_op_model(
    kind: str,
    options: Options | None,
    inputs: Sequence[TensorDef | None],
    outputs: Sequence[TensorDef],
    intermediates: Sequence[TensorDef] = (),
) -> bytes:
    """A model of one operator. Inputs without data are the model's, but for state; None is an absent optional one."""
    tensors = [t for t in inputs if t is not None]
    positions = iter(range(len(tensors)))
    ids = tuple(-1 if t is None else next(positions) for t in inputs)
    results = tuple(range(len(tensors), len(tensors) + len(outputs)))
    sources = tuple(i for i, t in enumerate(tensors) if t.data is None and not t.variable)
    everything = [*tensors, *outputs, *intermediates]
    inside = tuple(range(len(tensors) + len(outputs), len(everything)))
    return model(everything, [OpDef(kind, ids, results, options, inside)], sources, results)


def model(tensors: Sequence[TensorDef], ops: Sequence[OpDef], inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
    """The .tflite file of a list of tensors and the operators over them, in execution order."""
    b = flatbuffers.Builder(1024)
    kinds = sorted({op.kind for op in ops})
    codes = _tables(b, [_operator_code(b, kind) for kind in kinds])
    buffers = [_buffer(b, None), *(_buffer(b, t.data) for t in tensors)]
    tensor_tables = _tables(b, [_tensor(b, i, t) for i, t in enumerate(tensors)])
    op_tables = _tables(b, [_operator(b, op, kinds.index(op.kind)) for op in ops])
    input_ids, output_ids, name = _ints(b, inputs), _ints(b, outputs), b.CreateString("main")
    tflite.SubGraphStart(b)
    tflite.SubGraphAddTensors(b, tensor_tables)
    tflite.SubGraphAddInputs(b, input_ids)
    tflite.SubGraphAddOutputs(b, output_ids)
    tflite.SubGraphAddOperators(b, op_tables)
    tflite.SubGraphAddName(b, name)
    subgraphs = _tables(b, [tflite.SubGraphEnd(b)])
    buffer_tables = _tables(b, buffers)
    tflite.ModelStart(b)
    tflite.ModelAddVersion(b, 3)
    tflite.ModelAddOperatorCodes(b, codes)
    tflite.ModelAddSubgraphs(b, subgraphs)
    tflite.ModelAddBuffers(b, buffer_tables)
    b.Finish(tflite.ModelEnd(b), b"TFL3")
    return bytes(b.Output())


def _tables(b: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()


def _ints(b: flatbuffers.Builder, values: Sequence[int]) -> int:
    return b.CreateNumpyVector(np.array(values, np.int32))


def _operator_code(b: flatbuffers.Builder, kind: str) -> int:
    code = getattr(tflite.BuiltinOperator, kind)
    tflite.OperatorCodeStart(b)
    # Old readers look at the deprecated byte; both are the same code for builtins below 127.
    tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(code, 127))
    tflite.OperatorCodeAddBuiltinCode(b, code)
    tflite.OperatorCodeAddVersion(b, 1)
    return tflite.OperatorCodeEnd(b)


def _buffer(b: flatbuffers.Builder, data: np.ndarray | None) -> int:
    content = None
    if data is not None:
        raw = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
        b.StartVector(1, raw.size, 16)
        for byte in raw[::-1].tolist():
            b.PrependByte(byte)
        content = b.EndVector()
    tflite.BufferStart(b)
    if content is not None:
        tflite.BufferAddData(b, content)
    return tflite.BufferEnd(b)


def _tensor(b: flatbuffers.Builder, index: int, tensor: TensorDef) -> int:
    name = b.CreateString(tensor.name or f"t{index}")
    shape = _ints(b, tensor.shape)
    quantization = None
    if len(tensor.scales):
        scales = b.CreateNumpyVector(np.array(tensor.scales, np.float32))
        zero_points = b.CreateNumpyVector(np.array(tensor.zero_points, np.int64))
        tflite.QuantizationParametersStart(b)
        tflite.QuantizationParametersAddScale(b, scales)
        tflite.QuantizationParametersAddZeroPoint(b, zero_points)
        tflite.QuantizationParametersAddQuantizedDimension(b, tensor.axis)
        quantization = tflite.QuantizationParametersEnd(b)
    tflite.TensorStart(b)
    tflite.TensorAddShape(b, shape)
    tflite.TensorAddType(b, _TYPES[tensor.dtype])
    tflite.TensorAddBuffer(b, 0 if tensor.data is None else index + 1)
    tflite.TensorAddName(b, name)
    tflite.TensorAddHasRank(b, True)
    tflite.TensorAddIsVariable(b, tensor.variable)
    if quantization is not None:
        tflite.TensorAddQuantization(b, quantization)
    return tflite.TensorEnd(b)


def _operator(b: flatbuffers.Builder, op: OpDef, code: int) -> int:
    inputs, outputs = _ints(b, op.inputs), _ints(b, op.outputs)
    intermediates = _ints(b, op.intermediates) if op.intermediates else None
    table = None
    if op.options is not None:
        name = op.options.table
        values = {k: v if np.isscalar(v) else _ints(b, v) for k, v in op.options.values.items()}
        getattr(tflite, f"{name}Start")(b)
        for key, value in values.items():
            getattr(tflite, f"{name}Add{key}")(b, value)
        table = getattr(tflite, f"{name}End")(b)
    tflite.OperatorStart(b)
    tflite.OperatorAddOpcodeIndex(b, code)
    tflite.OperatorAddInputs(b, inputs)
    tflite.OperatorAddOutputs(b, outputs)
    if intermediates is not None:
        tflite.OperatorAddIntermediates(b, intermediates)
    if op.options is not None and table is not None:
        tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, op.options.table))
        tflite.OperatorAddBuiltinOptions(b, table)
    return tflite.OperatorEnd(b)
