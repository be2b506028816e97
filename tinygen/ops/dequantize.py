"""DEQUANTIZE: int8 to float32, scale * (x - zero point)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.ir.call import TOGETHER, Call, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Array, DType, Quantization, geometry
from tinygen.ops.check import Check
from tinygen.ops.elementwise import ElementwiseOp, check_unary, runs_of


@register("DEQUANTIZE")
@dataclass(frozen=True, kw_only=True)
class Dequantize(ElementwiseOp):
    """LiteRT multiplies in double, where the product is exact: rounding it equals multiplying in float32."""

    kind: ClassVar[str] = "DEQUANTIZE"

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        tensors = check_unary(check)
        if tensors is not None:
            source, output = tensors
            check.dtype(output, "output", DType.FLOAT32)
            if check.dtype(source, "input", DType.INT8):
                check.per_tensor(source, "input")
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x, quant = inputs[0], self._quant(graph)
        if x is None:
            raise ValueError("reference needs a verified operator")
        steps = x.astype(np.int64) - quant.zero_point
        with np.errstate(over="ignore"):
            return (np.asarray(np.float32(quant.scale) * steps.astype(np.float32), np.float32),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (self._kernel(graph),)

    def _kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        quant = self._quant(graph)
        steps, _ = geometry(self.output(graph).shape)
        runs = runs_of(graph, self, pitches)
        fields = (
            *runs.fields(),
            Field("scale", quant.scale, ""),
            Field("zero_point", quant.zero_point, ""),
        )
        return Kernel(
            name="dequantize_s8_f32",
            instructions=steps * runs.runs * (10 + 8 * runs.count),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call("tg_dequantize_s8_f32", "dequantize_s8_f32.h", fields),
            apart=partial(self._kernel, graph),
        )

    def _quant(self, graph: Graph) -> Quantization:
        quant = self.input(graph, 0).quant
        if quant is None:
            raise ValueError("kernels and references need a verified operator")
        return quant
