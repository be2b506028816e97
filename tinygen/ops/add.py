"""ADD of two int8 activations or constants, with broadcasting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from tinygen.fixedpoint import Int, multiply_double_rounding, quantize_multiplier
from tinygen.ir.call import TOGETHER, Call, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Array, Quantization
from tinygen.ops.activation import activation_range
from tinygen.ops.binary import BinaryOp
from tinygen.ops.broadcast import Broadcast, broadcast
from tinygen.ops.check import Check
from tinygen.ops.rescale import rescale


@register("ADD")
@dataclass(frozen=True, kw_only=True)
class Add(BinaryOp):
    """Both operands are rescaled to twice the larger of their scales, added, and rescaled to the output's scale."""

    kind: ClassVar[str] = "ADD"
    FRACTION: ClassVar[int] = 20
    """Fractional bits that the operands get before they are rescaled, so that rounding them costs nothing visible."""

    def rescalings(self, graph: Graph) -> tuple[tuple[int, int], ...]:
        """Multiplier and shift of either operand to the common scale, and from there to the output's."""
        return tuple(map(quantize_multiplier, factors(*self.quantizations(graph))))

    def check_scales(self, check: Check, a: Quantization, b: Quantization, result: Quantization) -> None:
        check_sum(check, a, b, result)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        a, b = inputs
        a_quant, b_quant, result = self.quantizations(graph)
        if a is None or b is None:
            raise ValueError("reference needs a verified operator")
        a_factor, b_factor, factor = factors(a_quant, b_quant, result)
        total = scaled(a, a_quant, a_factor) + scaled(b, b_quant, b_factor)
        limits = activation_range(self.activation, result, self.output(graph).dtype)
        return (rescale(total, factor, result.zero_point, limits).astype(np.int8),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics round twice here."""
        kernels = [sum_kernel(self, graph)]
        shape = broadcast(self, graph)
        if all(operand.strides[-1] == 1 for operand in shape.operands):
            kernels.append(sum_kernel(self, graph, mve=True))
        return tuple(kernels)


def sum_kernel(op: BinaryOp, graph: Graph, pitches: Pitches = TOGETHER, *, mve: bool = False) -> Kernel:
    """The operands brought to a common scale and added; with Helium (MVE) if neighbours in a row are neighbours."""
    shape = broadcast(op, graph, pitches)
    fields = sum_fields(op, graph, shape, factors(*op.quantizations(graph)))
    form = "add_mve_s8" if mve else "add_s8"
    runs, run = int(np.prod(shape.counts[:-1])), shape.counts[-1]
    of_run = 10 + run // 4 * 21 + (40 if run % 4 else 0) if mve else 13 * run
    return Kernel(
        name=form,
        instructions=shape.steps * (20 + runs * of_run),
        flash_bytes=0,
        scratch_bytes=0,
        call=lambda: Call(f"tg_{form}", f"{form}.h", fields, ("y", "rows", "out"), params="tg_add_s8_params"),
        requires=frozenset({"mve"}) if mve else frozenset(),
        in_place=shape.in_place,
        apart=partial(sum_kernel, op, graph, mve=mve),
    )


def sum_fields(op: BinaryOp, graph: Graph, shape: Broadcast, found: tuple[float, float, float]) -> tuple[Field, ...]:
    """The members of `tg_add_s8_params`; `found` are the factors of the operands and of the result."""
    quants = op.quantizations(graph)
    result = quants[2]
    low, high = activation_range(op.activation, result, op.output(graph).dtype)
    operands = [(f"{x}_", quants[o.position], found[o.position]) for x, o in zip("ab", shape.operands, strict=True)]
    return (
        *shape.fields(),
        *(field for prefix, quant, factor in operands for field in _rescaling(prefix, quant.zero_point, factor)),
        *_rescaling("", result.zero_point, found[2]),
        Field("activation_min", low, ""),
        Field("activation_max", high, ""),
    )


def factors(a: Quantization, b: Quantization, result: Quantization) -> tuple[float, float, float]:
    """From either operand to the common scale, and from there to the output's."""
    common = 2 * max(a.scale, b.scale)
    return a.scale / common, b.scale / common, common / ((1 << Add.FRACTION) * result.scale)


def check_sum(check: Check, a: Quantization, b: Quantization, result: Quantization) -> None:
    factor = factors(a, b, result)[2]
    if factor >= 1 or quantize_multiplier(factor)[1] > 0:
        most = 1 << (Add.FRACTION - 1)
        found = f"found {max(a.scale, b.scale) / result.scale:.6g}"
        check.report("TG205", f"input scale divided by output scale must be below {most}, {found}")


def scaled(x: Array, quant: Quantization, factor: float) -> Int:
    """An operand in the common scale, with its fractional bits."""
    values = (x.astype(np.int64) - quant.zero_point) * (1 << Add.FRACTION)
    return multiply_double_rounding(values, *quantize_multiplier(factor))


def _rescaling(prefix: str, zero_point: int, factor: float) -> tuple[Field, Field, Field]:
    multiplier, shift = quantize_multiplier(factor)
    return (
        Field(f"{prefix}zero_point", zero_point, ""),
        Field(f"{prefix}multiplier", multiplier, f"of {factor:.9g}"),
        Field(f"{prefix}right", -shift, ""),
    )
