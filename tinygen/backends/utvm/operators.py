"""From operators to row functions: which PrimFunc computes what, with constants laid out the way it reads them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinygen.backends.utvm import convolution, depthwise
from tinygen.backends.utvm.decision import DOT_TAPS, Decision, Dot
from tinygen.backends.utvm.intrinsics import PAIR
from tinygen.backends.utvm.narrow import Narrow, narrow
from tinygen.backends.utvm.pools import lower_add, lower_average_pool, lower_max_pool, lower_softmax
from tinygen.backends.utvm.printer import FunctionText
from tinygen.backends.utvm.rows import NAME, Gather, Lowering, RowFunction, gathered, prim_function, row_function
from tinygen.ir.call import Constant, Field
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op
from tinygen.ir.tensor import DType
from tinygen.ops.add import Add
from tinygen.ops.average_pool_2d import AveragePool2D
from tinygen.ops.conv_2d import Conv2D
from tinygen.ops.conv_kernels import window_requantization
from tinygen.ops.depthwise_conv_2d import DepthwiseConv2D
from tinygen.ops.fully_connected import FullyConnected
from tinygen.ops.max_pool_2d import MaxPool2D
from tinygen.ops.requantize import Requantization
from tinygen.ops.softmax import Softmax
from tinygen.ops.window import Convolution

_TILES = (1, 2, 3, 4)
_LEAST_SUMS = 4
"""Of a tile: with fewer, loads of inputs and weights outweigh the products."""
_MOST_SUMS = 8
"""Of a tile: more do not stay in the registers of any core here."""

_PER_PRODUCT = {Dot.NONE: 2.6, Dot.BYTES: 1.6, Dot.WIDE: 1.4}
_PER_DEPTHWISE_PRODUCT = {Dot.NONE: 6.0, Dot.BYTES: 2.8}
_PER_OUTPUT = 20
"""Instructions, about; layers that were tuned have exact counts."""


def lowering(op: Op, graph: Graph, numerics: Numerics) -> Lowering | None:
    """How an operator becomes a row function; None where no PrimFunc here computes it."""
    match op:
        case Conv2D() if op.groups(graph) == 1:
            filters = _weights(op, graph)
            return _convolution(op, graph, filters)
        case DepthwiseConv2D():
            filters = _weights(op, graph)[0].transpose(2, 0, 1)
            if op.input(graph, 0).shape[3] == 1:
                return _convolution(op, graph, filters[..., np.newaxis])
            return _depthwise(op, graph, filters)
        case FullyConnected():
            return _fully_connected(op, graph, numerics)
        case Add():
            return lower_add(op, graph)
        case AveragePool2D():
            return lower_average_pool(op, graph)
        case MaxPool2D():
            return lower_max_pool(op, graph)
        case Softmax() if op.output(graph).dtype is DType.INT8:
            return lower_softmax(op, graph)
    return None


def _weights(op: Op, graph: Graph) -> NDArray[np.int8]:
    data = op.input(graph, 1).data
    if data is None:
        raise ValueError("lowering needs a verified operator")
    return data.astype(np.int8)


def _convolution(op: Convolution, graph: Graph, filters: NDArray[np.int8]) -> Lowering:
    """Filters are [out, height, width, in channels]."""
    count, height, width, channels = filters.shape
    runs, run = (1, width * channels) if op.dilations[1] == 1 or width == 1 else (width, channels)
    requantization = window_requantization(op, graph, filters.reshape(count, -1), op.activation)
    source, output = op.input(graph, 0), op.output(graph)
    zero_point = source.quant.zero_point if source.quant is not None else 0

    def function(decision: Decision) -> RowFunction:
        beyond = convolution.padded_run(run, decision.taps) - run
        gather = gathered(op, graph, zero_point, wide=decision.dot is Dot.WIDE, beyond=beyond)
        plain = height == 1 and not gather.wide and beyond == gather.left == gather.right == 0
        windows = convolution.Windows(
            height=height,
            runs=runs,
            run=run,
            line=gather.line,
            step=op.strides[1] * channels,
            hop=op.dilations[1] * channels,
            pixels=output.shape[2],
            channels=count,
            narrow=narrow(requantization),
        )
        packed = _packed(filters.reshape(count, height, runs, run), decision, paired=gather.paired)
        return _dot_products(windows, decision, None if plain else gather, packed, requantization, output.shape[1])

    return Lowering(
        key=f"{_window_key(op, graph)}, {narrow(requantization).rounding}",
        defaults=_defaults(output.shape[2], count, run),
        candidates=_conv_candidates(output.shape[2], count, run),
        function=function,
    )


def _fully_connected(op: FullyConnected, graph: Graph, numerics: Numerics) -> Lowering:
    filters, requantization = _weights(op, graph), op.requantization(graph, numerics)
    (channels, depth), vectors, steps = filters.shape, op.vectors(graph), op.rows(graph).steps
    result = narrow(requantization, single_rounding=numerics is Numerics.LITERT)

    def function(decision: Decision) -> RowFunction:
        beyond = convolution.padded_run(depth, decision.taps) - depth
        wide = decision.dot is Dot.WIDE
        paired = wide and depth % DOT_TAPS == 0
        gather = Gather(1, 0, vectors * depth, 0, 0, wide, paired, beyond) if wide or beyond else None
        windows = convolution.Windows(1, 1, depth, vectors * depth, depth, 0, vectors, channels, result)
        packed = _packed(filters.reshape(channels, 1, 1, depth), decision, paired=paired)
        return _dot_products(windows, decision, gather, packed, requantization, steps)

    return Lowering(
        key=f"FULLY_CONNECTED: {steps} rows of {vectors} vectors, {depth} to {channels} channels, {result.rounding}",
        defaults=_defaults(vectors, channels, depth),
        candidates=_conv_candidates(vectors, channels, depth),
        function=function,
    )


def _dot_products(
    windows: convolution.Windows,
    decision: Decision,
    gather: Gather | None,
    weights: NDArray[np.int8],
    requantization: Requantization,
    steps: int,
) -> RowFunction:
    def tile(pixels: int) -> FunctionText:
        return convolution.tile_function(windows, decision, pixels)

    outputs = steps * windows.pixels * windows.channels
    products = outputs * windows.height * windows.runs * windows.run
    gathered = steps * gather.rows * gather.line * (2 if gather.wide else 1) if gather else 0
    comment = (
        f"{windows.pixels} pixels of {windows.channels} channels, each {windows.height} x "
        f"{windows.runs * windows.run} products; tiles of {decision}.",
    )
    return RowFunction(
        comment=comment,
        text=_tiled(tile, windows.pixels, windows.step, windows.channels, decision, gather),
        fields=_filters(weights, requantization, windows.narrow),
        params="tg_tvm_filters",
        args=("rows", "out", "scratch") if gather else ("rows", "out"),
        instructions=int(products * _PER_PRODUCT[decision.dot] + outputs * _PER_OUTPUT + gathered),
        scratch_bytes=gather.scratch_bytes if gather else 0,
    )


def _depthwise(op: DepthwiseConv2D, graph: Graph, filters: NDArray[np.int8]) -> Lowering:
    """Filters are [out channels, height, width]."""
    count, height, width = filters.shape
    requantization = window_requantization(op, graph, filters.reshape(count, -1), op.activation)
    source, output = op.input(graph, 0), op.output(graph)
    zero_point = source.quant.zero_point if source.quant is not None else 0
    planes = depthwise.Planes(
        height=height,
        width=width,
        line=gathered(op, graph, zero_point).line,
        step=op.strides[1] * source.shape[3],
        hop=op.dilations[1] * source.shape[3],
        pixels=output.shape[2],
        channels=count,
        multiplier=count // source.shape[3],
        narrow=narrow(requantization),
    )

    def function(decision: Decision) -> RowFunction:
        def tile(pixels: int) -> FunctionText:
            return depthwise.tile_function(planes, decision, pixels)

        beyond = 1 if depthwise.in_pairs(decision) else 0
        gather = gathered(op, graph, zero_point, beyond=beyond)
        weights = np.pad(filters.transpose(1, 2, 0).reshape(-1), (0, beyond))
        rows, outputs, per_product = output.shape[1], output.elements, _PER_DEPTHWISE_PRODUCT[decision.dot]
        comment = f"{planes.pixels} pixels of {count} channels, each {height} x {width} taps; tiles of {decision}."
        return RowFunction(
            comment=(comment,),
            text=_tiled(tile, planes.pixels, planes.step, count, decision, gather),
            fields=_filters(weights, requantization, planes.narrow),
            params="tg_tvm_filters",
            args=("rows", "out", "scratch"),
            instructions=int(outputs * (height * width * per_product + _PER_OUTPUT) + rows * gather.scratch_bytes),
            scratch_bytes=gather.scratch_bytes,
        )

    taps = [t for t in range(1, width + 1) if width % t == 0]
    tiles = [x for x in _TILES if x <= planes.pixels]
    candidates = [Decision(x, c, t) for x in tiles for c in (1, 2) for t in taps if count % c == 0]
    most = max(t for t in taps if t <= 4)
    defaults = [Decision(min(2, planes.pixels), 1, most)]
    if planes.multiplier == 1 and count % DOT_TAPS == 0:
        candidates += [Decision(x, c, t, Dot.BYTES) for x in tiles for c in (PAIR, DOT_TAPS) for t in taps]
        defaults.insert(0, Decision(min(2, planes.pixels), DOT_TAPS, most, Dot.BYTES))
    key = f"{_window_key(op, graph)}, {planes.narrow.rounding}"
    return Lowering(function, key, tuple(defaults), tuple(candidates))


def _tiled(
    tile: Callable[[int], FunctionText],
    pixels: int,
    step: int,
    channels: int,
    decision: Decision,
    gather: Gather | None,
) -> str:
    """The PrimFuncs of a row's tiles, and the function that calls them."""
    parts, body = [], list(gather.lines()) if gather else []
    for first, size in convolution.tiles(pixels, decision.pixels):
        name = f"{NAME}_{'rest' if first else 'tiles'}"
        parts.append(prim_function(name, tile(size)))
        source, to = "patch" if gather else "rows[0]", "out"
        if first:
            source = f"patch + {first * step}" if gather else f"(const int8_t *)rows[0] + {first * step}"
            to = f"(int8_t *)out + {first * channels}"
        body.append(f"{name}({source}, p->weights, p->bias, p->multiplier, p->shift, {to});")
    args = ("rows", "out", "scratch") if gather else ("rows", "out")
    return "\n\n".join((*parts, row_function("tg_tvm_filters", args, body)))


