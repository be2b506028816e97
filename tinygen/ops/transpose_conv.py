"""TRANSPOSE_CONV: every pixel of [1, H, W, C] spreads its products with [out channels, height, width, C]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import Diagnostic, Origin
from tinygen.ir.call import TOGETHER, Call, Constant, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.rows import Rows, Window
from tinygen.ir.tensor import Array
from tinygen.ops.accumulators import check_accumulators
from tinygen.ops.activation import Activation, activation_range
from tinygen.ops.check import Check
from tinygen.ops.conv_kernels import PANELS, multiply_instructions
from tinygen.ops.pack import pack_runs
from tinygen.ops.requantize import Requantization, channel_factors, fold_requantization, multipliers, requantize
from tinygen.ops.slicing import check_integers
from tinygen.ops.window import same_padding


@dataclass(frozen=True)
class Phase:
    """The outputs o = begin, begin + stride, ... along a dimension, which see the input through the same taps.

    Output number n of the phase is the sum over t of input[n - pad + t] times tap[t], like an ordinary convolution of
    stride 1. A phase that no tap reaches has none.
    """

    begin: int
    count: int
    pad: int
    taps: tuple[int, ...]


@register("TRANSPOSE_CONV")
@dataclass(frozen=True, kw_only=True)
class TransposeConv(Op):
    """Inputs: the output's shape as a constant or nothing, weights, activation, optional bias.

    Output o is the sum over inputs i and taps k with i * stride + k = o + padding. The outputs of a remainder of
    o + padding by the stride are an ordinary convolution with some of the taps, and so each row of the output is made
    of `stride` convolutions beside each other.
    """

    kind: ClassVar[str] = "TRANSPOSE_CONV"
    shape_inputs: ClassVar[tuple[int, ...]] = (0,)
    strides: tuple[int, int]
    same: bool
    activation: Activation

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(
            inputs=inputs,
            outputs=outputs,
            origin=origin,
            strides=(options.integer("stride_h"), options.integer("stride_w")),
            same=options.enum("padding") == "SAME",
            activation=Activation[options.enum("fused_activation_function")],
        )

    def macs(self, graph: Graph) -> int:
        _, height, width, _ = self.input(graph, 2).shape
        return height * width * self.input(graph, 1).elements

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(3, 4):
            return iter(check.found)
        size = check_integers(check, 0, "output shape", 4) if self.inputs[0] >= 0 else None
        weights = check.weights(1, rank=4, axis=0)
        source, output = check.activation(2, "input", 4), check.output_activation(4)
        check.clamp(self.activation)
        fine = check.positive("strides", self.strides)
        if not fine or weights is None or source is None or output is None:
            return iter(check.found)
        fine = check.positive("window size", weights.shape[1:3]) and check.batch(source, "input")
        fine &= size is None or check.shape(output, "output", size)
        if fine and check.batch(output, "output"):
            check.bias(3, weights.shape[0])
            check.shape(weights, "weights", (output.shape[3], *weights.shape[1:3], source.shape[3]))
            self._check_size(check, source.shape, weights.shape, output.shape)
        if check.clean and source.quant and weights.quant and output.quant:
            factors = channel_factors(source.quant, weights.quant, output.quant, weights.shape[0])
            check_accumulators(check, weights, check.optional(3), source.quant, factors, axis=0)
        return iter(check.found)

    def _check_size(
        self, check: Check, source: tuple[int, ...], weights: tuple[int, ...], output: tuple[int, ...]
    ) -> None:
        """The output has the size with which an ordinary convolution of it would have the input's."""
        for axis, name in ((1, "height"), (2, "width")):
            window, stride = weights[axis], self.strides[axis - 1]
            padded = output[axis] + stride - 1 if self.same else output[axis] - window + stride
            if padded // stride != source[axis]:
                kind = "SAME" if self.same else "VALID"
                found = f"found {output[axis]} for {source[axis]} with {kind} padding, {window} taps, stride {stride}"
                check.report("TG203", f"{name} of the output must lead back to the input's, {found}")

    def padding(self, graph: Graph) -> tuple[int, int]:
        """Rows and columns of the output's borders that are cut off at its top and left."""
        if not self.same:
            return (0, 0)
        shape, weights = self.output(graph).shape, self.input(graph, 1).shape
        top, left = (same_padding(shape[axis], weights[axis], self.strides[axis - 1])[0] for axis in (1, 2))
        return top, left

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        source, kernel, output = self.input(graph, 2).quant, self.input(graph, 1).quant, self.output(graph)
        weights, x, bias = inputs[1], inputs[2], inputs[3] if len(inputs) > 3 else None
        if x is None or weights is None or source is None or kernel is None or output.quant is None:
            raise ValueError("reference needs a verified operator")
        channels, taps_high, taps_wide, _ = weights.shape
        (dy, dx), (top, left) = self.strides, self.padding(graph)
        _, height, width, _ = x.shape
        # Products of all pixels with all taps in float64, exact for sums below 2**53.
        spread = np.zeros((height * dy + taps_high + dy, width * dx + taps_wide + dx, channels), np.int64)
        values = x[0].astype(np.float64) - source.zero_point
        for i, j in np.ndindex(taps_high, taps_wide):
            products = values @ weights[:, i, j].astype(np.float64).T
            spread[i : i + height * dy : dy, j : j + width * dx : dx] += products.astype(np.int64)
        total = np.zeros(output.shape[1:], np.int64)
        found = spread[top : top + output.shape[1], left : left + output.shape[2]]
        total[: found.shape[0], : found.shape[1]] = found
        if bias is not None:
            total += bias.astype(np.int64).reshape(channels)
        multiplier, shift = multipliers(channel_factors(source, kernel, output.quant, channels))
        limits = activation_range(self.activation, output.quant, output.dtype)
        return (requantize(total, multiplier, shift, output.quant.zero_point, limits)[np.newaxis],)

    def rows(self, graph: Graph) -> Rows:
        """A step reads the rows of all phases; its own are among them."""
        return Rows(steps=self.output(graph).shape[1], inputs=((2, self._window(graph)),))

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics round twice here."""
        requantizations = self._requantizations(graph)
        columns = -(-self.output(graph).shape[2] // self.strides[1])
        return tuple(self._kernel(graph, requantizations, panel) for panel in PANELS if panel <= columns)

    def _kernel(
        self, graph: Graph, requantizations: list[Requantization], panel: int, pitches: Pitches = TOGETHER
    ) -> Kernel:
        source, filters = self.input(graph, 2), self.input(graph, 1).shape[0]
        channels = source.shape[3]
        pitch = pitches.of_input(2, channels)
        phases = [
            (row, column, max(len(row.taps), 1), max(len(column.taps), 1))
            for row in self._phases(graph, 1)
            for column in self._phases(graph, 2)
        ]
        joined = pitch == channels
        runs = [(1, wide * channels) if joined else (wide, channels) for _, _, _, wide in phases]
        depths = [high * count * (run + -run % 4) for (_, _, high, _), (count, run) in zip(phases, runs, strict=True)]
        fast = all(r.fast for r in requantizations)
        scratch = 2 * panel * max(depths)

        def call() -> Call:
            packed = [
                pack_runs(self._taps(graph, row, column).reshape(filters, high * count, run))
                for (row, column, high, _), (count, run) in zip(phases, runs, strict=True)
            ]
            starts = np.cumsum([0, *map(len, packed[:-1])])
            table = [
                (self._first_row(graph, row), high, column.begin, column.count, column.pad, count, run, depth, start)
                for (row, column, high, _), (count, run), depth, start in zip(
                    phases, runs, depths, starts.tolist(), strict=True
                )
            ]
            every = requantizations[0]
            fields = (
                Field("row_phases", self.strides[0]),
                Field("column_phases", self.strides[1]),
                Field("phases", Constant("phases", np.array(table, np.int32).reshape(-1), "each as in the header")),
                Field("input_width", source.shape[2]),
                Field("input_pitch", pitch),
                Field("output_pitch", pitches.of_output(filters)),
                Field("panel_pixels", panel),
                Field("input_zero_point", source.quant.zero_point if source.quant else 0),
                Field("channels", filters),
                Field("zero_point", every.zero_point),
                Field("activation_min", every.limits[0]),
                Field("activation_max", every.limits[1]),
                Field("bias", Constant("bias", np.concatenate([r.bias for r in requantizations]))),
                Field("multiplier", Constant("multipliers", np.concatenate([r.multipliers for r in requantizations]))),
                Field("shift", Constant("shifts", np.concatenate([r.shifts for r in requantizations]))),
                Field("weights", Constant("weights", np.concatenate(packed))),
            )
            symbol = f"tg_transpose_conv_{'fast_' if fast else ''}s8"
            args, params = ("y", "rows", "out", "scratch"), "tg_transpose_conv_s8_params"
            return Call(symbol, "transpose_conv_s8.h", fields, args, scratch_bytes=scratch, params=params)

        multiply = sum(
            row.count * (multiply_instructions(column.count, panel, filters, depth, fast=fast) + 80)
            for (row, column, _, _), depth in zip(phases, depths, strict=True)
        )
        gather = sum(
            row.count * column.count * (34 + high * count * (36 + run // 4 * 9))
            for (row, column, high, _), (count, run) in zip(phases, runs, strict=True)
        )
        return Kernel(
            name=f"transpose_conv_s8, {panel} pixels",
            instructions=multiply + gather,
            flash_bytes=sum(filters * (depth + 9) + 36 for depth in depths),
            scratch_bytes=scratch,
            call=call,
            apart=partial(self._kernel, graph, requantizations, panel),
        )

    def _requantizations(self, graph: Graph) -> list[Requantization]:
        """Of each pair of phases: the input zero point is folded into the bias for the taps of the phases."""
        source, kernel, output = self.input(graph, 2).quant, self.input(graph, 1).quant, self.output(graph)
        if source is None or kernel is None or output.quant is None:
            raise ValueError("kernels need a verified operator")
        has_bias = len(self.inputs) > 3 and self.inputs[3] >= 0
        bias = self.input(graph, 3).data if has_bias else None
        count = self.input(graph, 1).shape[0]
        factors = multipliers(channel_factors(source, kernel, output.quant, count))
        limits = activation_range(self.activation, output.quant, output.dtype)
        return [
            fold_requantization(
                self._taps(graph, row, column).reshape(count, -1),
                bias,
                source.zero_point,
                factors,
                output.quant.zero_point,
                limits,
                self.origin,
            )
            for row in self._phases(graph, 1)
            for column in self._phases(graph, 2)
        ]

    def _taps(self, graph: Graph, row: Phase, column: Phase) -> NDArray[np.int8]:
        """The filters of two phases, [out channels, taps high, taps wide, in channels]; a zero where they have none."""
        weights = self.input(graph, 1).data
        if weights is None:
            raise ValueError("kernels need a verified operator")
        if not row.taps or not column.taps:
            count, _, _, channels = weights.shape
            return np.zeros((count, max(len(row.taps), 1), max(len(column.taps), 1), channels), np.int8)
        return np.ascontiguousarray(weights[:, row.taps][:, :, column.taps].astype(np.int8))

    def _phases(self, graph: Graph, axis: int) -> tuple[Phase, ...]:
        """Those of the rows, axis 1, or of the columns, axis 2: by the remainder of the output's index."""
        taps, count = self.input(graph, 1).shape[axis], self.output(graph).shape[axis]
        stride, pad = self.strides[axis - 1], self.padding(graph)[axis - 1]
        found = []
        for begin in range(stride):
            newest, remainder = divmod(begin + pad, stride)
            own = tuple(range(remainder, taps, stride))[::-1]
            found.append(Phase(begin, -(-max(count - begin, 0) // stride), max(len(own), 1) - 1 - newest, own))
        return tuple(found)

    def _first_row(self, graph: Graph, phase: Phase) -> int:
        """The first of the rows of a step that a phase reads."""
        return self._window(graph).pad - phase.pad

    def _window(self, graph: Graph) -> Window:
        """From the first row that any phase reads to the last."""
        phases = self._phases(graph, 1)
        pad = max(phase.pad for phase in phases)
        size = max(max(len(phase.taps), 1) - phase.pad for phase in phases) + pad
        return Window(size, 1, pad, repeat=self.strides[0])
