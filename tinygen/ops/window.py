"""What operators that slide a window over rows and columns share: convolution, depthwise convolution and pooling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import Origin
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op, Options
from tinygen.ir.rows import Rows, Window
from tinygen.ir.tensor import Tensor
from tinygen.ops.accumulators import check_accumulators
from tinygen.ops.activation import Activation
from tinygen.ops.check import Check
from tinygen.ops.requantize import channel_factors

Number = TypeVar("Number", bound=np.generic)

Padding = tuple[int, int, int, int]
"""Rows and columns of padding: top, bottom, left, right."""

VALID: Padding = (0, 0, 0, 0)

SAME: Padding = (-1, -1, -1, -1)
"""Stands for SAME padding between `parse` and `resolve`, which knows the shapes and puts numbers in its place."""


def parse_padding(options: Options) -> Padding:
    return SAME if options.enum("padding") == "SAME" else VALID


def same_padding(size: int, window: int, stride: int) -> tuple[int, int]:
    """Padding (before, after) with which ceil(size / stride) windows fit; the odd one goes after."""
    count = -(-size // stride)
    total = max((count - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


@dataclass(frozen=True, kw_only=True)
class WindowOp(Op):
    """An operator over [1, H, W, C] whose output (y, x) depends on a window of its input.

    All pairs are (height, width). Border taps count as the input's zero point for convolutions and not at all for
    pooling.
    """

    strides: tuple[int, int]
    dilations: tuple[int, int] = (1, 1)
    padding: Padding
    """Explicit numbers, except for `SAME` before `resolve`."""

    def window_size(self, graph: Graph) -> tuple[int, int]:
        """Taps of the window (height, width)."""
        raise NotImplementedError

    def extent(self, graph: Graph) -> tuple[int, int]:
        """Rows and columns from the first tap to the last, both included."""
        (height, width), (dy, dx) = self.window_size(graph), self.dilations
        return (height - 1) * dy + 1, (width - 1) * dx + 1

    def resolve(self, graph: Graph) -> Self:
        """SAME padding as numbers. Where the shapes make no sense the padding is 0 and `verify` says why."""
        if self.padding != SAME:
            return self
        source = graph.tensors.get(self.inputs[0]) if self.inputs else None
        if source is None or len(source.shape) != 4 or min(self.strides) < 1 or not self._has_window(graph):
            return replace(self, padding=VALID)
        extent = self.extent(graph)
        top, bottom = same_padding(source.shape[1], extent[0], self.strides[0])
        left, right = same_padding(source.shape[2], extent[1], self.strides[1])
        return replace(self, padding=(top, bottom, left, right))

    def output_size(self, graph: Graph) -> tuple[int, int]:
        """Height and width of the output; not positive when no window fits."""
        _, height, width, _ = self.input(graph, 0).shape
        top, bottom, left, right = self.padding
        extent = self.extent(graph)
        return (
            (top + height + bottom - extent[0]) // self.strides[0] + 1,
            (left + width + right - extent[1]) // self.strides[1] + 1,
        )

    def rows(self, graph: Graph) -> Rows:
        window = Window(self.window_size(graph)[0], self.strides[0], self.padding[0], self.dilations[0])
        return Rows(steps=self.output(graph).shape[1], inputs=((0, window),))

    def pointwise(self, graph: Graph) -> bool:
        """A pixel of the output depends on the same pixel of the input alone."""
        return self.window_size(graph) == self.strides == (1, 1) and not any(self.padding)

    def _has_window(self, graph: Graph) -> bool:
        """The tensor that gives the window its size, if one does, is there and has four dimensions."""
        return True

    def _check_options(self, check: Check) -> bool:
        fine = check.positive("strides", self.strides)
        fine &= check.positive("dilations", self.dilations)
        if min(self.padding) < 0:
            check.report("TG204", f"padding must not be negative, found {'x'.join(map(str, self.padding))}")
            fine = False
        return fine

    def _check_output(self, check: Check, graph: Graph, output: Tensor, channels: int) -> None:
        """The output has the shape that input, window, strides and padding make; their checks must have passed."""
        height, width = self.output_size(graph)
        if height < 1 or width < 1:
            extent = self.extent(graph)
            message = f"the window of {extent[0]}x{extent[1]} is larger than the padded input"
            check.report("TG203", f"{message}, found {self.input(graph, 0).describe()}", self.input(graph, 0))
        else:
            check.shape(output, "output", (1, height, width, channels))

    def _patches(self, graph: Graph, x: NDArray[Number], fill: int) -> NDArray[Number]:
        """Views of all windows over [H, W, C], padded with `fill`: [out height, out width, C, window h, window w]."""
        top, bottom, left, right = self.padding
        padded = np.pad(x, ((top, bottom), (left, right), (0, 0)), constant_values=fill)
        view = np.lib.stride_tricks.sliding_window_view(padded, self.extent(graph), (0, 1))
        return view[:: self.strides[0], :: self.strides[1], :, :: self.dilations[0], :: self.dilations[1]]


def inside_rows(op: WindowOp, graph: Graph) -> int:
    """Input rows that all output rows read, those of the padding not counted."""
    height, taps = op.input(graph, 0).shape[1], op.window_size(graph)[0]
    starts = (y * op.strides[0] - op.padding[0] for y in range(op.output(graph).shape[1]))
    return sum(0 <= start + tap * op.dilations[0] < height for start in starts for tap in range(taps))


@dataclass(frozen=True, kw_only=True)
class Convolution(WindowOp):
    """A window operator with weights [_, height, width, _] as input 1 and a fused activation."""

    activation: Activation

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(
            inputs=inputs,
            outputs=outputs,
            origin=origin,
            strides=(options.integer("stride_h"), options.integer("stride_w")),
            dilations=(options.integer("dilation_h_factor"), options.integer("dilation_w_factor")),
            padding=parse_padding(options),
            activation=Activation[options.enum("fused_activation_function")],
        )

    def window_size(self, graph: Graph) -> tuple[int, int]:
        _, height, width, _ = self.input(graph, 1).shape
        return height, width

    def pointwise(self, graph: Graph) -> bool:
        """A pixel of the output depends on the same pixel of the input alone."""
        return self.window_size(graph) == self.strides == (1, 1) and not any(self.padding)

    def _has_window(self, graph: Graph) -> bool:
        """The weights are there, with four dimensions, though nothing else about them is known yet."""
        tensor = graph.tensors.get(self.inputs[1]) if len(self.inputs) > 1 else None
        return tensor is not None and len(tensor.shape) == 4

    @staticmethod
    def _check_accumulators(check: Check, source: Tensor, weights: Tensor, output: Tensor, axis: int) -> None:
        """After all other checks; `axis` is that of the weights' output channels."""
        if check.clean and source.quant and weights.quant and output.quant:
            factors = channel_factors(source.quant, weights.quant, output.quant, weights.shape[axis])
            check_accumulators(check, weights, check.optional(2), source.quant, factors, axis)
