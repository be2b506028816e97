"""SOFTMAX over the last dimension, int8 to int8 or int16, in TFLite's fixed-point arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import Diagnostic, Origin
from tinygen.fixedpoint import Int, doubling_high_multiply, quantize_multiplier, rounding_shift
from tinygen.ir.call import Call, Constant, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.rows import SAME_ROW, Rows
from tinygen.ir.tensor import Array, DType, geometry
from tinygen.ops.check import Check
from tinygen.ops.exponential import exp_of_negative, half_reciprocal

MAX_DEPTH = 4095
"""Sums have 12 integer bits, and each addend is at most 1."""

_DIFFERENCE_BITS = 5
"""Integer bits of a scaled difference to the maximum."""

_SUM_BITS = 12
"""Integer bits of the sum of exponentials."""


@register("SOFTMAX")
@dataclass(frozen=True, kw_only=True)
class Softmax(Op):
    """exp(beta * x) / sum of exp(beta * x).

    The output is always scale 1/256 and zero point -128, or scale 1/65536 (up to LiteRT's tolerance, as converters
    write 1/65535) and zero point -32768 in int16.
    """

    kind: ClassVar[str] = "SOFTMAX"
    beta: float

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(inputs=inputs, outputs=outputs, origin=origin, beta=options.real("beta"))

    def rows(self, graph: Graph) -> Rows:
        return Rows(steps=geometry(self.output(graph).shape)[0], inputs=((0, SAME_ROW),))

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(1):
            return iter(check.found)
        source = check.activation(0, "input", 1, 2, 3, 4)
        output = check.output()
        if output is None or not check.dtype(output, "output", DType.INT8, DType.INT16):
            return iter(check.found)
        quant = check.per_tensor(output, "output")
        if not (math.isfinite(self.beta) and self.beta > 0):
            check.report("TG204", f"beta must be positive and finite, found {self.beta}")
        if source is None or quant is None:
            return iter(check.found)
        check.shape(output, "output", source.shape)
        if not 1 <= source.shape[-1] <= MAX_DEPTH:
            check.report("TG203", f"the last dimension must be 1 to {MAX_DEPTH}, found {source.describe()}", source)
        steps = 1 << 8 * output.dtype.itemsize
        tolerance = 0.001 / steps if output.dtype is DType.INT16 else 0
        if abs(quant.scale - 1 / steps) > tolerance or quant.zero_point != -steps // 2:
            found = f"found {quant.scale:g} and {quant.zero_point}"
            check.report("TG205", f"output must have scale 1/{steps} and zero point {-steps // 2}, {found}", output)
        return iter(check.found)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        source = self.input(graph, 0)
        if source.quant is None:
            raise ValueError("kernels need a verified operator")
        table = exponentials(source.quant.scale, self.beta)
        table = table[: np.flatnonzero(table)[-1] + 1].astype(np.int32)
        steps, count = geometry(source.shape)
        depth = source.shape[-1]
        fields = (
            Field("vectors", count // depth, "in a row"),
            Field("depth", depth, "elements of a vector"),
            Field("entries", len(table)),
            Field("exponentials", Constant("exponentials", table, "exp(-beta * scale * index), 31 fractional bits")),
        )
        instructions = steps * (count // depth) * (150 + 40 * depth)
        narrow = self.output(graph).dtype is DType.INT8
        form = "softmax_s8" if narrow else "softmax_s8_s16"
        kernel = Kernel(
            name=form,
            instructions=instructions,
            flash_bytes=table.nbytes,
            scratch_bytes=0,
            call=lambda: Call(f"tg_{form}", "softmax_s8.h", fields, params="tg_softmax_s8_params"),
            in_place=(0,) if narrow else (),
        )
        return (kernel,)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        source, x, dtype = self.input(graph, 0).quant, inputs[0], self.output(graph).dtype
        if x is None or source is None:
            raise ValueError("reference needs a verified operator")
        values = x.astype(np.int64)
        table = exponentials(source.scale, self.beta)
        exps = table[values.max(-1, keepdims=True) - values]
        reciprocal, bits = _reciprocal(rounding_shift(exps, _SUM_BITS).sum(-1, keepdims=True))
        scaled = rounding_shift(doubling_high_multiply(reciprocal, exps), bits + 31 - 8 * dtype.itemsize)
        limits = np.iinfo(dtype.value)
        return (np.clip(scaled + int(limits.min), limits.min, limits.max).astype(dtype.numpy),)


def scaled_differences(scale: float, beta: float) -> tuple[int, int, int]:
    """Multiplier and shift that give a difference its 26 fractional bits, and the largest that is not left out."""
    real = min(beta * scale * (1 << (31 - _DIFFERENCE_BITS)), (1 << 31) - 1.0)
    multiplier, shift = quantize_multiplier(real)
    radius = math.floor(((1 << _DIFFERENCE_BITS) - 1) * math.ldexp(1.0, 31 - _DIFFERENCE_BITS - shift))
    return multiplier, shift, radius


@lru_cache(maxsize=64)
def exponentials(scale: float, beta: float) -> NDArray[np.int64]:
    """exp(-beta * scale * d) for d in [0, 255], with 31 fractional bits; 0 where TFLite leaves the term out."""
    multiplier, shift, radius = scaled_differences(scale, beta)
    d = np.arange(256, dtype=np.int64)
    used = np.minimum(d, radius)
    scaled = doubling_high_multiply(-used * (1 << max(shift, 0)), multiplier)
    table = np.where(d <= radius, exp_of_negative(scaled, _DIFFERENCE_BITS), 0)
    table.setflags(write=False)
    return table


def _reciprocal(total: Int) -> tuple[Int, Int]:
    """1 / total: a fraction in (1/2, 1] with 31 fractional bits, and the integer bits of total that it leaves out."""
    leading = 31 - np.floor(np.log2(total.astype(np.float64))).astype(np.int64)
    return half_reciprocal((total << leading) >> 1), _SUM_BITS - leading
