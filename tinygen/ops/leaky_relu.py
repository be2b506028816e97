"""LEAKY_RELU: x where x is positive, alpha * x where it is negative."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Diagnostic, Origin
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Options, register
from tinygen.ir.tensor import Array, DType, Quantization
from tinygen.ops.check import Check
from tinygen.ops.elementwise import ElementwiseOp, apply_table, byte_values, check_unary, table_kernel
from tinygen.ops.rescale import check_factor, rescale, single_product, single_ratio


@register("LEAKY_RELU")
@dataclass(frozen=True, kw_only=True)
class LeakyRelu(ElementwiseOp):
    """Both slopes are factors of their own, which LiteRT computes in float32, each applied with double rounding."""

    kind: ClassVar[str] = "LEAKY_RELU"
    alpha: float

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(inputs=inputs, outputs=outputs, origin=origin, alpha=options.real("alpha"))

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not 0 <= self.alpha < float("inf"):
            check.report("TG204", f"alpha must be a number that is not negative, found {self.alpha:g}")
        elif check_unary(check) is not None:
            source, output = check.activation(0), check.output_activation()
            if source is not None and output is not None and source.quant is not None and output.quant is not None:
                for factor in self._factors(source.quant, output.quant):
                    check_factor(check, factor)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = inputs[0]
        if x is None:
            raise ValueError("reference needs a verified operator")
        return (apply_table(self._table(graph), x),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics round twice here."""
        return (table_kernel(graph, self, self._table(graph)),)

    def _table(self, graph: Graph) -> Array:
        source, result = self.input(graph, 0).quant, self.output(graph).quant
        if source is None or result is None:
            raise ValueError("the table needs a verified operator")
        values = byte_values(DType.INT8) - source.zero_point
        positive, negative = (
            rescale(values, factor, result.zero_point, (-128, 127)) for factor in self._factors(source, result)
        )
        return np.where(values >= 0, positive, negative).astype(np.int8)

    def _factors(self, source: Quantization, result: Quantization) -> tuple[float, float]:
        """From the input's scale to the output's, for positive and for negative values."""
        return (
            single_ratio(source.scale, result.scale),
            single_ratio(single_product(source.scale, self.alpha), result.scale),
        )
