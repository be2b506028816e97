"""What the two pooling operators share: options, checks and windows that count only what is inside the input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from tinygen.errors import Diagnostic, Origin
from tinygen.ir.call import Field, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Options
from tinygen.ir.tensor import Array
from tinygen.ops.activation import Activation, activation_range
from tinygen.ops.check import Check
from tinygen.ops.window import WindowOp, parse_padding


@dataclass(frozen=True, kw_only=True)
class Pool(WindowOp):
    """A reduction of windows of one activation, channel by channel."""

    size: tuple[int, int]
    activation: Activation

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(
            inputs=inputs,
            outputs=outputs,
            origin=origin,
            strides=(options.integer("stride_h"), options.integer("stride_w")),
            padding=parse_padding(options),
            size=(options.integer("filter_height"), options.integer("filter_width")),
            activation=Activation[options.enum("fused_activation_function")],
        )

    def window_size(self, graph: Graph) -> tuple[int, int]:
        return self.size

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(1):
            return iter(check.found)
        source = check.activation(0, "input", 4)
        output = check.output_activation(4)
        check.clamp(self.activation)
        fine = self._check_options(check) and check.positive("window size", self.size)
        if not fine or source is None or output is None or not check.batch(source, "input"):
            return iter(check.found)
        if max(self.padding[:2]) >= self.size[0] or max(self.padding[2:]) >= self.size[1]:
            padding = "x".join(map(str, self.padding))
            check.report("TG204", f"padding must be smaller than the window {self.size}, found {padding}")
        check.same_quantization(source, output)
        self._check_output(check, graph, output, source.shape[3])
        return iter(check.found)

    def limits(self, graph: Graph) -> tuple[int, int]:
        """Smallest and largest output."""
        output = self.output(graph)
        if output.quant is None:
            raise ValueError("pooling needs a quantized output")
        return activation_range(self.activation, output.quant, output.dtype)

    def is_global(self, graph: Graph) -> bool:
        """A single window: its rows can be consumed one at a time."""
        return self.output(graph).shape[1:3] == (1, 1)

    def covered(self, graph: Graph) -> tuple[int, int]:
        """Rows and columns of the input inside the first window; of the only one where there is one."""
        _, height, width, _ = self.input(graph, 0).shape
        return min(self.size[0] - self.padding[0], height), min(self.size[1] - self.padding[2], width)

    def window_fields(self, graph: Graph, pitches: Pitches) -> tuple[Field, ...]:
        """The members that the parameters of both row kernels have."""
        source, output, limits = self.input(graph, 0), self.output(graph), self.limits(graph)
        return (
            Field("input_width", source.shape[2], "pixels of an input row"),
            Field("input_pitch", pitches.of_input(0, source.shape[3]), "bytes from one input pixel to the next"),
            Field("output_width", output.shape[2], "pixels of an output row"),
            Field("output_pitch", pitches.of_output(output.shape[3]), "bytes from one output pixel to the next"),
            Field("channels", output.shape[3], "bytes of a pixel"),
            Field("window_height", self.size[0]),
            Field("window_width", self.size[1]),
            Field("stride", self.strides[1], "in pixels"),
            Field("pad_left", self.padding[2], "in pixels"),
            Field("activation_min", limits[0]),
            Field("activation_max", limits[1]),
        )

    @staticmethod
    def _required(inputs: Sequence[Array | None]) -> Array:
        if (x := inputs[0]) is None:
            raise ValueError("reference needs a verified operator")
        return x
