"""The depthwise kernel for cores with DSP instructions: channels as planes of int16, two taps a multiplication."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinygen.ir.call import TOGETHER, Call, Constant, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ops.requantize import Requantization
from tinygen.ops.scaled import scaled
from tinygen.ops.window import WindowOp, inside_rows


def planar_kernels(
    op: WindowOp, graph: Graph, filters: NDArray[np.int8], requantization: Requantization
) -> tuple[Kernel, ...]:
    """DEPTHWISE_CONV_2D of 3x3 or less wide, where the kernel can do it; filters are [out channels, height, width]."""
    source, output = op.input(graph, 0), op.output(graph)
    count, height, width = filters.shape
    channels, columns, stride = source.shape[3], output.shape[2], op.strides[1]
    constants = scaled(requantization, filters.reshape(count, -1))
    line = (-(-columns // 2) if stride == 1 else columns) + 1
    pixels = min(source.shape[2], 2 * line - op.padding[2])
    window = height == 3 and width <= 3 and stride <= 2 and (op.dilations[1] == 1 or width == 1)
    if constants is None or source.quant is None or not window or channels < 4 or pixels < 1:
        return ()
    zero_point, scratch = source.quant.zero_point, 4 * 4 * 3 * line

    def call(pitches: Pitches) -> Call:
        fields = (
            Field("input_width", source.shape[2]),
            Field("input_channels", channels),
            Field("input_pitch", pitches.of_input(0, channels)),
            Field("output_width", columns),
            Field("output_pitch", pitches.of_output(count)),
            Field("multiplier", count // channels),
            Field("stride", stride),
            Field("pad_left", op.padding[2]),
            Field("line", line),
            Field("input_zero_point", zero_point),
            Field("channels", constants.constant()),
            Field("weights", Constant("weights", pack_pairs(filters))),
        )
        symbol = f"tg_depthwise_conv_2d_planar_{'linear' if constants.linear else 'rectified'}_s8"
        args, params = ("rows", "out", "scratch"), "tg_depthwise_conv_2d_planar_s8_params"
        header = "depthwise_conv_2d_planar_s8.h"
        return Call(symbol, header, fields, args, scratch_bytes=scratch, params=params)

    def kernel(pitches: Pitches) -> Kernel:
        return Kernel(
            name="depthwise_conv_2d_planar_s8",
            instructions=_instructions(op, graph, pixels, line, linear=constants.linear),
            flash_bytes=count * (12 + 16),
            scratch_bytes=scratch,
            call=partial(call, pitches),
            requires=frozenset({"dsp"}),
            apart=kernel,
        )

    return (kernel(TOGETHER),)


def _instructions(op: WindowOp, graph: Graph, pixels: int, line: int, *, linear: bool) -> int:
    """As counted: rows of four channels spread out, channels multiplied, and what compilers make of the rest."""
    channels = op.input(graph, 0).shape[3]
    _, rows, columns, count = op.output(graph).shape
    inside = inside_rows(op, graph)
    words, tail = divmod(pixels + op.padding[2] % 2, 2)
    spread = inside * (14 + 16 * words + 14 * tail) + (3 * rows - inside) * 6
    pair = 29 if op.strides[1] == 1 else 32
    channel = 30 + columns // 2 * pair + columns % 2 * 15 + (2 * columns if linear else 0)
    groups, calls = -(-channels // 4), 1 if count == channels else 4
    return groups * (spread + rows * (4 * count // channels * channel + calls * 12 + 30)) + rows * (100 + line)


def pack_pairs(filters: NDArray[np.int8]) -> NDArray[np.int8]:
    """[channels, 3, width] as [channels][3][w0, w1, w1, w2], missing weights as zeros."""
    padded = np.pad(filters, ((0, 0), (0, 0), (0, 3 - filters.shape[2])))
    return padded[:, :, (0, 1, 1, 2)].reshape(-1)
