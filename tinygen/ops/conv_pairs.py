"""The convolution kernel for cores with DSP instructions: four pixels times two filters, sums times 256."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinygen.ir.call import TOGETHER, Call, Constant, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ops.pack import interleave, pad_to
from tinygen.ops.requantize import Requantization
from tinygen.ops.scaled import scaled
from tinygen.ops.window import WindowOp, inside_rows

_PANELS = {4: (49, 61), 2: (29, 43), 1: (19, 33)}
"""For each number of pixels the instructions of a pair of filters: per eight taps, and besides."""


def conv_2d_pairs_kernels(
    op: WindowOp, graph: Graph, filters: NDArray[np.int8], requantization: Requantization
) -> tuple[Kernel, ...]:
    """Where the kernel can do it: an even number of filters [out, height, width, in channels] without a weight of -128.

    The pixels of a panel are read before any is written, so that a pointwise convolution works in place.
    """
    source, output = op.input(graph, 0), op.output(graph)
    count, height, width, channels = filters.shape
    constants = scaled(requantization, filters.reshape(count, -1))
    if constants is None or source.quant is None or count % 2 or int(filters.min()) < -127:
        return ()
    zero_point, columns = source.quant.zero_point, output.shape[2]

    def kernel(panel: int, pitches: Pitches = TOGETHER) -> Kernel:
        input_pitch = pitches.of_input(0, channels)
        joined = width == 1 or (op.dilations[1] == 1 and input_pitch == channels)
        runs_per_row, run_bytes = (1, width * channels) if joined else (width, channels)
        padded = pad_to(filters.reshape(count, height * runs_per_row, run_bytes), 2, 4).reshape(count, -1)
        groups = padded.shape[1] // 4
        # What the combined taps have too much.
        addend = -127 * padded[:, ::2].astype(np.int64).sum(axis=1)

        def call() -> Call:
            fields = (
                Field("weights", Constant("weights", interleave(_combine(padded), 2))),
                Field("channels", constants.constant(addend)),
                Field("groups", groups),
                Field("count", count),
                Field("output_pitch", pitches.of_output(count)),
                Field("input_width", source.shape[2]),
                Field("input_pitch", input_pitch),
                Field("output_width", columns),
                Field("kernel_height", height),
                Field("runs_per_row", runs_per_row),
                Field("run_bytes", run_bytes),
                Field("stride", op.strides[1]),
                Field("dilation", op.dilations[1]),
                Field("pad_left", op.padding[2]),
                Field("panel_pixels", panel),
                Field("input_zero_point", zero_point),
            )
            symbol = f"tg_conv_2d_pairs_{'linear' if constants.linear else 'rectified'}_s8"
            args, params = ("rows", "out", "scratch"), "tg_conv_2d_pairs_s8_params"
            return Call(symbol, "conv_2d_pairs_s8.h", fields, args, scratch_bytes=8 * panel * groups, params=params)

        return Kernel(
            name=f"conv_2d_pairs_s8, {panel} pixels",
            instructions=_instructions(op, graph, panel, groups, runs_per_row, run_bytes, linear=constants.linear),
            flash_bytes=count * (4 * groups + 16),
            scratch_bytes=8 * panel * groups,
            call=call,
            requires=frozenset({"dsp"}),
            in_place=(0,) if op.pointwise(graph) and count == channels else (),
            apart=partial(kernel, panel),
        )

    return tuple(kernel(panel) for panel in (4, 2) if panel <= columns)


def _instructions(
    op: WindowOp, graph: Graph, panel: int, groups: int, runs_per_row: int, run_bytes: int, *, linear: bool
) -> int:
    """Of one inference on a Cortex-M4, as counted."""
    _, rows, columns, count = op.output(graph).shape
    multiply = sum(
        count // 2 * (groups * _PANELS[n][0] // 2 + _PANELS[n][1] + 4 * n * linear) + 40
        for n in _panels(columns, panel)
    )
    return rows * (multiply + 40) + _gather_instructions(op, graph, runs_per_row, run_bytes)


def _gather_instructions(op: WindowOp, graph: Graph, runs_per_row: int, run_bytes: int) -> int:
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
    copied = 25 + run_bytes // 4 * 11 + (40 if run_bytes % 4 else 0)
    return rows * columns * 34 + inside * copied + border * (67 + -(-run_bytes // 4) * 35)


def _panels(columns: int, panel: int) -> Iterator[int]:
    """The pixels of each panel of a row, as tg_conv_2d_pairs_row divides it."""
    while columns > 0:
        pixels = 4 if columns >= 4 and panel == 4 else min(columns, 2)
        yield pixels
        columns -= pixels


def _combine(filters: NDArray[np.int8]) -> NDArray[np.int8]:
    """Of weights in twos w0 + 256 * w1, as bytes; filters are [filters, depth]."""
    twos = filters.reshape(len(filters), -1, 2).copy()
    twos[:, :, 1] -= twos[:, :, 0] < 0
    return twos.reshape(filters.shape)
