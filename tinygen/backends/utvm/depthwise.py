"""DEPTHWISE_CONV_2D as a PrimFunc: each channel of an input row's windows with the taps of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, no_type_check

from tvm import s_tir
from tvm.script import tirx as T  # noqa: N812

from tinygen.backends.utvm.decision import DOT_TAPS, Decision
from tinygen.backends.utvm.intrinsics import PAIR, depthwise_tile
from tinygen.backends.utvm.lowering import lower
from tinygen.backends.utvm.narrow import Narrow
from tinygen.backends.utvm.printer import FunctionText, function_text

_NAMES = {"c_0": "c", "x_0": "x", "ax2": "ky", "ax3_0": "kx", "ax4": "ky", "ax5_0": "kx"}


@dataclass(frozen=True)
class Planes:
    """An output row of `pixels`: windows of `height` by `width` taps, `step` elements apart, their taps `hop`.

    Rows of the input are `line` elements long; output channel c reads input channel c // multiplier.
    """

    height: int
    width: int
    line: int
    step: int
    hop: int
    pixels: int
    channels: int
    multiplier: int
    narrow: Narrow


@lru_cache(maxsize=256)
def tile_function(planes: Planes, decision: Decision, pixels: int) -> FunctionText:
    """`pixels` neighbours of the row, in tiles that must divide them; weights are [height, width, channels]."""
    tile = min(decision.pixels, pixels)
    if in_pairs(decision):
        schedule = s_tir.Schedule(_pairs_func(planes, pixels))
        _tile_pairs(schedule, decision, tile)
    else:
        schedule = s_tir.Schedule(_prim_func(planes, pixels))
        _tile(schedule, decision, tile)
    return function_text(lower(schedule), _NAMES)


def in_pairs(decision: Decision) -> bool:
    """Whether a tile's channels are every other one of four."""
    return bool(decision.dot) and decision.channels == PAIR


