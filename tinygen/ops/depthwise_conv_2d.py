"""DEPTHWISE_CONV_2D: each channel of [1, H, W, C] convolved by itself, weights [1, height, width, C * multiplier]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, register
from tinygen.ir.tensor import Array
from tinygen.ops.activation import activation_range
from tinygen.ops.check import Check
from tinygen.ops.conv_kernels import conv_2d_kernels, depthwise_kernels
from tinygen.ops.conv_mve import conv_2d_mve_kernels
from tinygen.ops.requantize import channel_factors, multipliers, requantize
from tinygen.ops.window import Convolution


@register("DEPTHWISE_CONV_2D")
@dataclass(frozen=True, kw_only=True)
class DepthwiseConv2D(Convolution):
    """Inputs: activation, weights, optional bias. Output channel c * multiplier + m comes from input channel c.

    The multiplier is output channels / input channels; the option `depth_multiplier` only repeats it and LiteRT does
    not read it.
    """

    kind: ClassVar[str] = "DEPTHWISE_CONV_2D"

    def multiplier(self, graph: Graph) -> int:
        """Output channels of each input channel."""
        return self.input(graph, 1).shape[3] // self.input(graph, 0).shape[3]

    def macs(self, graph: Graph) -> int:
        height, width = self.window_size(graph)
        return self.output(graph).elements * height * width

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2, 3):
            return iter(check.found)
        source = check.activation(0, "input", 4)
        weights = check.weights(1, rank=4, axis=3)
        output = check.output_activation(4)
        check.clamp(self.activation)
        if not self._check_options(check) or source is None or weights is None or output is None:
            return iter(check.found)
        if not check.positive("window size", weights.shape[1:3]) or not check.batch(source, "input"):
            return iter(check.found)
        channels, source_channels = weights.shape[3], source.shape[3]
        check.bias(2, channels)
        if weights.shape[0] != 1 or source_channels < 1 or channels % source_channels:
            message = f"weights must be [1, height, width, a multiple of the input's {source_channels} channels]"
            check.report("TG203", f"{message}, found {weights.describe()}", weights)
        self._check_output(check, graph, output, channels)
        self._check_accumulators(check, source, weights, output, axis=3)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        """Tap by tap in int32, LiteRT's accumulator; it does not overflow in valid models."""
        source, kernel, output = self.input(graph, 0).quant, self.input(graph, 1).quant, self.output(graph)
        x, weights, bias = inputs[0], inputs[1], inputs[2] if len(inputs) > 2 else None
        if x is None or weights is None or source is None or kernel is None or output.quant is None:
            raise ValueError("reference needs a verified operator")
        channels = weights.shape[3]
        patches = self._patches(graph, x[0].astype(np.int32) - np.int32(source.zero_point), 0)
        height, width, source_channels = patches.shape[:3]
        taps = weights[0].astype(np.int32).reshape(*weights.shape[1:3], source_channels, -1)
        total = np.zeros((height, width, source_channels, taps.shape[-1]), np.int32)
        for i, j in np.ndindex(taps.shape[:2]):
            total += patches[:, :, :, i, j, np.newaxis] * taps[i, j]
        sums = total.reshape(height, width, channels).astype(np.int64)
        if bias is not None:
            sums += bias.astype(np.int64).reshape(channels)
        multiplier, shift = multipliers(channel_factors(source, kernel, output.quant, channels))
        limits = activation_range(self.activation, output.quant, output.dtype)
        return (requantize(sums, multiplier, shift, output.quant.zero_point, limits)[np.newaxis],)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics round twice here. With a single input channel this is an ordinary convolution."""
        weights = self.input(graph, 1).data
        if weights is None:
            raise ValueError("kernels need a verified operator")
        filters = weights[0].astype(np.int8).transpose(2, 0, 1)
        if self.input(graph, 0).shape[3] == 1:
            single = filters[..., np.newaxis]
            portable = conv_2d_kernels(self, graph, single, self.activation)
            return portable + conv_2d_mve_kernels(self, graph, single, self.activation)
        return depthwise_kernels(self, graph, filters, self.activation)