def _filters(weights: NDArray[np.int8], requantization: Requantization, result: Narrow) -> tuple[Field, ...]:
    """The members of `tg_tvm_filters`."""
    return (
        Field("weights", Constant("weights", np.ascontiguousarray(weights).reshape(-1))),
        Field("bias", Constant("bias", requantization.bias)),
        Field("multiplier", Constant("multipliers", requantization.multipliers)),
        Field("shift", Constant("shifts", result.shifts(requantization))),
    )


def _packed(filters: NDArray[np.int8], decision: Decision, *, paired: bool) -> NDArray[np.int8]:
    """[out, height, runs, run], runs padded; for wide inputs that are not paired every four taps in that order."""
    end = convolution.padded_run(filters.shape[3], decision.taps) - filters.shape[3]
    padded = np.pad(filters, ((0, 0), (0, 0), (0, 0), (0, end)))
    if decision.dot is not Dot.WIDE or paired:
        return padded
    return padded.reshape(-1, DOT_TAPS)[:, [0, 2, 1, 3]].reshape(padded.shape)


def _defaults(pixels: int, channels: int, run: int) -> tuple[Decision, ...]:
    """What is used without tuning, the first that the core has instructions for: tiles that no compiler spills."""
    tile = min(2, pixels)
    wide = max(c for c in range(1, 4 // tile + 1) if channels % c == 0)
    plain = Decision(tile, wide, max(t for t in _taps(run) if tile > 1 or t <= 4))
    return Decision(tile, wide, DOT_TAPS, Dot.BYTES), plain


def _conv_candidates(pixels: int, channels: int, run: int) -> tuple[Decision, ...]:
    """Tiles of four to eight sums that fit the row, or the largest that does, with and without the dot product."""
    fitting = [(x, c) for x in _TILES for c in _TILES if x <= pixels and channels % c == 0 and x * c <= _MOST_SUMS]
    least = min(_LEAST_SUMS, max(x * c for x, c in fitting))
    tiles = [(x, c) for x, c in fitting if x * c >= least]
    return tuple(
        [Decision(x, c, _taps(run)[-1]) for x, c in tiles]
        + [Decision(x, c, t, d) for x, c in tiles for t in _dot_taps(run)[-2:] for d in (Dot.BYTES, Dot.WIDE)]
    )


def _dot_taps(run: int) -> tuple[int, ...]:
    """How many products of a run are written out by calls of the dot product: padded with less than a call's zeros."""
    least = run + -run % DOT_TAPS
    return tuple(t for t in (DOT_TAPS, 2 * DOT_TAPS, 4 * DOT_TAPS) if convolution.padded_run(run, t) == least)


def _taps(run: int) -> tuple[int, ...]:
    """How many products of a run can be written out without padding it."""
    return tuple(t for t in (1, 2, 3, 4, 8, 9) if run % t == 0)


def _window_key(op: Convolution, graph: Graph) -> str:
    """Everything of a layer's shape that its row function and its number of rows depend on."""

    def by(numbers: tuple[int, ...]) -> str:
        return "x".join(map(str, numbers))

    shapes = f"{by(op.input(graph, 0).shape[1:])} to {by(op.output(graph).shape[1:])}"
    options = f"stride {by(op.strides)}, dilation {by(op.dilations)}, padding {by(op.padding)}"
    return f"{op.kind}: {shapes}, window {by(op.window_size(graph))}, {options}"
