"""DEPTHWISE_CONV_2D as a PrimFunc: each channel of an input row's windows with the taps of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tvm import s_tir, te

from tinygen.backends.utvm.decision import Decision
from tinygen.backends.utvm.lowering import lower
from tinygen.backends.utvm.narrow import Narrow
from tinygen.backends.utvm.printer import FunctionText, function_text


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
def tile_function(planes: Planes, decision: Decision, first: int, pixels: int) -> FunctionText:
    """`pixels` of the row from `first` on, in tiles that must divide them; weights are [height, width, channels]."""
    schedule = s_tir.Schedule(te.create_prim_func(_tensors(planes, first, pixels)))
    _tile(schedule, decision, min(decision.pixels, pixels))
    return function_text(lower(schedule), {"c_0": "c", "x_0": "x", "ax2": "ky", "ax3_0": "kx"})


def _tensors(planes: Planes, first: int, pixels: int) -> list[Any]:
    channels = planes.channels
    rows = te.placeholder((planes.height, planes.line), "int8", name="rows")
    weights = te.placeholder((planes.height, planes.width, channels), "int8", name="weights")
    bias = te.placeholder((channels,), "int32", name="bias")
    multiplier = te.placeholder((channels,), "int32", name="multiplier")
    shift = te.placeholder((channels,), "int8", name="shift")
    ky = te.reduce_axis((0, planes.height), name="ky")
    kx = te.reduce_axis((0, planes.width), name="kx")

    def product(x: Any, c: Any) -> Any:
        source = c if planes.multiplier == 1 else te.indexdiv(c, planes.multiplier)
        value = rows[ky, (first + x) * planes.step + kx * planes.hop + source]
        return value.astype("int32") * weights[ky, kx, c].astype("int32")

    acc = te.compute((pixels, channels), lambda x, c: te.sum(product(x, c), axis=[ky, kx]), name="acc")
    out = te.compute(
        (pixels, channels), lambda x, c: planes.narrow.value(acc[x, c] + bias[c], multiplier[c], shift[c]), name="out"
    )
    return [rows, weights, bias, multiplier, shift, out]


def _tile(schedule: Any, decision: Decision, pixels: int) -> None:
    """A tile's sums stay in registers, and neighbouring windows share what they load."""
    acc, out = schedule.get_sblock("acc"), schedule.get_sblock("out")
    x, c = schedule.get_loops(out)
    x, x_tile = schedule.split(x, [None, pixels])
    c, c_tile = schedule.split(c, [None, decision.channels])
    schedule.reorder(c, x, x_tile, c_tile)
    schedule.compute_at(acc, x, preserve_unit_loops=True)
    *_, x_sum, c_sum, ky, kx = schedule.get_loops(acc)
    kx, taps = schedule.split(kx, [None, decision.taps])
    schedule.reorder(ky, kx, taps, x_sum, c_sum)
    start = schedule.decompose_reduction(acc, ky)
    for loop in (x_tile, c_tile, taps, x_sum, c_sum, *schedule.get_loops(start)[-2:]):
        schedule.unroll(loop)
