"""FULLY_CONNECTED by arm_fully_connected_s8, or arm_fully_connected_per_channel_s8 for weights with several scales."""

from __future__ import annotations

import numpy as np

from tinygen.backends.cmsis_nn.library import FULLY_CONNECTED
from tinygen.backends.cmsis_nn.scratch import Unit
from tinygen.backends.cmsis_nn.structs import bias, clamp, dims, offsets, requantization
from tinygen.ir.call import Call, Constant, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ops.activation import activation_range
from tinygen.ops.fully_connected import FullyConnected
from tinygen.ops.requantize import multipliers, vector_factors

SOURCES = FULLY_CONNECTED

_INSTRUCTIONS = {Unit.MVE: 0.4, Unit.DSP: 1.6, Unit.PLAIN: 5.0}
"""Of a multiply-add, about."""


def kernels(op: FullyConnected, graph: Graph, core: Unit) -> tuple[Kernel, ...]:
    """A call for each row of vectors."""
    weights = op.input(graph, 1)
    if weights.quant is None:
        raise ValueError("kernels need a verified operator")
    symbol = "arm_fully_connected_s8" if len(weights.quant.scales) == 1 else "arm_fully_connected_per_channel_s8"
    # With MVE the library reads the sums of the weights; they are constants.
    sums = 4 * weights.shape[0] if core is Unit.MVE else 0
    kernel = Kernel(
        name=symbol,
        instructions=round(op.macs(graph) * _INSTRUCTIONS[core]),
        flash_bytes=weights.elements + 4 * weights.shape[0] + sums,
        scratch_bytes=0,
        call=lambda: _call(op, graph, symbol, core),
    )
    return (kernel,)


def _call(op: FullyConnected, graph: Graph, symbol: str, core: Unit) -> Call:
    source, kernel, output = op.input(graph, 0).quant, op.input(graph, 1), op.output(graph)
    if source is None or kernel.quant is None or kernel.data is None or output.quant is None:
        raise ValueError("kernels need a verified operator")
    channels, depth = kernel.shape
    weights = kernel.data.astype(np.int8)
    has_bias = len(op.inputs) > 2 and op.inputs[2] >= 0
    start = op.input(graph, 2).data if has_bias else None
    factors = multipliers(vector_factors(source, kernel.quant, output.quant, channels))
    if len(kernel.quant.scales) == 1:
        quantization: tuple[Field, ...] = (
            Field("quant", (Field("multiplier", int(factors[0][0])), Field("shift", int(factors[1][0])))),
        )
    else:
        quantization = requantization(factors)
    fields = (
        Field(
            "fc",
            (
                Field("input_offset", -source.zero_point),
                Field("filter_offset", 0),
                offsets(source, output.quant)[1],
                clamp(activation_range(op.activation, output.quant, output.dtype)),
            ),
        ),
        dims("input", op.vectors(graph), 1, 1, depth),
        dims("filter", depth, 1, 1, channels),
        dims("output", op.vectors(graph), 1, 1, channels),
        *quantization,
        Field("weights", Constant("weights", weights)),
        *bias(start),
    )
    if core is Unit.MVE:
        sums = weights.astype(np.int64).sum(axis=1) * -source.zero_point
        total = sums if start is None else sums + start.astype(np.int64).reshape(-1)
        comment = "bias + input offset * sum of the weights, which the library wants with MVE"
        fields = (*fields, Field("weight_sums", Constant("weight_sums", total.astype(np.int32), comment)))
    return Call(f"tg_{symbol}", f"{symbol}.h", fields)
