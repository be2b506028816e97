"""DEPTHWISE_CONV_2D by arm_depthwise_conv_wrapper_s8, or of a single input channel by arm_convolve_wrapper_s8."""

from __future__ import annotations

import numpy as np

from tinygen.backends.cmsis_nn.conv_2d import convolution_kernels, window_of
from tinygen.backends.cmsis_nn.library import DEPTHWISE
from tinygen.backends.cmsis_nn.scratch import Unit, Window, depthwise
from tinygen.backends.cmsis_nn.structs import MOST_SIZE, bias, clamp, dims, offsets, requantization, tile
from tinygen.ir.call import Call, Constant, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.rows import WHOLE, Rows
from tinygen.ops.activation import activation_range
from tinygen.ops.depthwise_conv_2d import DepthwiseConv2D
from tinygen.ops.requantize import channel_factors, multipliers

SOURCES = DEPTHWISE
SYMBOL = "arm_depthwise_conv_wrapper_s8"

_INSTRUCTIONS = {Unit.MVE: 1.0, Unit.DSP: 4.0, Unit.PLAIN: 8.0}
"""Of a multiply-add, about."""


def kernels(op: DepthwiseConv2D, graph: Graph, core: Unit) -> tuple[Kernel, ...]:
    """Calls for the whole layer."""
    weights, window = op.input(graph, 1).data, window_of(op, graph)
    if weights is None:
        raise ValueError("kernels need a verified operator")
    ordinary: tuple[Kernel, ...] = ()
    if window.channels == 1:
        # Each filter sees the whole input: an ordinary convolution, with faster functions for more than a few filters.
        filters = np.ascontiguousarray(weights.astype(np.int8).transpose(3, 1, 2, 0))
        ordinary = convolution_kernels(op, graph, filters, core)
        if core is Unit.MVE or weights.shape[3] % 4 or window.dilations != (1, 1):
            return ordinary
    if max(*op.input(graph, 0).shape, *op.output(graph).shape, *window.kernel) > MOST_SIZE:
        return ordinary
    scratch = depthwise(window, weights.shape[3], core)
    kernel = Kernel(
        name=SYMBOL,
        instructions=round(op.macs(graph) * _INSTRUCTIONS[core]),
        flash_bytes=weights.nbytes + 12 * weights.shape[3],
        scratch_bytes=scratch,
        call=lambda: _call(op, graph, window, scratch),
        rows=Rows(steps=1, inputs=((0, WHOLE),), writes_row=False),
    )
    return (*ordinary, kernel)


def _call(op: DepthwiseConv2D, graph: Graph, window: Window, scratch: int) -> Call:
    source, kernel, output = op.input(graph, 0).quant, op.input(graph, 1), op.output(graph)
    if source is None or kernel.quant is None or kernel.data is None or output.quant is None:
        raise ValueError("kernels need a verified operator")
    channels = output.shape[3]
    has_bias = len(op.inputs) > 2 and op.inputs[2] >= 0
    fields = (
        Field(
            "conv",
            (
                *offsets(source, output.quant),
                Field("ch_mult", channels // window.channels),
                tile("stride", *window.strides),
                tile("padding", *window.padding),
                tile("dilation", *window.dilations),
                clamp(activation_range(op.activation, output.quant, output.dtype)),
            ),
        ),
        dims("input", 1, *window.input, window.channels),
        dims("filter", 1, *window.kernel, channels),
        dims("output", 1, *window.output, channels),
        *requantization(multipliers(channel_factors(source, kernel.quant, output.quant, channels))),
        Field("weights", Constant("weights", kernel.data.astype(np.int8))),
        *bias(op.input(graph, 2).data if has_bias else None),
        Field("scratch_bytes", scratch),
    )
    symbol = f"tg_{SYMBOL}"
    args = ("rows", "out", "scratch")
    return Call(symbol, f"{SYMBOL}.h", fields, args, scratch, scratch_needed=f"{symbol}_scratch")
