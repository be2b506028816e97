"""RELU, RELU6 and RELU_N1_TO_1 as operators of their own; most models have them fused into the operator before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Array, DType
from tinygen.ops.activation import Activation, activation_range
from tinygen.ops.check import Check
from tinygen.ops.elementwise import ElementwiseOp, apply_table, byte_values, check_unary, table_kernel
from tinygen.ops.rescale import check_factor, rescale, single_ratio


@register("RELU")
@dataclass(frozen=True, kw_only=True)
class Relu(ElementwiseOp):
    """Rescales to the output's quantization and clamps; LiteRT divides the scales in float32."""

    kind: ClassVar[str] = "RELU"
    activation: ClassVar[Activation] = Activation.RELU

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if check_unary(check) is not None:
            source, output = check.activation(0), check.output_activation()
            if source is not None and output is not None and source.quant is not None and output.quant is not None:
                check_factor(check, single_ratio(source.quant.scale, output.quant.scale))
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = inputs[0]
        if x is None:
            raise ValueError("reference needs a verified operator")
        return (apply_table(self._table(graph, numerics), x),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (table_kernel(graph, self, self._table(graph, numerics)),)

    def _table(self, graph: Graph, numerics: Numerics) -> Array:
        source, result = self.input(graph, 0).quant, self.output(graph).quant
        if source is None or result is None:
            raise ValueError("the table needs a verified operator")
        values = byte_values(DType.INT8)
        if numerics is Numerics.TFLM and self.activation is Activation.RELU6:
            # TFLM's RELU6 only clamps, as if the output had the input's quantization.
            return np.clip(values, *activation_range(self.activation, source, DType.INT8)).astype(np.int8)
        limits = activation_range(self.activation, result, DType.INT8)
        factor = single_ratio(source.scale, result.scale)
        return rescale(values - source.zero_point, factor, result.zero_point, limits).astype(np.int8)


@register("RELU6")
@dataclass(frozen=True, kw_only=True)
class Relu6(Relu):
    kind: ClassVar[str] = "RELU6"
    activation: ClassVar[Activation] = Activation.RELU6


@register("RELU_N1_TO_1")
@dataclass(frozen=True, kw_only=True)
class ReluN1To1(Relu):
    kind: ClassVar[str] = "RELU_N1_TO_1"
    activation: ClassVar[Activation] = Activation.RELU_N1_TO_1
