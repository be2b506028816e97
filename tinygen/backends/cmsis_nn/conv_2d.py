"""CONV_2D by arm_convolve_wrapper_s8."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tinygen.backends.cmsis_nn.library import CONVOLUTION
from tinygen.backends.cmsis_nn.scratch import Unit, Window, convolution, edges, total_padding
from tinygen.backends.cmsis_nn.structs import MOST_SIZE, bias, clamp, dims, offsets, requantization, tile
from tinygen.ir.call import Call, Constant, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.rows import SAME_ROW, WHOLE, Rows
from tinygen.ops.activation import activation_range
from tinygen.ops.conv_2d import Conv2D
from tinygen.ops.requantize import channel_factors, multipliers
from tinygen.ops.window import Convolution

SOURCES = CONVOLUTION
SYMBOL = "arm_convolve_wrapper_s8"

_INSTRUCTIONS = {Unit.MVE: 0.5, Unit.DSP: 1.6, Unit.PLAIN: 6.0}
"""Of a multiply-add, about; what matters is how calls for rows compare with a call for all."""
_COPY_INSTRUCTIONS = {Unit.MVE: 10, Unit.DSP: 45, Unit.PLAIN: 45}
"""Of the pixels that a window covers each, which are copied before they are multiplied, whatever their channels."""
_CALL_INSTRUCTIONS = 250
_CALL_INSTRUCTIONS_PER_WEIGHT = 2.5
"""Of a call besides its multiply-adds: that of a 1x1 convolution sums its weights up first."""
_ROWS_SHARE = 1.1
"""Calls for rows are offered where they cost at most this many times the instructions of a call for all."""


def kernels(op: Conv2D, graph: Graph, core: Unit) -> tuple[Kernel, ...]:
    """A call for the whole layer; row by row for 1x1 convolutions, where that costs nothing."""
    weights = op.input(graph, 1).data
    if weights is None:
        raise ValueError("kernels need a verified operator")
    return convolution_kernels(op, graph, weights.astype(np.int8), core) if op.groups(graph) == 1 else ()


def convolution_kernels(op: Convolution, graph: Graph, weights: NDArray[np.int8], core: Unit) -> tuple[Kernel, ...]:
    """For weights [out, height, width, in]; none where the library's function does not do what is needed."""
    window = window_of(op, graph)
    if not _supported(op, graph, window, core):
        return ()
    whole = Rows(steps=1, inputs=((0, WHOLE),), writes_row=False)
    found = [_kernel(op, graph, weights, core, window, whole)]
    height = window.output[0]
    if window.pointwise and window.strides == (1, 1) and height > 1:
        row = replace(window, input=(1, window.input[1]), output=(1, window.output[1]))
        by_rows = _kernel(op, graph, weights, core, row, Rows(steps=height, inputs=((0, SAME_ROW),)))
        if by_rows.instructions <= found[0].instructions * _ROWS_SHARE:
            found.append(by_rows)
    return tuple(found)


def window_of(op: Convolution, graph: Graph) -> Window:
    """The geometry of a convolution."""
    _, height, width, channels = op.input(graph, 0).shape
    return Window(
        input=(height, width),
        kernel=op.window_size(graph),
        output=(op.output(graph).shape[1], op.output(graph).shape[2]),
        channels=channels,
        strides=op.strides,
        dilations=op.dilations,
        padding=(op.padding[0], op.padding[2]),
    )


def _supported(op: Convolution, graph: Graph, window: Window, core: Unit) -> bool:
    if max(*op.input(graph, 0).shape, *op.output(graph).shape, *window.kernel) > MOST_SIZE:
        return False
    if window.one_row and core is Unit.MVE:
        # 1xN with MVE works for padding as SAME and VALID make it, and fails at run time for any other.
        left, right, inner = edges(window)
        total = total_padding(window)
        usual = total >= 0 and 2 * window.padding[1] + total % 2 == total
        return usual and left + right + inner == window.output[1] and window.kernel[1] <= window.input[1]
    return True


def _kernel(op: Convolution, graph: Graph, weights: NDArray[np.int8], core: Unit, window: Window, rows: Rows) -> Kernel:
    scratch = convolution(window, core)
    macs = op.macs(graph) * _INSTRUCTIONS[core]
    # Pixels are computed in twos, or in fours with MVE; the rest of a call is slower.
    pixels, together = window.output[0] * window.output[1], 4 if core is Unit.MVE else 2
    uneven = (pixels + -pixels % together) / pixels
    copied = 0 if window.pointwise else pixels * window.kernel[0] * window.kernel[1] * _COPY_INSTRUCTIONS[core]
    call = _CALL_INSTRUCTIONS + weights.size * _CALL_INSTRUCTIONS_PER_WEIGHT
    return Kernel(
        name=SYMBOL if rows.steps == 1 else f"{SYMBOL}, by rows",
        instructions=round(macs * uneven + copied + rows.steps * call),
        flash_bytes=weights.nbytes + 12 * len(weights),
        scratch_bytes=scratch,
        call=lambda: _call(op, graph, weights, window, scratch),
        rows=rows,
    )


def _call(op: Convolution, graph: Graph, weights: NDArray[np.int8], window: Window, scratch: int) -> Call:
    source, kernel, output = op.input(graph, 0).quant, op.input(graph, 1).quant, op.output(graph)
    if source is None or kernel is None or output.quant is None:
        raise ValueError("kernels need a verified operator")
    channels = len(weights)
    has_bias = len(op.inputs) > 2 and op.inputs[2] >= 0
    fields = (
        Field(
            "conv",
            (
                *offsets(source, output.quant),
                tile("stride", *window.strides),
                tile("padding", *window.padding),
                tile("dilation", *window.dilations),
                clamp(activation_range(op.activation, output.quant, output.dtype)),
            ),
        ),
        dims("input", 1, *window.input, window.channels),
        dims("filter", channels, *window.kernel, window.channels),
        dims("output", 1, *window.output, channels),
        *requantization(multipliers(channel_factors(source, kernel, output.quant, channels))),
        Field("weights", Constant("weights", weights)),
        *bias(op.input(graph, 2).data if has_bias else None),
        Field("scratch_bytes", scratch),
    )
    symbol = f"tg_{SYMBOL}"
    args = ("rows", "out", "scratch")
    return Call(symbol, f"{SYMBOL}.h", fields, args, scratch, scratch_needed=f"{symbol}_scratch")
