"""SQUARED_DIFFERENCE of two int8 activations or constants, with broadcasting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Origin
from tinygen.fixedpoint import Int, multiply_double_rounding, quantize_multiplier
from tinygen.ir.call import TOGETHER, Call, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Options, register
from tinygen.ir.tensor import Array, Quantization
from tinygen.ops.activation import Activation
from tinygen.ops.add import sum_fields
from tinygen.ops.binary import BinaryOp
from tinygen.ops.broadcast import broadcast
from tinygen.ops.check import Check
from tinygen.ops.rescale import rescale

_FRACTION = 7
"""Fractional bits that the operands get before they are rescaled: squares of differences stay below 2**30."""


@register("SQUARED_DIFFERENCE")
@dataclass(frozen=True, kw_only=True)
class SquaredDifference(BinaryOp):
    """Both operands are rescaled to twice the larger of their scales, and the square to the output's scale."""

    kind: ClassVar[str] = "SQUARED_DIFFERENCE"

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(inputs=inputs, outputs=outputs, origin=origin, activation=Activation.NONE)

    def check_scales(self, check: Check, a: Quantization, b: Quantization, result: Quantization) -> None:
        factor = _factors(a, b, result)[2]
        if not factor < 1 or quantize_multiplier(factor)[1] > 0:
            found = f"found {factor * (1 << 2 * _FRACTION):.6g}"
            most = f"{1 << 2 * _FRACTION}"
            check.report("TG205", f"the square of twice the input scale must be below {most} output scales, {found}")

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        a, b = inputs
        a_quant, b_quant, result = self.quantizations(graph)
        if a is None or b is None:
            raise ValueError("reference needs a verified operator")
        a_factor, b_factor, factor = _factors(a_quant, b_quant, result)
        difference = _scaled(a, a_quant, a_factor) - _scaled(b, b_quant, b_factor)
        return (rescale(difference * difference, factor, result.zero_point, (-128, 127)).astype(np.int8),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics round twice here."""
        return (self._kernel(graph),)

    def _kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        """The sign of a difference plays no role, and so neither does the order of the operands."""
        shape = broadcast(self, graph, pitches)
        fields = sum_fields(self, graph, shape, _factors(*self.quantizations(graph)))
        name, args = "tg_squared_difference_s8", ("y", "rows", "out")
        return Kernel(
            name="squared_difference_s8",
            instructions=shape.steps * (20 + 16 * shape.elements),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call(name, "squared_difference_s8.h", fields, args, params="tg_add_s8_params"),
            in_place=shape.in_place,
            apart=partial(self._kernel, graph),
        )


def _factors(a: Quantization, b: Quantization, result: Quantization) -> tuple[float, float, float]:
    """From either operand to the common scale, and from the square there to the output's."""
    common = 2 * max(a.scale, b.scale)
    return a.scale / common, b.scale / common, common * common / ((1 << 2 * _FRACTION) * result.scale)


def _scaled(x: Array, quant: Quantization, factor: float) -> Int:
    """An operand in the common scale, with its fractional bits."""
    values = (x.astype(np.int64) - quant.zero_point) * (1 << _FRACTION)
    return multiply_double_rounding(values, *quantize_multiplier(factor))
