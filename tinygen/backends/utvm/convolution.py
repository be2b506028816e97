"""CONV_2D and FULLY_CONNECTED as a PrimFunc: dot products of an input row's windows with filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, no_type_check

from tvm import s_tir
from tvm.script import tirx as T  # noqa: N812

from tinygen.backends.utvm.decision import DOT_TAPS, Decision, Dot
from tinygen.backends.utvm.intrinsics import dot_tile
from tinygen.backends.utvm.lowering import lower
from tinygen.backends.utvm.narrow import Narrow
from tinygen.backends.utvm.printer import FunctionText, function_text


@dataclass(frozen=True)
class Windows:
    """An output row of `pixels`: each is the sum over `height` rows of `runs` runs of `run` neighbouring bytes.

    Rows of the input are `line` elements long; windows are `step` elements apart, the runs in them `hop`.
    """

    height: int
    runs: int
    run: int
    line: int
    step: int
    hop: int
    pixels: int
    channels: int
    narrow: Narrow

    @property
    def aligned(self) -> bool:
        """Whether each run of int16 begins at a multiple of four bytes."""
        return all(size % 2 == 0 for size in (self.line, self.step, self.hop))


@lru_cache(maxsize=256)
def tile_function(windows: Windows, decision: Decision, pixels: int) -> FunctionText:
    """`pixels` neighbours of the row, in tiles that must divide them.

    Weights are [channels, height, runs, run], the last padded with zeros to a multiple of the decision's taps.
    """
    run = padded_run(windows.run, decision.taps)
    schedule = s_tir.Schedule(_prim_func(windows, "int16" if decision.dot is Dot.WIDE else "int8", run, pixels))
    _tile(schedule, decision, min(decision.pixels, pixels), aligned=windows.aligned)
    return function_text(lower(schedule), {"c_0": "c", "x_0": "x", "ax2": "ky", "ax3": "kx", "ax4_0": "k"})


def tiles(pixels: int, tile: int) -> Iterator[tuple[int, int]]:
    """Where the parts of a row begin and how long they are: whole tiles, then what is left."""
    whole = pixels - pixels % tile
    if whole:
        yield 0, whole
    if whole < pixels:
        yield whole, pixels - whole


def padded_run(run: int, taps: int) -> int:
    """A run's length with the zeros at its end."""
    return run + -run % taps


@no_type_check
def _prim_func(windows: Windows, source: str, run: int, pixels: int):
    """Rows and weights are views whose strides let windows overlap, so that a tile's part of them is a rectangle."""
    height, runs, channels = windows.height, windows.runs, windows.channels
    strides, filters = [windows.line, windows.hop, windows.step, 1], [runs * run, run, height * runs * run, 1]

    @T.prim_func(s_tir=True)
    def main(rows_: T.handle, weights_: T.handle, bias_: T.handle, mul_: T.handle, shift_: T.handle, out_: T.handle):
        rows = T.match_buffer(rows_, (height, runs, pixels, run), source, strides=strides)
        weights = T.match_buffer(weights_, (height, runs, channels, run), "int8", strides=filters)
        bias = T.match_buffer(bias_, (channels,), "int32")
        multiplier = T.match_buffer(mul_, (channels,), "int32")
        shift = T.match_buffer(shift_, (channels,), "int8")
        out = T.match_buffer(out_, (pixels, channels), "int8")
        acc = T.sblock_alloc_buffer((pixels, channels), "int32")
        for x, c, ky, kx, k in T.grid(pixels, channels, height, runs, run):
            with T.sblock("acc"):
                vx, vc, vy, vr, vk = T.axis.remap("SSRRR", [x, c, ky, kx, k])
                T.reads(rows[vy, vr, vx, vk], weights[vy, vr, vc, vk])  # the intrinsics read no bias
                T.writes(acc[vx, vc])
                with T.init():
                    acc[vx, vc] = bias[vc]
                acc[vx, vc] = acc[vx, vc] + T.Cast("int32", rows[vy, vr, vx, vk]) * T.Cast(
                    "int32", weights[vy, vr, vc, vk]
                )
        for x, c in T.grid(pixels, channels):
            with T.sblock("out"):
                vx, vc = T.axis.remap("SS", [x, c])
                out[vx, vc] = windows.narrow.value(acc[vx, vc], multiplier[vc], shift[vc])

    return main


def _tile(schedule: Any, decision: Decision, pixels: int, *, aligned: bool) -> None:
    """A tile's sums stay in registers: its loops are unrolled inside those over the taps."""
    acc, out = schedule.get_sblock("acc"), schedule.get_sblock("out")
    x, c = schedule.get_loops(out)
    x, x_tile = schedule.split(x, [None, pixels])
    c, c_tile = schedule.split(c, [None, decision.channels])
    schedule.reorder(x, c, c_tile, x_tile)
    schedule.compute_at(acc, c, preserve_unit_loops=True)
    *_, x_sum, c_sum, ky, kx, k = schedule.get_loops(acc)
    each = DOT_TAPS if decision.dot else 1
    k, turns, taps = schedule.split(k, [None, decision.taps // each, each])
    # Intrinsics have no loops of one turn.
    counts = ((x_sum, pixels), (c_sum, decision.channels))
    once = [loop for loop, count in counts if count == 1]
    often = [loop for loop, count in counts if count > 1]
    schedule.reorder(ky, kx, k, turns, *once, *often, taps)
    start = schedule.decompose_reduction(acc, ky)
    for loop in (x_tile, c_tile, turns, *schedule.get_loops(start)[-2:]):
        schedule.unroll(loop)
    if decision.dot:
        schedule.tensorize([*often, taps][0], dot_tile(pixels, decision.channels, decision.dot, aligned=aligned))
    else:
        for loop in (x_sum, c_sum, taps):
            schedule.unroll(loop)
