"""RESIZE_NEAREST_NEIGHBOR of [1, H, W, C]: pixels are copied, whatever their type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import Diagnostic
from tinygen.ir.call import TOGETHER, Call, Constant, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.rows import Window
from tinygen.ir.tensor import Array
from tinygen.ops.check import Check
from tinygen.ops.resizing import Resize, check_size, covering_window, ratio, taps_of
from tinygen.ops.slicing import check_source


@register("RESIZE_NEAREST_NEIGHBOR")
@dataclass(frozen=True, kw_only=True)
class ResizeNearestNeighbor(Resize):
    """Inputs: a tensor, and the new height and width as a constant.

    An output row shows one row of the input, and neighbours may show the same.
    """

    kind: ClassVar[str] = "RESIZE_NEAREST_NEIGHBOR"

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2):
            return iter(check.found)
        source, output = check_source(check, graph, 0, self.outputs), check.output()
        if source is not None and output is not None:
            check_size(check, source, output)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = inputs[0]
        if x is None:
            raise ValueError("reference needs a verified operator")
        rows, columns = self._sources(graph)
        return (np.ascontiguousarray(x[:, rows][:, :, columns]),)

    def kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        source, output = self.input(graph, 0), self.output(graph)
        rows, columns = self._sources(graph)
        window = self.window(graph)
        pixel = source.shape[3] * source.dtype.itemsize
        fields = (
            Field("columns", len(columns), "pixels of an output row"),
            Field("bytes", pixel, "of a pixel"),
            Field("input_pitch", pitches.of_input(0, pixel), "bytes from one input pixel to the next"),
            Field("output_pitch", pitches.of_output(pixel), "bytes from one output pixel to the next"),
            Field("input_row_bytes", 0 if window else source.shape[2] * pixel, "where all rows come as one"),
            Field("row_of", Constant("row_of", taps_of(rows, window), "the input row of each output row"), ""),
            Field("column_of", Constant("column_of", columns, "the input column of each output column"), ""),
        )
        return Kernel(
            name="resize_nearest_x8",
            instructions=output.shape[1] * (20 + len(columns) * (20 + pixel // 2)),
            flash_bytes=rows.nbytes + columns.nbytes,
            scratch_bytes=0,
            call=lambda: Call("tg_resize_nearest_x8", "resize_nearest_x8.h", fields, args=("y", "rows", "out")),
            apart=partial(self.kernel, graph),
        )

    def window(self, graph: Graph) -> Window | None:
        rows, _ = self._sources(graph)
        return covering_window(rows, rows, *ratio(self.input(graph, 0).shape[1], len(rows)))

    def _sources(self, graph: Graph) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """For each output row and for each output column the one of the input it shows."""
        source, output = self.input(graph, 0), self.output(graph)
        rows, columns = (self._nearest(source.shape[axis], output.shape[axis]) for axis in (1, 2))
        return rows, columns

    def _nearest(self, size: int, count: int) -> NDArray[np.int16]:
        """LiteRT's, every operation rounded to float32."""
        corners = self.align_corners and count > 1
        scale = np.float32(size - 1) / np.float32(count - 1) if corners else np.float32(size) / np.float32(count)
        offset = np.float32(0.5 if self.half_pixel_centers else 0)
        at = (np.arange(count).astype(np.float32) + offset) * scale
        nearest = np.floor(at + np.float32(0.5)) if self.align_corners else np.floor(at)
        return np.asarray(np.clip(nearest, 0, size - 1), np.int16)
