"""AVERAGE_POOL_2D: means of windows of [1, H, W, C]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from tinygen.ir.call import TOGETHER, Call, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.rows import SAME_ROW, Rows
from tinygen.ir.tensor import Array
from tinygen.ops.pool import Pool


@register("AVERAGE_POOL_2D")
@dataclass(frozen=True, kw_only=True)
class AveragePool2D(Pool):
    """Sums divided by the number of elements inside the input, ties away from zero."""

    kind: ClassVar[str] = "AVERAGE_POOL_2D"

    def rows(self, graph: Graph) -> Rows:
        """A single window is accumulated row by row, so that none of its rows has to wait for the last."""
        if self.is_global(graph):
            return Rows(steps=self.covered(graph)[0], inputs=((0, SAME_ROW),), writes_row=False, accumulates=True)
        return super().rows(graph)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = self._required(inputs)[0].astype(np.int32)
        sums = self._patches(graph, x, 0).sum((3, 4), dtype=np.int64)
        counts = self._patches(graph, np.ones((*x.shape[:2], 1), np.int32), 0).sum((3, 4), dtype=np.int64)
        means = np.sign(sums) * ((np.abs(sums) + counts // 2) // counts)
        return (np.clip(means, *self.limits(graph)).astype(np.int8)[np.newaxis],)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        kernel = self._global_kernel(graph) if self.is_global(graph) else self._row_kernel(graph)
        return (kernel,)

    def _row_kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        output = self.output(graph)
        call = Call("tg_average_pool_2d_s8", "average_pool_2d_s8.h", self.window_fields(graph, pitches))
        height, width = self.size
        instructions = output.elements * (height * (width * 3 + 3) + 8)
        apart = partial(self._row_kernel, graph)
        return Kernel("average_pool_2d_s8", instructions, 0, 0, lambda: call, apart=apart)

    def _global_kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        (steps, columns), channels = self.covered(graph), self.output(graph).shape[3]
        limits = self.limits(graph)
        fields = (
            Field("steps", steps, "rows of the window inside the input"),
            Field("columns", columns, "columns of the window inside the input"),
            Field("channels", channels, "bytes of a pixel"),
            Field("pitch", pitches.of_input(0, channels), "bytes from one pixel to the next"),
            Field("activation_min", limits[0]),
            Field("activation_max", limits[1]),
        )
        args = ("y", "rows", "out", "acc")
        call = Call("tg_average_pool_global_s8", "average_pool_2d_s8.h", fields, args, accumulator_bytes=4 * channels)
        instructions = channels * (steps * (columns * 2 + 6) + 15)
        apart = partial(self._global_kernel, graph)
        return Kernel("average_pool_global_s8", instructions, 0, 0, lambda: call, apart=apart)
