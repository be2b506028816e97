"""L2_NORMALIZATION: each vector of channels divided by its length, int8."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Diagnostic, Origin
from tinygen.fixedpoint import multiply_double_rounding
from tinygen.ir.call import TOGETHER, Call, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Options, register
from tinygen.ir.tensor import Array, geometry
from tinygen.ops.activation import Activation
from tinygen.ops.check import Check
from tinygen.ops.elementwise import ElementwiseOp, check_unary
from tinygen.ops.inverse_root import inverse_root

_MOST_CHANNELS = ((1 << 31) - 1) // 255**2
"""Sums of so many squares stay within 32 bits."""

_FRACTION = 7
"""Of the output, whose scale is 1/128."""


@register("L2_NORMALIZATION")
@dataclass(frozen=True, kw_only=True)
class L2Normalization(ElementwiseOp):
    """The output is always scale 1/128, zero point 0. The length's reciprocal is LiteRT's in fixed point."""

    kind: ClassVar[str] = "L2_NORMALIZATION"
    activation: Activation

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        activation = Activation[options.enum("fused_activation_function")]
        return cls(inputs=inputs, outputs=outputs, origin=origin, activation=activation)

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if self.activation is not Activation.NONE:
            check.report("TG204", f"fused activation must be NONE, found {self.activation.name}")
        if check_unary(check) is None:
            return iter(check.found)
        source, output = check.activation(0, "input", 1, 2, 3, 4), check.output_activation()
        if source is not None and not 1 <= source.shape[-1] <= _MOST_CHANNELS:
            check.report("TG203", f"1 to {_MOST_CHANNELS} channels are supported, found {source.describe()}", source)
        quant = output.quant if output is not None else None
        if quant is not None and (quant.scale != 1 / 128 or quant.zero_point != 0):
            message = f"output must have scale 1/128 and zero point 0, found {quant.scale:g} and {quant.zero_point}"
            check.report("TG205", message, output)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x, quant = inputs[0], self.input(graph, 0).quant
        if x is None or quant is None:
            raise ValueError("reference needs a verified operator")
        values = x.astype(np.int64) - quant.zero_point
        sums = (values * values).sum(-1, keepdims=True)
        roots = np.array([inverse_root(total) for total in sums.reshape(-1).tolist()], np.int64)
        multipliers, shifts = (part.reshape(sums.shape) for part in roots.T)
        result = multiply_double_rounding(values, multipliers, shifts + _FRACTION)
        return (np.clip(result, -128, 127).astype(np.int8),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics are the same here."""
        return (self._kernel(graph),)

    def _kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        source = self.input(graph, 0)
        if source.quant is None:
            raise ValueError("kernels need a verified operator")
        steps, elements = geometry(source.shape)
        channels = source.shape[-1]
        fields = (
            Field("vectors", elements // channels, "of a row"),
            Field("channels", channels, "bytes of a vector"),
            Field("input_pitch", pitches.of_input(0, channels), "bytes from one vector to the next"),
            Field("output_pitch", pitches.of_output(channels), ""),
            Field("input_zero_point", source.quant.zero_point, ""),
        )
        return Kernel(
            name="l2_normalization_s8",
            instructions=20 * steps + source.elements // channels * (400 + 25 * channels),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call("tg_l2_normalization_s8", "l2_normalization_s8.h", fields),
            in_place=(0,),
            apart=partial(self._kernel, graph),
        )