@no_type_check
def _prim_func(planes: Planes, pixels: int):
    """Rows are a view whose strides let windows overlap, so that a tile's part of them is a rectangle."""
    height, width, channels, each = planes.height, planes.width, planes.channels, planes.multiplier
    sources, strides = channels // each, [planes.line, planes.hop, planes.step, 1]

    @T.prim_func(s_tir=True)
    def main(rows_: T.handle, weights_: T.handle, bias_: T.handle, mul_: T.handle, shift_: T.handle, out_: T.handle):
        rows = T.match_buffer(rows_, (height, width, pixels, sources), "int8", strides=strides)
        weights = T.match_buffer(weights_, (height, width, channels), "int8")
        bias = T.match_buffer(bias_, (channels,), "int32")
        multiplier = T.match_buffer(mul_, (channels,), "int32")
        shift = T.match_buffer(shift_, (channels,), "int8")
        out = T.match_buffer(out_, (pixels, channels), "int8")
        acc = T.sblock_alloc_buffer((pixels, channels), "int32")
        for x, c, ky, kx in T.grid(pixels, channels, height, width):
            with T.sblock("acc"):
                vx, vc, vy, vr = T.axis.remap("SSRR", [x, c, ky, kx])
                T.reads(rows[vy, vr, vx, vc // each], weights[vy, vr, vc])  # the intrinsics read no bias
                T.writes(acc[vx, vc])
                with T.init():
                    acc[vx, vc] = bias[vc]
                acc[vx, vc] = acc[vx, vc] + T.Cast("int32", rows[vy, vr, vx, vc // each]) * T.Cast(
                    "int32", weights[vy, vr, vc]
                )
        for x, c in T.grid(pixels, channels):
            with T.sblock("out"):
                vx, vc = T.axis.remap("SS", [x, c])
                out[vx, vc] = planes.narrow.value(acc[vx, vc], multiplier[vc], shift[vc])

    return main


@no_type_check
def _pairs_func(planes: Planes, pixels: int):
    """The same for a multiplier of one; every four channels are two pairs of two, [second or not][first, third]."""
    height, width, fours = planes.height, planes.width, planes.channels // DOT_TAPS
    four, pairs = DOT_TAPS, DOT_TAPS // PAIR
    strides = [planes.line, planes.hop, four, 1, planes.step, pairs]
    filters, outputs = [width * planes.channels, planes.channels, four, 1, pairs], [planes.channels, four, 1, pairs]
    constants = [four, 1, pairs]

    @T.prim_func(s_tir=True)
    def main(rows_: T.handle, weights_: T.handle, bias_: T.handle, mul_: T.handle, shift_: T.handle, out_: T.handle):
        rows = T.match_buffer(rows_, (height, width, fours, pairs, pixels, PAIR), "int8", strides=strides)
        weights = T.match_buffer(weights_, (height, width, fours, pairs, PAIR), "int8", strides=filters)
        bias = T.match_buffer(bias_, (fours, pairs, PAIR), "int32", strides=constants)
        multiplier = T.match_buffer(mul_, (fours, pairs, PAIR), "int32", strides=constants)
        shift = T.match_buffer(shift_, (fours, pairs, PAIR), "int8", strides=constants)
        out = T.match_buffer(out_, (pixels, fours, pairs, PAIR), "int8", strides=outputs)
        acc = T.sblock_alloc_buffer((fours, pairs, pixels, PAIR), "int32")
        for x, c, h, e, ky, kx in T.grid(pixels, fours, pairs, PAIR, height, width):
            with T.sblock("acc"):
                vx, vc, vh, ve, vy, vr = T.axis.remap("SSSSRR", [x, c, h, e, ky, kx])
                T.reads(rows[vy, vr, vc, vh, vx, ve], weights[vy, vr, vc, vh, ve])
                T.writes(acc[vc, vh, vx, ve])
                with T.init():
                    acc[vc, vh, vx, ve] = bias[vc, vh, ve]
                acc[vc, vh, vx, ve] = acc[vc, vh, vx, ve] + T.Cast("int32", rows[vy, vr, vc, vh, vx, ve]) * T.Cast(
                    "int32", weights[vy, vr, vc, vh, ve]
                )
        for x, c, h, e in T.grid(pixels, fours, pairs, PAIR):
            with T.sblock("out"):
                vx, vc, vh, ve = T.axis.remap("SSSS", [x, c, h, e])
                out[vx, vc, vh, ve] = planes.narrow.value(
                    acc[vc, vh, vx, ve], multiplier[vc, vh, ve], shift[vc, vh, ve]
                )

    return main


def _tile_pairs(schedule: Any, decision: Decision, pixels: int) -> None:
    """As `_tile`; the pairs of four channels follow each other, each with few enough sums for the registers."""
    acc, out = schedule.get_sblock("acc"), schedule.get_sblock("out")
    x, c, half, pair = schedule.get_loops(out)
    x, x_tile = schedule.split(x, [None, pixels])
    schedule.reorder(c, half, x, pair, x_tile)
    schedule.compute_at(acc, x, preserve_unit_loops=True)
    *_, x_sum, one, two, pair_sum, ky, kx = schedule.get_loops(acc)
    kx, taps = schedule.split(kx, [None, decision.taps])
    schedule.reorder(ky, kx, taps, one, two, x_sum, pair_sum)
    start = schedule.decompose_reduction(acc, ky)
    for loop in (half, x_tile, pair, taps, *schedule.get_loops(start)[-4:]):
        schedule.unroll(loop)
    schedule.tensorize(x_sum if pixels > 1 else pair_sum, depthwise_tile(pixels, PAIR))


def _tile(schedule: Any, decision: Decision, pixels: int) -> None:
    """A tile's sums stay in registers, and neighbouring windows share what they load."""
    acc, out = schedule.get_sblock("acc"), schedule.get_sblock("out")
    x, c = schedule.get_loops(out)
    x, x_tile = schedule.split(x, [None, pixels])
    c, c_tile = schedule.split(c, [None, decision.channels])
    schedule.reorder(c, x, c_tile, x_tile)
    schedule.compute_at(acc, x, preserve_unit_loops=True)
    *_, x_sum, c_sum, ky, kx = schedule.get_loops(acc)
    kx, taps = schedule.split(kx, [None, decision.taps])
    schedule.reorder(ky, kx, taps, x_sum, c_sum)
    start = schedule.decompose_reduction(acc, ky)
    for loop in (x_tile, c_tile, taps, *schedule.get_loops(start)[-2:]):
        schedule.unroll(loop)
    if decision.dot:
        schedule.tensorize(x_sum if pixels > 1 else c_sum, depthwise_tile(pixels, DOT_TAPS))
    else:
        schedule.unroll(x_sum)
        schedule.unroll(c_sum)
