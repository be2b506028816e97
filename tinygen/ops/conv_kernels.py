"""The kernels of convolutions: how weights and geometry become parameters of the row kernels, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinygen.ir.call import TOGETHER, Call, Constant, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ops.activation import Activation, activation_range
from tinygen.ops.conv_pairs import conv_2d_pairs_kernels
from tinygen.ops.depthwise_mve import depthwise_mve_kernels
from tinygen.ops.pack import pack_channels, pack_runs
from tinygen.ops.planar_kernels import planar_kernels
from tinygen.ops.requantize import Requantization, channel_factors, fold_requantization, multipliers
from tinygen.ops.window import WindowOp, inside_rows

PANELS = {3: (30, 105, 285), 2: (19, 81, 210), 1: (14, 59, 127)}
"""For each number of pixels in a conv_2d_s8 panel the instructions of a pair of filters on a Cortex-M4, as counted by
`python -m benchmarks.estimates`: per four taps, and besides with the fast requantization and with the general one."""


def conv_2d_kernels(
    op: WindowOp, graph: Graph, filters: NDArray[np.int8], activation: Activation
) -> tuple[Kernel, ...]:
    """CONV_2D, or DEPTHWISE_CONV_2D of a single input channel; filters are [out, height, width, in channels].

    A wider panel is faster and needs more scratch memory. The pixels of a panel are read before any is written, so that
    a pointwise convolution works in place.
    """
    source, output = op.input(graph, 0), op.output(graph)
    height, width, channels = filters.shape[1:]
    requantization = window_requantization(op, graph, filters.reshape(len(filters), -1), activation)
    columns, pairs = output.shape[2], -(-len(filters) // 2)
    in_place = (0,) if op.pointwise(graph) and len(filters) == channels else ()

    def kernel(panel: int, pitches: Pitches = TOGETHER) -> Kernel:
        input_pitch = pitches.of_input(0, channels)
        joined = width == 1 or (op.dilations[1] == 1 and input_pitch == channels)
        runs_per_row, run_bytes = (1, width * channels) if joined else (width, channels)
        depth = height * runs_per_row * (run_bytes + -run_bytes % 4)

        def call() -> Call:
            packed = pack_runs(filters.reshape(len(filters), height * runs_per_row, run_bytes))
            fields = (
                Field("input_width", source.shape[2]),
                Field("input_pitch", input_pitch),
                Field("output_width", columns),
                Field("output_pitch", pitches.of_output(len(filters))),
                Field("kernel_height", height),
                Field("runs_per_row", runs_per_row),
                Field("run_bytes", run_bytes),
                Field("stride", op.strides[1]),
                Field("dilation", op.dilations[1]),
                Field("pad_left", op.padding[2]),
                Field("depth", depth),
                Field("panel_pixels", panel),
                Field("input_zero_point", input_zero_point(op, graph)),
                Field("requantize", requantization.fields()),
                Field("weights", Constant("weights", packed)),
            )
            name = "conv_2d_apart" if pitches.output else "conv_2d"
            symbol = f"tg_{name}_fast_s8" if requantization.fast else f"tg_{name}_s8"
            args = ("rows", "out", "scratch")
            return Call(
                symbol, f"{name}_s8.h", fields, args, scratch_bytes=2 * panel * depth, params="tg_conv_2d_s8_params"
            )

        multiply = multiply_instructions(columns, panel, len(filters), depth, fast=requantization.fast)
        gather = gather_instructions(op, graph, runs_per_row, run_bytes)
        twos = sum(n == 2 for n in _panels(columns, panel))
        return Kernel(
            name=f"conv_2d_s8, {panel} pixels",
            instructions=output.shape[1] * (multiply + 20) + gather,
            flash_bytes=len(filters) * (depth + 9),
            scratch_bytes=2 * panel * depth,
            call=call,
            in_place=in_place,
            apart=partial(kernel, panel),
            # Of two pixels, where not all layers have their scratch in one place.
            spread=output.shape[1] * twos * pairs * depth // 4,
        )

    portable = tuple(kernel(panel) for panel in PANELS if panel <= columns)
    return portable + conv_2d_pairs_kernels(op, graph, filters, requantization)


def multiply_instructions(columns: int, panel: int, filters: int, depth: int, *, fast: bool) -> int:
    """Of multiplying all panels of a row with all filters, each of `depth` taps."""
    pairs, besides = -(-filters // 2), 1 if fast else 2
    return sum(pairs * (depth // 4 * PANELS[n][0] + PANELS[n][besides]) + 58 for n in _panels(columns, panel))


def gather_instructions(op: WindowOp, graph: Graph, runs_per_row: int, run_bytes: int) -> int:
    """Of filling all panels, as counted: runs of taps inside the input are copied, those at its border tap by tap."""
    _, _, width, channels = op.input(graph, 0).shape
    _, rows, columns, _ = op.output(graph).shape
    taps, _ = op.window_size(graph)
    starts = (
        (x * op.strides[1] - op.padding[2] + run * op.dilations[1]) * channels
        for x in range(columns)
        for run in range(runs_per_row)
    )
    inside = inside_rows(op, graph) * sum(start >= 0 and start + run_bytes <= width * channels for start in starts)
    border = rows * taps * columns * runs_per_row - inside
    copied = 36 + run_bytes // 4 * 9 + (27 if run_bytes % 4 else 0)
    return rows * columns * 34 + inside * copied + border * (67 + -(-run_bytes // 4) * 35)


def _panels(columns: int, panel: int) -> Iterator[int]:
    """The pixels of each panel of a row, as tg_conv_2d_row divides it."""
    while columns > 0:
        pixels = 2 if columns == 4 and panel == 3 else min(columns, panel)
        yield pixels
        columns -= pixels


def depthwise_kernels(
    op: WindowOp, graph: Graph, filters: NDArray[np.int8], activation: Activation
) -> tuple[Kernel, ...]:
    """DEPTHWISE_CONV_2D; filters are [out channels, height, width]."""
    source, output = op.input(graph, 0), op.output(graph)
    count, height, width = filters.shape
    columns, stride, dilation = output.shape[2], op.strides[1], op.dilations[1]
    requantization = window_requantization(op, graph, filters.reshape(count, -1), activation)
    window = (
        Field("kernel_height", height),
        Field("kernel_width", width),
        Field("stride", stride),
        Field("dilation", dilation),
        Field("pad_left", op.padding[2]),
    )
    rest = (Field("input_zero_point", input_zero_point(op, graph)), Field("requantize", requantization.fields()))
    general_line = max((columns - 1) * stride + (width - 1) * dilation + 1, op.padding[2])
    general_scratch = 2 * height * general_line
    by_four_scratch = count + 8 * height * width

    def general(pitches: Pitches) -> Call:
        fields = (
            Field("input_width", source.shape[2]),
            Field("input_channels", source.shape[3]),
            Field("input_pitch", pitches.of_input(0, source.shape[3])),
            Field("output_width", columns),
            Field("output_pitch", pitches.of_output(count)),
            Field("multiplier", count // source.shape[3]),
            *window,
            Field("line", general_line),
            *rest,
            Field("weights", Constant("weights", filters.reshape(-1))),
        )
        return _depthwise_call("depthwise_conv_2d", "", requantization, fields, general_scratch)

    def by_four(pitches: Pitches) -> Call:
        fields = (
            Field("input_width", source.shape[2]),
            Field("input_pitch", pitches.of_input(0, count)),
            Field("output_width", columns),
            Field("output_pitch", pitches.of_output(count)),
            *window,
            *rest,
            Field("weights", Constant("weights", pack_channels(filters.reshape(count, -1)))),
        )
        variant = "" if pitches == TOGETHER else "apart_"
        return _depthwise_call("depthwise_conv_2d_x4", variant, requantization, fields, by_four_scratch)

    flash = filters.size + 9 * count
    rows, taps = output.shape[1], height * width
    store = 5 if requantization.fast else 21
    channel = columns * (taps * 4 + height * 49 + store) + height * general_line * 36 // 10 + 124
    instructions = rows * (count * channel + 520)
    # Without neighbours a channel of a row, or four of two pixels, are read and then written.
    in_place = (0,) if op.pointwise(graph) and count == source.shape[3] else ()

    def kernel(
        name: str, instructions: int, scratch: int, call: Callable[[Pitches], Call], pitches: Pitches = TOGETHER
    ) -> Kernel:
        apart = partial(kernel, name, instructions, scratch, call)
        return Kernel(name, instructions, flash, scratch, partial(call, pitches), in_place=in_place, apart=apart)

    kernels = [kernel("depthwise_conv_2d_s8", instructions, general_scratch, general)]
    if count == source.shape[3] and count % 4 == 0:
        pairs = -(-columns // 2)
        store = 150 if requantization.fast else 455
        instructions = rows * (pairs * (count // 4 * (taps * 26 + store) + taps * 43 + 80) + 27)
        kernels.append(kernel("depthwise_conv_2d_x4_s8", instructions, by_four_scratch, by_four))
    kernels += planar_kernels(op, graph, filters, requantization)
    kernels += depthwise_mve_kernels(op, graph, filters, requantization)
    return tuple(kernels)


def _depthwise_call(
    name: str, variant: str, requantization: Requantization, fields: tuple[Field, ...], scratch: int
) -> Call:
    symbol = f"tg_{name}_{variant}{'fast_' if requantization.fast else ''}s8"
    args = ("rows", "out", "scratch")
    return Call(symbol, f"{name}_s8.h", fields, args, scratch_bytes=scratch, params=f"tg_{name}_s8_params")


def input_zero_point(op: WindowOp, graph: Graph) -> int:
    """Of the activation that a convolution reads."""
    quant = op.input(graph, 0).quant
    return quant.zero_point if quant is not None else 0


def window_requantization(
    op: WindowOp, graph: Graph, filters: NDArray[np.int8], activation: Activation
) -> Requantization:
    """From the accumulators of a verified convolution to its outputs; filters are [out channels, taps]."""
    source, weights, output = op.input(graph, 0).quant, op.input(graph, 1).quant, op.output(graph)
    if source is None or weights is None or output.quant is None:
        raise ValueError("kernels need a verified operator")
    has_bias = len(op.inputs) > 2 and op.inputs[2] >= 0
    bias = op.input(graph, 2).data if has_bias else None
    factors = multipliers(channel_factors(source, weights, output.quant, len(filters)))
    limits = activation_range(activation, output.quant, output.dtype)
    return fold_requantization(filters, bias, source.zero_point, factors, output.quant.zero_point, limits, op.origin)
