"""QUANTIZE: float32 to int8, from one 8-bit quantization to another, and from a 16-bit one to 8, 16 or 32 bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.fixedpoint import Int, quantize_multiplier
from tinygen.ir.call import TOGETHER, Call, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Array, DType, Quantization, geometry
from tinygen.ops.check import QUANTIZE_HINT, Check
from tinygen.ops.elementwise import ElementwiseOp, apply_table, byte_values, check_unary, runs_of, table_kernel
from tinygen.ops.rescale import check_factor, rescale

_ACCEPTED = {
    DType.FLOAT32: (DType.INT8,),
    DType.INT8: (DType.INT8, DType.UINT8),
    DType.UINT8: (DType.INT8,),
    DType.INT16: (DType.INT8, DType.INT16, DType.INT32),
}
"""Output types by input type."""

_FLOAT_LIMIT = 512.0
"""Quotients are clamped to this magnitude before they become integers: beyond the output's range, within int32."""


_MOST_ZERO_POINT = 1 << 30
"""Of int32, in magnitude: no sum with a rescaled int16 overflows."""


@register("QUANTIZE")
@dataclass(frozen=True, kw_only=True)
class Quantize(ElementwiseOp):
    """From float32: x / scale in float32, rounded half away from zero, plus the zero point, saturated.

    LiteRT leaves quotients beyond int32 and NaN undefined; here the former saturate and NaN becomes -128.
    """

    kind: ClassVar[str] = "QUANTIZE"

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        tensors = check_unary(check)
        if tensors is None:
            return iter(check.found)
        source, output = tensors
        if source.dtype not in _ACCEPTED:
            names = ", ".join(d.value for d in _ACCEPTED)
            message = f"input must be one of {names}, found {source.describe()}"
            check.report("TG202", message, source, QUANTIZE_HINT)
            return iter(check.found)
        if not check.dtype(output, f"output for {source.dtype.value} input", *_ACCEPTED[source.dtype]):
            return iter(check.found)
        result = check.per_tensor(output, "output")
        if result is not None and abs(result.zero_point) > _MOST_ZERO_POINT:
            found = f"found {result.zero_point}"
            check.report("TG205", f"zero point of the output must be at most {_MOST_ZERO_POINT}, {found}", output)
        if source.dtype is not DType.FLOAT32:
            origin = check.per_tensor(source, "input")
            if origin is not None and result is not None:
                check_factor(check, origin.scale / result.scale)
                if source.dtype is output.dtype is DType.INT16 and (origin.zero_point or result.zero_point):
                    found = f"found {origin.zero_point} and {result.zero_point}"
                    check.report("TG205", f"zero points of int16 input and output must be 0, {found}", output)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = inputs[0]
        if x is None:
            raise ValueError("reference needs a verified operator")
        if x.dtype == np.float32:
            return (_quantize(x, self._quant(graph)[1]),)
        if x.dtype == np.int16:
            return (self._rescale(graph, x.astype(np.int64)),)
        return (apply_table(self._table(graph), x),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        dtype = self.input(graph, 0).dtype
        if dtype is DType.FLOAT32:
            return (self._float_kernel(graph),)
        if dtype is DType.INT16:
            return (self._int16_kernel(graph),)
        return (table_kernel(graph, self, self._table(graph)),)

    def _quant(self, graph: Graph) -> tuple[Quantization | None, Quantization]:
        quant = self.output(graph).quant
        if quant is None:
            raise ValueError("kernels and references need a verified operator")
        return self.input(graph, 0).quant, quant

    def _rescale(self, graph: Graph, values: Int) -> Array:
        source, result = self._quant(graph)
        if source is None:
            raise ValueError("kernels and references need a verified operator")
        dtype = self.output(graph).dtype
        info = np.iinfo(dtype.value)
        factor = source.scale / result.scale
        limits = (int(info.min), int(info.max))
        return rescale(values - source.zero_point, factor, result.zero_point, limits).astype(dtype.numpy)

    def _table(self, graph: Graph) -> Array:
        return self._rescale(graph, byte_values(self.input(graph, 0).dtype))

    def _float_kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        _, result = self._quant(graph)
        steps, _ = geometry(self.output(graph).shape)
        runs = runs_of(graph, self, pitches)
        fields = (
            *runs.fields(),
            Field("scale", result.scale, ""),
            Field("zero_point", result.zero_point, ""),
        )
        return Kernel(
            name="quantize_f32_s8",
            instructions=steps * runs.runs * (10 + 30 * runs.count),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call("tg_quantize_f32_s8", "quantize_f32_s8.h", fields),
            apart=partial(self._float_kernel, graph),
        )

    def _int16_kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        source, result = self._quant(graph)
        if source is None:
            raise ValueError("kernels and references need a verified operator")
        steps, _ = geometry(self.output(graph).shape)
        runs = runs_of(graph, self, pitches)
        factor = source.scale / result.scale
        multiplier, shift = quantize_multiplier(factor)
        form = f"quantize_s16_s{8 * self.output(graph).dtype.itemsize}"
        fields = (
            *runs.fields(),
            Field("input_zero_point", source.zero_point, ""),
            Field("multiplier", multiplier, f"of {factor:.9g}"),
            Field("left", max(shift, 0), ""),
            Field("right", max(-shift, 0), ""),
            Field("output_zero_point", result.zero_point, ""),
        )
        return Kernel(
            name=form,
            instructions=steps * runs.runs * (12 + 12 * runs.count),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call(f"tg_{form}", "quantize_s16.h", fields, params="tg_quantize_s16_params"),
            apart=partial(self._int16_kernel, graph),
        )


def _quantize(x: Array, quant: Quantization) -> Array:
    with np.errstate(over="ignore"):
        steps = x.astype(np.float32) / np.float32(quant.scale)
    steps = np.where(steps > -_FLOAT_LIMIT, np.minimum(steps, np.float32(_FLOAT_LIMIT)), np.float32(-_FLOAT_LIMIT))
    whole = np.trunc(steps)
    rounded = np.asarray(whole + np.sign(steps) * (np.abs(steps - whole) >= 0.5), np.int64)
    return np.clip(rounded + quant.zero_point, -128, 127).astype(np.int8)
