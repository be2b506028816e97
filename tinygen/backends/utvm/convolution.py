"""CONV_2D and FULLY_CONNECTED as a PrimFunc: dot products of an input row's windows with filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tvm import s_tir, te

from tinygen.backends.utvm.decision import DOT_TAPS, Decision
from tinygen.backends.utvm.intrinsics import DOT, register_intrinsics
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


@lru_cache(maxsize=256)
def tile_function(windows: Windows, decision: Decision, first: int, pixels: int) -> FunctionText:
    """`pixels` of the row from `first` on, in tiles that must divide them.

    Weights are [channels, height, runs, run], the last padded with zeros to a multiple of the decision's taps.
    """
    schedule = s_tir.Schedule(te.create_prim_func(_tensors(windows, decision, first, pixels)))
    _tile(schedule, decision, min(decision.pixels, pixels))
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


def _tensors(windows: Windows, decision: Decision, first: int, pixels: int) -> list[Any]:
    run, channels = padded_run(windows.run, decision.taps), windows.channels
    rows = te.placeholder((windows.height, windows.line), "int16" if decision.dot else "int8", name="rows")
    weights = te.placeholder((channels, windows.height, windows.runs, run), "int8", name="weights")
    bias = te.placeholder((channels,), "int32", name="bias")
    multiplier = te.placeholder((channels,), "int32", name="multiplier")
    shift = te.placeholder((channels,), "int8", name="shift")
    ky = te.reduce_axis((0, windows.height), name="ky")
    kx = te.reduce_axis((0, windows.runs), name="kx")
    k = te.reduce_axis((0, run), name="k")

    def product(x: Any, c: Any) -> Any:
        value = rows[ky, (first + x) * windows.step + kx * windows.hop + k]
        return value.astype("int32") * weights[c, ky, kx, k].astype("int32")

    acc = te.compute((pixels, channels), lambda x, c: te.sum(product(x, c), axis=[ky, kx, k]), name="acc")
    out = te.compute(
        (pixels, channels), lambda x, c: windows.narrow.value(acc[x, c] + bias[c], multiplier[c], shift[c]), name="out"
    )
    return [rows, weights, bias, multiplier, shift, out]


def _tile(schedule: Any, decision: Decision, pixels: int) -> None:
    """A tile's sums stay in registers: its loops are unrolled inside those over the taps."""
    acc, out = schedule.get_sblock("acc"), schedule.get_sblock("out")
    x, c = schedule.get_loops(out)
    x, x_tile = schedule.split(x, [None, pixels])
    c, c_tile = schedule.split(c, [None, decision.channels])
    # Channels inside: their constants must not stay in registers through the loop over the taps.
    schedule.reorder(x, c, x_tile, c_tile)
    schedule.compute_at(acc, c, preserve_unit_loops=True)
    *_, x_sum, c_sum, ky, kx, k = schedule.get_loops(acc)
    k, taps = schedule.split(k, [None, decision.taps])
    schedule.reorder(ky, kx, k, x_sum, c_sum, taps)
    start = schedule.decompose_reduction(acc, ky)
    for loop in (x_tile, c_tile, x_sum, c_sum, *schedule.get_loops(start)[-2:]):
        schedule.unroll(loop)
    if decision.dot:
        register_intrinsics()
        turns, taps = schedule.split(taps, [None, DOT_TAPS])
        schedule.unroll(turns)
        schedule.tensorize(taps, DOT)
    else:
        schedule.unroll(taps)
