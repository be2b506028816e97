"""The depthwise kernel for cores with Helium (MVE): four rows interleaved, all taps of an output one multiplication."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinygen.ir.call import TOGETHER, Call, Constant, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ops.requantize import Requantization
from tinygen.ops.window import WindowOp

_ROWS = 4
"""Of a column, and bytes of a channel in it."""


def depthwise_mve_kernels(
    op: WindowOp, graph: Graph, filters: NDArray[np.int8], requantization: Requantization
) -> tuple[Kernel, ...]:
    """DEPTHWISE_CONV_2D of 4x4 at most, an output channel an input channel; filters are [channels, height, width].

    The more outputs of a row are interleaved for at once, the fewer columns are interleaved twice, and the more scratch
    memory it takes; so do sixteen channels at once instead of eight.
    """
    source, output = op.input(graph, 0), op.output(graph)
    count, height, width = filters.shape
    stride, dilation, columns = op.strides[1], op.dilations[1], output.shape[2]
    if source.quant is None or source.shape[3] != count or max(height, width) > 4 or stride > 2:
        return ()
    zero_point, simple = source.quant.zero_point, requantization.clamps_negative
    window = (width - 1) * dilation + 1

    def kernel(group: int, span: int, pitches: Pitches = TOGETHER) -> Kernel:
        # A column is written as one of sixteen channels.
        scratch = _ROWS * (group * ((span - 1) * stride + window) + 16 - group)

        def call() -> Call:
            fields = (
                Field("input_width", source.shape[2]),
                Field("input_pitch", pitches.of_input(0, count)),
                Field("output_width", columns),
                Field("output_pitch", pitches.of_output(count)),
                Field("count", count),
                Field("kernel_height", height),
                Field("kernel_width", width),
                Field("stride", stride),
                Field("dilation", dilation),
                Field("pad_left", op.padding[2]),
                Field("group", group),
                Field("span", span),
                Field("input_zero_point", zero_point),
                Field("zero_point", requantization.zero_point),
                Field("activation_min", requantization.limits[0]),
                Field("activation_max", requantization.limits[1]),
                Field("weights", Constant("weights", _pack(filters))),
                Field("channels", Constant("channels", _channels(requantization))),
            )
            symbol = f"tg_depthwise_conv_2d_mve_{'relu_' if simple else ''}s8"
            args, params = ("rows", "out", "scratch"), "tg_depthwise_conv_2d_mve_s8_params"
            return Call(symbol, "depthwise_conv_2d_mve_s8.h", fields, args, scratch_bytes=scratch, params=params)

        return Kernel(
            name=f"depthwise_conv_2d_mve_s8, {span} pixels of {group} channels",
            instructions=output.shape[1] * _row_instructions(count, columns, group, span, stride, window, simple),
            flash_bytes=count * (16 + (12 if simple else 20)),
            scratch_bytes=scratch,
            call=call,
            requires=frozenset({"mve"}),
            apart=partial(kernel, group, span),
        )

    whole = columns + -columns % 4
    sizes = [(8 if count <= 8 else 16, span) for span in sorted({4, min(8, whole), min(16, whole), whole})]
    return tuple(kernel(*size) for size in dict.fromkeys([(8, 4), *sizes]))


def _row_instructions(count: int, columns: int, group: int, span: int, stride: int, window: int, simple: bool) -> int:
    """Of an output row on a Cortex-M55, as counted."""
    groups, total = -(-count // group), 60
    for first in range(0, columns, span):
        pixels = min(span, columns - first)
        interleaved = (pixels - 1) * stride + window
        quads = -(-pixels // 4)
        total += groups * (150 + interleaved * 15 + quads * 20) + quads * count * (22 if simple else 25)
    return total


def _pack(filters: NDArray[np.int8]) -> NDArray[np.int8]:
    """[channels, height, width] as [channels][4 columns][4 rows], missing weights as zeros."""
    _, height, width = filters.shape
    padded = np.pad(filters, ((0, 0), (0, 4 - height), (0, 4 - width)))
    return padded.transpose(0, 2, 1).reshape(-1)


def _channels(requantization: Requantization) -> NDArray[np.int32]:
    """Constants of each channel, in the order the kernel's form loads them."""
    shifts = requantization.shifts.astype(np.int32)
    right = np.minimum(shifts, 0)
    constants = [requantization.bias, requantization.multipliers, right]
    if not requantization.clamps_negative:
        constants += [np.maximum(shifts, 0), (right < 0).astype(np.int32)]
    return np.stack(constants, axis=1).astype(np.int32).reshape(-1)
