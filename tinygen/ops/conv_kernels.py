"""The kernels of convolutions: how weights and geometry become parameters of the row kernels, and what they cost."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinygen.ir.call import Call, Constant, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ops.activation import Activation, activation_range
from tinygen.ops.pack import pack_3x3, pack_runs
from tinygen.ops.requantize import Requantization, channel_factors, fold_requantization, multipliers
from tinygen.ops.window import WindowOp

_PANELS = ((3, 1.45), (2, 1.5), (1, 2.0))
"""Output pixels of a conv_2d_s8 panel, and instructions per tap and filter on a Cortex-M4, as counted."""


def conv_2d_kernels(
    op: WindowOp, graph: Graph, filters: NDArray[np.int8], activation: Activation
) -> tuple[Kernel, ...]:
    """CONV_2D, or DEPTHWISE_CONV_2D of a single input channel; filters are [out, height, width, in channels].

    A wider panel is faster and needs more scratch memory.
    """
    source, output = op.input(graph, 0), op.output(graph)
    height, width, channels = filters.shape[1:]
    runs_per_row, run_bytes = (1, width * channels) if op.dilations[1] == 1 or width == 1 else (width, channels)
    depth = height * runs_per_row * (run_bytes + -run_bytes % 4)
    requantization = _requantization(op, graph, filters.reshape(len(filters), -1), activation)
    columns = output.shape[2]

    def call(panel: int) -> Call:
        packed = pack_runs(filters.reshape(len(filters), height * runs_per_row, run_bytes))
        fields = (
            Field("input_width", source.shape[2]),
            Field("input_channels", channels),
            Field("output_width", output.shape[2]),
            Field("kernel_height", height),
            Field("runs_per_row", runs_per_row),
            Field("run_bytes", run_bytes),
            Field("stride", op.strides[1]),
            Field("dilation", op.dilations[1]),
            Field("pad_left", op.padding[2]),
            Field("depth", depth),
            Field("panel_pixels", panel),
            Field("input_zero_point", _zero_point(op, graph)),
            Field("requantize", requantization.fields()),
            Field("weights", Constant("weights", packed)),
        )
        symbol = "tg_conv_2d_fast_s8" if requantization.fast else "tg_conv_2d_s8"
        args = ("rows", "out", "scratch")
        return Call(
            symbol, "conv_2d_s8.h", fields, args, scratch_bytes=2 * panel * depth, params="tg_conv_2d_s8_params"
        )

    def kernel(panel: int, per_tap: float) -> Kernel:
        panels = output.shape[1] * -(-columns // panel)
        work = output.shape[1] * columns * (len(filters) * (depth * per_tap + 10) + depth * 2 + 20)
        flash = len(filters) * (depth + 9)
        name = f"conv_2d_s8, {panel} pixels"
        return Kernel(name, round(work) + panels * 60, flash, 2 * panel * depth, partial(call, panel))

    return tuple(kernel(panel, per_tap) for panel, per_tap in _PANELS if panel <= columns)


def depthwise_kernel(op: WindowOp, graph: Graph, filters: NDArray[np.int8], activation: Activation) -> Kernel:
    """DEPTHWISE_CONV_2D; filters are [out channels, height, width]."""
    source, output = op.input(graph, 0), op.output(graph)
    count, height, width = filters.shape
    columns, stride, dilation = output.shape[2], op.strides[1], op.dilations[1]
    requantization = _requantization(op, graph, filters.reshape(count, -1), activation)
    small = (height, width, dilation) == (3, 3, 1) and stride <= 2 and count == source.shape[3] and requantization.fast
    # The 3x3 kernel computes outputs in pairs and reads its lines in aligned pairs of elements.
    computed = columns + columns % 2 if small else columns
    line = max((computed - 1) * stride + (width - 1) * dilation + 1, op.padding[2])
    line += line % 2
    scratch = 2 * height * line

    def call() -> Call:
        fields = (
            Field("input_width", source.shape[2]),
            Field("input_channels", source.shape[3]),
            Field("output_width", columns),
            Field("multiplier", count // source.shape[3]),
            Field("kernel_height", height),
            Field("kernel_width", width),
            Field("stride", stride),
            Field("dilation", dilation),
            Field("pad_left", op.padding[2]),
            Field("line", line),
            Field("input_zero_point", _zero_point(op, graph)),
            Field("requantize", requantization.fields()),
            Field("weights", Constant("weights", pack_3x3(filters) if small else filters.reshape(-1))),
        )
        general = "tg_depthwise_conv_2d_fast_s8" if requantization.fast else "tg_depthwise_conv_2d_s8"
        symbol = "tg_depthwise_3x3_s8" if small else general
        header, params = "depthwise_conv_2d_s8.h", "tg_depthwise_conv_2d_s8_params"
        return Call(symbol, header, fields, ("rows", "out", "scratch"), scratch_bytes=scratch, params=params)

    each = 2 if small else 5
    instructions = output.shape[1] * count * (columns * (height * width * each + 14) + 3 * height * line + 40)
    return Kernel("depthwise_conv_2d_s8", instructions, filters.size + 9 * count, scratch, call)


def _zero_point(op: WindowOp, graph: Graph) -> int:
    quant = op.input(graph, 0).quant
    return quant.zero_point if quant is not None else 0


def _requantization(op: WindowOp, graph: Graph, filters: NDArray[np.int8], activation: Activation) -> Requantization:
    source, weights, output = op.input(graph, 0).quant, op.input(graph, 1).quant, op.output(graph)
    if source is None or weights is None or output.quant is None:
        raise ValueError("kernels need a verified operator")
    has_bias = len(op.inputs) > 2 and op.inputs[2] >= 0
    bias = op.input(graph, 2).data if has_bias else None
    factors = multipliers(channel_factors(source, weights, output.quant, len(filters)))
    limits = activation_range(activation, output.quant, output.dtype)
    return fold_requantization(filters, bias, source.zero_point, factors, output.quant.zero_point, limits, op.origin)
