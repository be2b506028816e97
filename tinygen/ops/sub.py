"""SUB of two int8 activations or constants, with broadcasting: the arithmetic of ADD with the other sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np

from tinygen.ir.call import TOGETHER, Call, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Array, Quantization
from tinygen.ops.activation import activation_range
from tinygen.ops.add import check_sum, factors, scaled, sum_kernel
from tinygen.ops.binary import BinaryOp
from tinygen.ops.broadcast import broadcast
from tinygen.ops.check import Check
from tinygen.ops.rescale import rescale


@register("SUB")
@dataclass(frozen=True, kw_only=True)
class Sub(BinaryOp):
    """Input 0 minus input 1."""

    kind: ClassVar[str] = "SUB"

    def check_scales(self, check: Check, a: Quantization, b: Quantization, result: Quantization) -> None:
        check_sum(check, a, b, result)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        a, b = inputs
        a_quant, b_quant, result = self.quantizations(graph)
        if a is None or b is None:
            raise ValueError("reference needs a verified operator")
        a_factor, b_factor, factor = factors(a_quant, b_quant, result)
        difference = scaled(a, a_quant, a_factor) - scaled(b, b_quant, b_factor)
        limits = activation_range(self.activation, result, self.output(graph).dtype)
        return (rescale(difference, factor, result.zero_point, limits).astype(np.int8),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics round twice here."""
        return (self._kernel(graph),)

    def _kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        kernel = sum_kernel(self, graph, pitches)
        reversed_ = broadcast(self, graph).operands[0].position == 1

        def call() -> Call:
            symbol = "tg_sub_reversed_s8" if reversed_ else "tg_sub_s8"
            return replace(kernel.call(), symbol=symbol, header="sub_s8.h", params="tg_add_s8_params")

        return replace(kernel, name="sub_s8", call=call, apart=partial(self._kernel, graph))
