"""CONV_2D: convolution of [1, H, W, C] with weights [out channels, height, width, C / groups]."""

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
from tinygen.ops.conv_grouped import MOST_ROWS, grouped_kernels
from tinygen.ops.conv_kernels import conv_2d_kernels
from tinygen.ops.conv_mve import conv_2d_mve_kernels
from tinygen.ops.requantize import channel_factors, multipliers, requantize
from tinygen.ops.window import Convolution


@register("CONV_2D")
@dataclass(frozen=True, kw_only=True)
class Conv2D(Convolution):
    """Inputs: activation, weights, optional bias."""

    kind: ClassVar[str] = "CONV_2D"

    def groups(self, graph: Graph) -> int:
        """Parts of the input's channels; as many parts of the filters each see one of them."""
        return self.input(graph, 0).shape[3] // self.input(graph, 1).shape[3]

    def macs(self, graph: Graph) -> int:
        weights, output = self.input(graph, 1), self.output(graph)
        return output.shape[1] * output.shape[2] * weights.elements

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2, 3):
            return iter(check.found)
        source = check.activation(0, "input", 4)
        weights = check.weights(1, rank=4, axis=0)
        output = check.output_activation(4)
        check.clamp(self.activation)
        if not self._check_options(check) or source is None or weights is None or output is None:
            return iter(check.found)
        if not check.positive("window size", weights.shape[1:3]) or not check.batch(source, "input"):
            return iter(check.found)
        check.bias(2, weights.shape[0])
        groups = source.shape[3] // max(weights.shape[3], 1)
        if groups < 1 or groups * weights.shape[3] != source.shape[3] or weights.shape[0] % groups:
            message = f"weights must have the input's {source.shape[3]} channels, or those of one of as many groups"
            check.report("TG203", f"{message} of filters, found {weights.describe()}", weights)
        elif groups > 1 and weights.shape[1] > MOST_ROWS:
            message = f"grouped convolutions must have at most {MOST_ROWS} taps in height"
            check.report("TG203", f"{message}, found {weights.describe()}", weights)
        self._check_output(check, graph, output, weights.shape[0])
        self._check_accumulators(check, source, weights, output, axis=0)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        """As a matrix product in float64, exact for sums below 2**53; valid models do not overflow int32 either."""
        source, kernel, output = self.input(graph, 0).quant, self.input(graph, 1).quant, self.output(graph)
        x, weights, bias = inputs[0], inputs[1], inputs[2] if len(inputs) > 2 else None
        if x is None or weights is None or source is None or kernel is None or output.quant is None:
            raise ValueError("reference needs a verified operator")
        channels, groups = weights.shape[0], self.groups(graph)
        patches = self._patches(graph, x[0].astype(np.float64) - source.zero_point, 0)
        height, width = patches.shape[:2]
        # [groups, taps of a group's channels, filters of a group]
        matrix = weights.transpose(3, 1, 2, 0).reshape(-1, groups, channels // groups).swapaxes(0, 1)
        windows = patches.reshape(height * width, groups, -1).swapaxes(0, 1)
        total = (windows @ matrix.astype(np.float64)).astype(np.int64).swapaxes(0, 1).reshape(-1, channels)
        if bias is not None:
            total += bias.astype(np.int64).reshape(channels)
        multiplier, shift = multipliers(channel_factors(source, kernel, output.quant, channels))
        limits = activation_range(self.activation, output.quant, output.dtype)
        result = requantize(total, multiplier, shift, output.quant.zero_point, limits)
        return (result.reshape(1, height, width, channels),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics round twice here."""
        weights = self.input(graph, 1).data
        if weights is None:
            raise ValueError("kernels need a verified operator")
        filters = weights.astype(np.int8)
        if (groups := self.groups(graph)) > 1:
            return grouped_kernels(self, graph, filters, groups, self.activation)
        portable = conv_2d_kernels(self, graph, filters, self.activation)
        return portable + conv_2d_mve_kernels(self, graph, filters, self.activation)
