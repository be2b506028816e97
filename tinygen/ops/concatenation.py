"""CONCATENATION of int8 or float32 tensors along any dimension."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from math import prod
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Diagnostic, Origin
from tinygen.ir.call import TOGETHER, Call, Constant, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.rows import SAME_ROW, WHOLE, Inlay, Rows
from tinygen.ir.tensor import Array, DType, Quantization, Tensor, geometry
from tinygen.ops.activation import Activation
from tinygen.ops.check import Check


@register("CONCATENATION")
@dataclass(frozen=True, kw_only=True)
class Concatenation(Op):
    """Bytes are only copied: as in LiteRT, int8 inputs have exactly the output's scale and zero point.

    Along channels or width it works row by row, along other dimensions in a single step.
    """

    kind: ClassVar[str] = "CONCATENATION"
    pixels: ClassVar[bool] = True
    """Along the last dimension a run is what a pixel of an input has."""
    axis: int
    """May be negative, counting from the last dimension."""
    activation: Activation

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        activation = Activation[options.enum("fused_activation_function")]
        axis = options.integer("axis")
        return cls(inputs=inputs, outputs=outputs, origin=origin, axis=axis, activation=activation)

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(1, max(1, len(self.inputs))):
            return iter(check.found)
        inputs = [check.input(i, f"input {i}") for i in range(len(self.inputs))]
        sources = [tensor for tensor in inputs if tensor is not None]
        output = check.output()
        if self.activation is not Activation.NONE:
            check.report("TG204", f"fused activation must be NONE, found {self.activation.name}")
        if output is None or len(sources) < len(inputs):
            return iter(check.found)
        if check.dtype(output, "output", DType.INT8, DType.FLOAT32):
            result = check.per_tensor(output, "output") if output.dtype is DType.INT8 else None
            for i, source in enumerate(sources):
                if check.dtype(source, f"input {i}", output.dtype) and result is not None:
                    _check_same_quantization(check, source, f"input {i}", result)
        self._check_shapes(check, sources, output)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        arrays = [x for x in inputs if x is not None]
        return (np.concatenate(arrays, axis=self.axis),)

    def rows(self, graph: Graph) -> Rows:
        positions = range(len(self.inputs))
        if not self._row_wise(graph):
            return Rows(steps=1, inputs=tuple((i, WHOLE) for i in positions), writes_row=False)
        steps, _ = geometry(self.output(graph).shape)
        return Rows(steps=steps, inputs=tuple((i, SAME_ROW) for i in positions))

    def inlays(self, graph: Graph) -> tuple[Inlay, ...]:
        """The inputs one after the other, side by side in rows, or side by side in the pixels of a row."""
        output = self.output(graph)
        repeats, runs = self._runs(graph)
        channels = self._joins_pixels(output)
        if repeats > 1 and not channels:
            return ()
        size = output.dtype.itemsize
        found = []
        for i, first in zip(self.inputs, accumulate(runs, initial=0), strict=False):
            row_of = output if self._row_wise(graph) or channels else graph.tensors[i]
            pitch = geometry(row_of.shape)[1] * size
            pixel_of = output if channels else graph.tensors[i]
            found.append(Inlay(i, output.id, first, pitch, pixel_of.shape[-1] * size))
        return tuple(found)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (self._kernel(graph),)

    def _kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        """Runs of channels are what a pixel has, so that pixels may lie apart; longer runs hold several."""
        output = self.output(graph)
        repeats, runs = self._runs(graph)
        input_pitches = [pitches.of_input(i, run) for i, run in enumerate(runs)]
        channels = self._joins_pixels(output)
        fields = (
            Field("repeats", repeats, "of all runs in a row"),
            Field("output_pitch", pitches.of_output(sum(runs)), "bytes from one time to the next"),
            Field("inputs", len(runs), ""),
            Field("runs", Constant("runs", np.array(runs, np.int32), "bytes of each input in turn"), ""),
            Field("pitches", Constant("pitches", np.array(input_pitches, np.int32), "bytes between its runs"), ""),
        )
        steps = self.rows(graph).steps
        return Kernel(
            name="concatenation_x8",
            instructions=steps * (10 + repeats * sum(20 + run // 2 for run in runs)),
            flash_bytes=8 * len(runs),
            scratch_bytes=0,
            call=lambda: Call("tg_concatenation_x8", "concatenation_x8.h", fields),
            apart=partial(self._kernel, graph) if channels else None,
        )

    def _runs(self, graph: Graph) -> tuple[int, list[int]]:
        """How often all inputs are taken from for a row or for the tensor, and the bytes of each input then."""
        output = self.output(graph)
        axis = self._positive_axis(output)
        first = 2 if self._row_wise(graph) else 0
        size = output.dtype.itemsize
        runs = [prod(self.input(graph, i).shape[axis:]) * size for i in range(len(self.inputs))]
        return prod(output.shape[first:axis]), runs

    def _joins_pixels(self, output: Tensor) -> bool:
        return self.pixels and self._positive_axis(output) == len(output.shape) - 1

    def _positive_axis(self, output: Tensor) -> int:
        return self.axis + len(output.shape) if self.axis < 0 else self.axis

    def _row_wise(self, graph: Graph) -> bool:
        output = self.output(graph)
        rank = len(output.shape)
        return rank in (3, 4) and output.shape[0] == 1 and self._positive_axis(output) >= 2

    def _check_shapes(self, check: Check, sources: Sequence[Tensor], output: Tensor) -> None:
        rank, axis = len(output.shape), self._positive_axis(output)
        if not 0 <= axis < rank:
            check.report("TG204", f"axis must be -{rank} to {rank - 1}, found {self.axis}")
            return
        for i, source in enumerate(sources):
            if len(source.shape) != rank:
                message = f"input {i} must have {rank} dimensions as the output has, found {source.describe()}"
                check.report("TG203", message, source)
                return
            expected = (*output.shape[:axis], source.shape[axis], *output.shape[axis + 1 :])
            if not check.shape(source, f"input {i}", expected):
                return
        total = sum(source.shape[axis] for source in sources)
        check.shape(output, "output", (*output.shape[:axis], total, *output.shape[axis + 1 :]))


def _check_same_quantization(check: Check, source: Tensor, role: str, result: Quantization) -> None:
    quant = check.per_tensor(source, role)
    if quant is not None and (quant.scale, quant.zero_point) != (result.scale, result.zero_point):
        found = f"{quant.scale:.9g} and {quant.zero_point} for {result.scale:.9g} and {result.zero_point}"
        check.report("TG205", f"{role} must have the output's scale and zero point, found {found}", source)
