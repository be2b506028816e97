"""The kernels of convolutions for cores with Helium (MVE)."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinygen.ir.call import TOGETHER, Call, Constant, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ops.activation import Activation
from tinygen.ops.conv_kernels import window_requantization
from tinygen.ops.pack import pack_mve
from tinygen.ops.window import WindowOp

MVE = frozenset({"mve"})


def conv_2d_mve_kernels(
    op: WindowOp, graph: Graph, filters: NDArray[np.int8], activation: Activation
) -> tuple[Kernel, ...]:
    """CONV_2D, or DEPTHWISE_CONV_2D of a single input channel; filters are [out, height, width, in channels].

    The pixels that are computed together are read before any is written, so that a pointwise convolution works in
    place.
    """
    source, output, quant = op.input(graph, 0), op.output(graph), op.input(graph, 0).quant
    count, height, width, channels = filters.shape
    depth = height * width * channels
    pitch = depth + -depth % 16
    requantization = window_requantization(op, graph, filters.reshape(count, depth), activation)
    columns = output.shape[2]

    def kernel(pixels: int, pitches: Pitches = TOGETHER) -> Kernel:
        input_pitch = pitches.of_input(0, channels)
        joined = width == 1 or (op.dilations[1] == 1 and input_pitch == channels)
        runs_per_row, run_bytes = (1, width * channels) if joined else (width, channels)

        def call() -> Call:
            fields = (
                Field("input_width", source.shape[2]),
                Field("input_pitch", input_pitch),
                Field("output_width", columns),
                Field("output_pitch", pitches.of_output(count)),
                Field("kernel_height", height),
                Field("runs_per_row", runs_per_row),
                Field("run_bytes", run_bytes),
                Field("stride", op.strides[1]),
                Field("dilation", op.dilations[1]),
                Field("pad_left", op.padding[2]),
                Field("depth", depth),
                Field("pixels", pixels),
                Field("input_zero_point", quant.zero_point if quant is not None else 0),
                Field("requantize", requantization.fields()),
                Field("weights", Constant("weights", pack_mve(filters.reshape(count, depth)))),
            )
            symbol = "tg_conv_2d_mve_relu_s8" if requantization.clamps_negative else "tg_conv_2d_mve_s8"
            args = ("rows", "out", "scratch")
            params = "tg_conv_2d_mve_s8_params"
            return Call(symbol, "conv_2d_mve_s8.h", fields, args, scratch_bytes=pixels * pitch, params=params)

        pairs, singles = divmod(columns, pixels) if pixels == 2 else (0, columns)
        row = pairs * _multiply_instructions(count, depth, 2) + singles * _multiply_instructions(count, depth, 1)
        gather = 30 + height * (12 + runs_per_row * (18 + -(-run_bytes // 16) * 5))
        return Kernel(
            name=f"conv_2d_mve_s8, {pixels} pixels",
            instructions=output.shape[1] * (row + columns * gather + 60),
            flash_bytes=count * (depth + 9) + -depth % 16,
            scratch_bytes=pixels * pitch,
            call=call,
            requires=MVE,
            in_place=(0,) if op.pointwise(graph) and count == channels else (),
            apart=partial(kernel, pixels),
        )

    return tuple(kernel(pixels) for pixels in (2, 1) if pixels <= columns)


def _multiply_instructions(filters: int, depth: int, pixels: int) -> int:
    """Of all filters over one or two pixels on a Cortex-M55, as counted."""
    vectors, blocks = -(-depth // 16), -(-(filters // 4) // 4)
    per_vector, store, each = {1: (11, 30, 4), 2: (16, 36, 8)}[pixels]
    return 40 + blocks * 35 + filters // 4 * (vectors * per_vector + store) + filters % 4 * (vectors * each + 60)
