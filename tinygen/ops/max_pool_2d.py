"""MAX_POOL_2D: maxima of windows of [1, H, W, C]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from tinygen.ir.call import TOGETHER, Call, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Array
from tinygen.ops.pool import Pool


@register("MAX_POOL_2D")
@dataclass(frozen=True, kw_only=True)
class MaxPool2D(Pool):
    """Every window has at least one element inside the input, so borders read the smallest int8."""

    kind: ClassVar[str] = "MAX_POOL_2D"

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = self._required(inputs)[0].astype(np.int8)
        maxima = self._patches(graph, x, -128).max((3, 4))
        return (np.clip(maxima, *self.limits(graph)).astype(np.int8)[np.newaxis],)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (self._kernel(graph),)

    def _kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        fields, output = self.window_fields(graph, pitches), self.output(graph)
        height, width = self.size
        instructions = output.elements * (height * (width * 5 + 2) + 4)
        call = Call("tg_max_pool_2d_s8", "max_pool_2d_s8.h", fields)
        return Kernel("max_pool_2d_s8", instructions, 0, 0, lambda: call, apart=partial(self._kernel, graph))
