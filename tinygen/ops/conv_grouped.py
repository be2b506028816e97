"""The kernels of grouped convolutions: an ordinary one for each group, over some channels of the pixels."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinygen.ir.call import TOGETHER, Call, Constant, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ops.activation import Activation
from tinygen.ops.conv_kernels import (
    PANELS,
    gather_instructions,
    input_zero_point,
    multiply_instructions,
    window_requantization,
)
from tinygen.ops.pack import pack_runs
from tinygen.ops.window import WindowOp

MOST_ROWS = 16
"""Taps in height: the kernel has room for so many pointers to the rows of a group."""


def grouped_kernels(
    op: WindowOp, graph: Graph, filters: NDArray[np.int8], groups: int, activation: Activation
) -> tuple[Kernel, ...]:
    """CONV_2D in groups; filters are [out, height, width, in channels of a group]."""
    source, output = op.input(graph, 0), op.output(graph)
    count, height, width, channels = filters.shape
    per_group, columns = count // groups, output.shape[2]
    requantization = window_requantization(op, graph, filters.reshape(count, -1), activation)
    depth = height * width * (channels + -channels % 4)

    def kernel(panel: int, pitches: Pitches = TOGETHER) -> Kernel:
        def call() -> Call:
            packed = [
                pack_runs(group.reshape(per_group, height * width, channels)) for group in np.split(filters, groups)
            ]
            conv = (
                Field("input_width", source.shape[2]),
                Field("input_pitch", pitches.of_input(0, source.shape[3])),
                Field("output_width", columns),
                Field("output_pitch", pitches.of_output(count)),
                Field("kernel_height", height),
                Field("runs_per_row", width),
                Field("run_bytes", channels),
                Field("stride", op.strides[1]),
                Field("dilation", op.dilations[1]),
                Field("pad_left", op.padding[2]),
                Field("depth", depth),
                Field("panel_pixels", panel),
                Field("input_zero_point", input_zero_point(op, graph)),
                Field("requantize", (Field("channels", per_group), *requantization.fields()[1:])),
                Field("weights", Constant("weights", np.concatenate(packed))),
            )
            fields = (
                Field("groups", groups),
                Field("weights_bytes", len(packed[0]), "of a group"),
                Field("conv", conv, "of the first group"),
            )
            name = f"tg_conv_2d_grouped_{'fast_' if requantization.fast else ''}s8"
            args, params = ("rows", "out", "scratch"), "tg_conv_2d_grouped_s8_params"
            return Call(name, "conv_2d_grouped_s8.h", fields, args, scratch_bytes=2 * panel * depth, params=params)

        multiply = multiply_instructions(columns, panel, per_group, depth, fast=requantization.fast)
        gather = gather_instructions(op, graph, width, channels)
        return Kernel(
            name=f"conv_2d_grouped_s8, {panel} pixels",
            instructions=groups * (output.shape[1] * (multiply + 60) + gather),
            flash_bytes=count * (depth + 9),
            scratch_bytes=2 * panel * depth,
            call=call,
            apart=partial(kernel, panel),
        )

    return tuple(kernel(panel) for panel in PANELS if panel <= columns)
