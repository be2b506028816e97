"""RESIZE_BILINEAR of [1, H, W, C], int8: each output pixel a mixture of up to four of the input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import Diagnostic
from tinygen.fixedpoint import Int, rounding_shift
from tinygen.ir.call import TOGETHER, Call, Constant, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.rows import Window
from tinygen.ir.tensor import Array
from tinygen.ops.check import Check
from tinygen.ops.resizing import Resize, check_size, covering_window, ratio, taps_of

_FRACTION = 10
"""Fractional bits of a position in the input."""

_ONE = 1 << _FRACTION


@dataclass(frozen=True, eq=False)
class Mixture:
    """For each output row, or column, the two of the input that are mixed, and the share of the second in 1/1024."""

    first: NDArray[np.int16]
    second: NDArray[np.int16]
    share: NDArray[np.int16]


@register("RESIZE_BILINEAR")
@dataclass(frozen=True, kw_only=True)
class ResizeBilinear(Resize):
    """Inputs: a tensor, and the new height and width as a constant.

    Bytes are mixed: as in LiteRT, scales and zero points play no role. Positions have 10 fractional bits, and the sum
    of the four products is rounded once, ties away from zero.
    """

    kind: ClassVar[str] = "RESIZE_BILINEAR"

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2):
            return iter(check.found)
        source, output = check.activation(0), check.output_activation()
        if self.align_corners and self.half_pixel_centers:
            check.report("TG204", "align_corners and half_pixel_centers exclude each other, found both")
        if source is not None and output is not None and check_size(check, source, output):
            for size, count in zip(source.shape[1:3], output.shape[1:3], strict=True):
                if int(self._positions(size, count).max()) >> _FRACTION >= size:
                    # LiteRT's rounded ratio leads it to read beyond the input.
                    message = f"positions must stay inside the input, found {size} stretched to {count}"
                    check.report("TG204", message, output)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = inputs[0]
        if x is None:
            raise ValueError("reference needs a verified operator")
        rows, columns = self._mixtures(graph)
        values = x.astype(np.int64)
        down = rows.share.astype(np.int64)[:, np.newaxis, np.newaxis]
        mixed = values[:, rows.first] * (_ONE - down) + values[:, rows.second] * down
        across = columns.share.astype(np.int64)[:, np.newaxis]
        total = mixed[:, :, columns.first] * (_ONE - across) + mixed[:, :, columns.second] * across
        return (rounding_shift(total, 2 * _FRACTION).astype(np.int8),)

    def kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        source, output = self.input(graph, 0), self.output(graph)
        rows, columns = self._mixtures(graph)
        window, channels = self.window(graph), source.shape[3]
        across = np.stack([columns.first, columns.second, columns.share], axis=1)
        down = np.stack([taps_of(rows.first, window), taps_of(rows.second, window), rows.share], axis=1)
        fields = (
            Field("columns", len(columns.share), "pixels of an output row"),
            Field("channels", channels, "bytes of a pixel"),
            Field("input_pitch", pitches.of_input(0, channels), "bytes from one input pixel to the next"),
            Field("output_pitch", pitches.of_output(channels), "bytes from one output pixel to the next"),
            Field("input_row_bytes", 0 if window else source.shape[2] * channels, "where all rows come as one"),
            Field("down", Constant("down", down.reshape(-1), "two rows and the share of the second in 1/1024"), ""),
            Field("across", Constant("across", across.reshape(-1), "the same of columns"), ""),
        )
        return Kernel(
            name="resize_bilinear_s8",
            instructions=output.shape[1] * (30 + len(columns.share) * (30 + 20 * channels)),
            flash_bytes=down.nbytes + across.nbytes,
            scratch_bytes=0,
            call=lambda: Call("tg_resize_bilinear_s8", "resize_bilinear_s8.h", fields, args=("y", "rows", "out")),
            apart=partial(self.kernel, graph),
        )

    def window(self, graph: Graph) -> Window | None:
        rows, _ = self._mixtures(graph)
        return covering_window(rows.first, rows.second, *ratio(self.input(graph, 0).shape[1], len(rows.share)))

    def _mixtures(self, graph: Graph) -> tuple[Mixture, Mixture]:
        """Of rows and of columns."""
        source, output = self.input(graph, 0), self.output(graph)
        rows, columns = (self._mixture(source.shape[axis], output.shape[axis]) for axis in (1, 2))
        return rows, columns

    def _mixture(self, size: int, count: int) -> Mixture:
        at = self._positions(size, count)
        first = np.maximum(at >> _FRACTION, 0)
        second = np.minimum((at + _ONE - 1) >> _FRACTION, size - 1)
        # Before the first pixel and behind the last one both are the same, and shares do not matter.
        share = np.where(first == second, 0, at - first * _ONE)
        return Mixture(first.astype(np.int16), second.astype(np.int16), share.astype(np.int16))

    def _positions(self, size: int, count: int) -> Int:
        """Of output pixels in the input, as LiteRT rounds them; at least -1/2."""
        corners = self.align_corners and count > 1
        span, steps = (size - 1, count - 1) if corners else (size, count)
        scale = (_ONE * span + steps // 2) // steps
        at = np.arange(count, dtype=np.int64) * scale
        return at + scale // 2 - _ONE // 2 if self.half_pixel_centers else at
