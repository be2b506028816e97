"""HARD_SWISH, x * relu6(x + 3) / 6, int8 to int8 by a table of all 256 results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.fixedpoint import Int, quantize_multiplier
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Array, DType
from tinygen.ops.check import Check
from tinygen.ops.elementwise import ElementwiseOp, apply_table, byte_values, check_unary, table_kernel

_FRACTION = 7
"""Fractional bits that inputs get before they are multiplied: int8 then fills int16."""

_RELUISH = np.float32(3) / np.float32(32768)
"""The scale in which relu6(x + 3) / 6, shifted to be symmetric, fills int16."""

_LEAST, _MOST = -(1 << 15), (1 << 15) - 1


@register("HARD_SWISH")
@dataclass(frozen=True, kw_only=True)
class HardSwish(ElementwiseOp):
    """In LiteRT's arithmetic of 16 bits, each product rounded or cut off as there."""

    kind: ClassVar[str] = "HARD_SWISH"

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if check_unary(check) is not None:
            source, output = check.activation(0), check.output_activation()
            if source is not None and output is not None and source.quant is not None and output.quant is not None:
                factor = _factor(source.quant.scale, output.quant.scale)
                if factor <= 0 or quantize_multiplier(factor)[1] > 0:
                    found = f"found {source.quant.scale / output.quant.scale:.6g}"
                    check.report("TG205", f"input scale divided by output scale must be below 128, {found}")
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = inputs[0]
        if x is None:
            raise ValueError("reference needs a verified operator")
        return (apply_table(self._table(graph), x),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics are the same here."""
        return (table_kernel(graph, self, self._table(graph)),)

    def _table(self, graph: Graph) -> Array:
        source, result = self.input(graph, 0).quant, self.output(graph).quant
        if source is None or result is None:
            raise ValueError("the table needs a verified operator")
        fine = (byte_values(DType.INT8) - source.zero_point) * (1 << _FRACTION)
        multiplier, shift = _short_multiplier(_factor(source.scale, result.scale))
        scaled = _rounded_product(fine, multiplier)
        relu_multiplier, relu_shift = _short_multiplier(float(np.float32(source.scale) / 128 / _RELUISH))
        reluish = _saturate(fine * (1 << max(relu_shift - 1, 0)))
        reluish = _rounded_product(reluish, relu_multiplier)
        reluish = _saturate(reluish * 2) if relu_shift > 0 else _rounded_shift(reluish, -relu_shift)
        # From [-1, 1] to [0, 1].
        reluish = (reluish + (1 << 15)) >> 1
        product = _saturate(np.trunc(reluish * scaled / (1 << 15)).astype(np.int64))
        return np.clip(_rounded_shift(product, -shift) + result.zero_point, -128, 127).astype(np.int8)


def _factor(source: float, result: float) -> float:
    """From the input's scale with its fraction to the output's, in float32."""
    with np.errstate(over="ignore"):
        return float(np.float32(source) / np.float32(1 << _FRACTION) / np.float32(result))


def _short_multiplier(real: float) -> tuple[int, int]:
    """A quantized multiplier with 15 bits instead of 31."""
    multiplier, shift = quantize_multiplier(real)
    return min((multiplier + (1 << 15)) >> 16, _MOST), shift


def _saturate(values: Int) -> Int:
    return np.clip(values, _LEAST, _MOST)


def _rounded_product(values: Int, multiplier: int) -> Int:
    """values * multiplier / 2^15, ties away from zero."""
    product = values * multiplier
    nudge = np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    return _saturate(np.trunc((product + nudge) / (1 << 15)).astype(np.int64))


def _rounded_shift(values: Int, exponent: int) -> Int:
    """values / 2^exponent, ties away from zero; int16 in, so that more than 16 bits leave nothing."""
    exponent = min(exponent, 31)
    half = np.where(values < 0, 1, 0)
    mask = (1 << exponent) - 1
    return (values >> exponent) + ((values & mask) > (mask >> 1) + half)
