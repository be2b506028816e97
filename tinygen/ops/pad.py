"""PAD and PADV2: rows, columns and channels of a constant around an activation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.ir.call import TOGETHER, Call, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, register
from tinygen.ir.rows import Rows, Window
from tinygen.ir.tensor import Array, DType, geometry
from tinygen.ops.check import Check


@register("PAD", "PADV2")
@dataclass(frozen=True, kw_only=True)
class Pad(Op):
    """Inputs: activation, constant paddings [rank, 2], and for PADV2 the constant to pad with (else the zero point)."""

    kind: ClassVar[str] = "PAD"

    def paddings(self, graph: Graph) -> tuple[tuple[int, int], ...]:
        """Elements (before, after) of each dimension."""
        data = self.input(graph, 1).data
        if data is None:
            raise ValueError("paddings must be constant")
        return tuple((int(before), int(after)) for before, after in data)

    def value(self, graph: Graph) -> int:
        """The int8 that is padded with."""
        if len(self.inputs) > 2 and self.inputs[2] >= 0 and (data := self.input(graph, 2).data) is not None:
            return int(data.reshape(-1)[0])
        quant = self.output(graph).quant
        return 0 if quant is None else quant.zero_point

    def rows(self, graph: Graph) -> Rows:
        shape = self.input(graph, 0).shape
        top = self.paddings(graph)[1][0] if len(shape) > 2 else 0
        return Rows(steps=geometry(self.output(graph).shape)[0], inputs=((0, Window(pad=top)),))

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2, 3):
            return iter(check.found)
        source = check.activation(0, "input", 1, 2, 3, 4)
        paddings = check.input(1, "paddings")
        output = check.output_activation()
        if source is None or paddings is None or output is None:
            return iter(check.found)
        check.same_quantization(source, output)
        if (value := check.optional(2)) is not None:
            fine = check.dtype(value, "padding value", DType.INT8) and check.constant(value, "padding value")
            if fine and value.elements != 1:
                check.report("TG203", f"padding value must be one value, found {value.describe()}", value)
        rank = len(source.shape)
        fine = check.dtype(paddings, "paddings", DType.INT32, DType.INT64)
        fine &= check.shape(paddings, "paddings", (rank, 2))
        if not (fine and check.constant(paddings, "paddings")):
            return iter(check.found)
        amounts = self.paddings(graph)
        if min(min(pair) for pair in amounts) < 0:
            check.report("TG204", f"paddings must not be negative, found {amounts}", paddings)
        elif rank > 1 and (amounts[0] != (0, 0) or source.shape[0] != 1):
            message = f"the batch must be 1 and not padded, found {source.describe()} padded by {amounts[0]}"
            check.report("TG203", message, source)
        else:
            expected = tuple(n + before + after for n, (before, after) in zip(source.shape, amounts, strict=True))
            check.shape(output, "output", expected)
        return iter(check.found)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (self._kernel(graph),)

    def _kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        shape, amounts = self.input(graph, 0).shape, self.paddings(graph)
        # One row of pixels for four dimensions, one pixel for fewer.
        columns, (left, right) = (shape[2], amounts[2]) if len(shape) == 4 else (1, (0, 0))
        before, after = amounts[-1]
        pixel = before + shape[-1] + after
        fields = (
            Field("columns", columns, "pixels of an input row"),
            Field("bytes", shape[-1], "of an input pixel"),
            Field("input_pitch", pitches.of_input(0, shape[-1]), "bytes from one input pixel to the next"),
            Field("output_pitch", pitches.of_output(pixel), "bytes from one output pixel to the next"),
            Field("left", left, "pixels before the first one of a row"),
            Field("right", right, "pixels after the last one of a row"),
            Field("before", before, "bytes before the channels of a pixel"),
            Field("after", after, "bytes after the channels of a pixel"),
            Field("value", self.value(graph)),
        )
        steps, count = geometry(self.output(graph).shape)
        pixels = columns if before or after or pitches != TOGETHER else 1
        instructions = steps * (60 + count // 2 + 30 * pixels)
        symbol = "tg_pad_s8" if pitches == TOGETHER else "tg_pad_apart_s8"
        call = Call(symbol, "pad_s8.h", fields, params="tg_pad_s8_params")
        return Kernel("pad_s8", instructions, 0, 0, lambda: call, apart=partial(self._kernel, graph))

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        if (x := inputs[0]) is None:
            raise ValueError("reference needs a verified operator")
        return (np.pad(x, self.paddings(graph), constant_values=self.value(graph)),)
