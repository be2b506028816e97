"""Tiles of products as tensor intrinsics: which piece of a PrimFunc a function of tg_tvm.h computes."""

from __future__ import annotations

from functools import cache
from typing import no_type_check

from tvm import s_tir
from tvm.script import tirx as T  # noqa: N812

from tinygen.backends.utvm.decision import DOT_TAPS, Dot

_TAPS = DOT_TAPS

PAIR = 2
"""Channels whose bytes one instruction widens."""


@cache
def dot_tile(pixels: int, channels: int, dot: Dot, *, aligned: bool) -> str:
    """The name of the intrinsic for four taps of each sum of a tile, registered.

    Inputs or weights of the wide one are in the order 0, 2, 1, 3; `aligned` says that its inputs begin at multiples of
    four bytes.
    """
    wide = [int(aligned)] if dot is Dot.WIDE else []
    name = f"tinygen.{dot} {pixels}x{channels} {wide}"
    s_tir.TensorIntrin.register(name, *_dot_tile(pixels, channels, dot, wide), override=True)
    return name


@cache
def depthwise_tile(pixels: int, channels: int) -> str:
    """The name of the intrinsic for a tap of each sum of a tile, registered.

    The channels are four neighbours, or two with another between them.
    """
    name = f"tinygen.depthwise {pixels}x{channels}"
    s_tir.TensorIntrin.register(name, *_depthwise_tile(pixels, channels), override=True)
    return name


@no_type_check
def _dot_tile(pixels: int, channels: int, dot: Dot, more: list[int]):
    source, symbol = ("int16", "tg_dot_wide") if dot is Dot.WIDE else ("int8", "tg_dot_bytes")

    @T.prim_func(s_tir=True)
    def products(a_: T.handle, w_: T.handle, total_: T.handle):
        step, hop, line = T.int32(), T.int32(), T.int32()
        a = T.match_buffer(a_, (pixels, _TAPS), source, offset_factor=1, strides=[step, 1])
        w = T.match_buffer(w_, (channels, _TAPS), "int8", offset_factor=1, strides=[hop, 1])
        total = T.match_buffer(total_, (pixels, channels), "int32", offset_factor=1, strides=[line, 1])
        with T.sblock("root"):
            T.reads(total[0:pixels, 0:channels], a[0:pixels, 0:_TAPS], w[0:channels, 0:_TAPS])
            T.writes(total[0:pixels, 0:channels])
            if pixels > 1 and channels > 1:
                for x, c, k in T.grid(pixels, channels, _TAPS):
                    with T.sblock("product"):
                        vx, vc, vk = T.axis.remap("SSR", [x, c, k])
                        total[vx, vc] = total[vx, vc] + T.Cast("int32", a[vx, vk]) * T.Cast("int32", w[vc, vk])
            elif pixels > 1:
                for x, k in T.grid(pixels, _TAPS):
                    with T.sblock("product"):
                        vx, vk = T.axis.remap("SR", [x, k])
                        total[vx, 0] = total[vx, 0] + T.Cast("int32", a[vx, vk]) * T.Cast("int32", w[0, vk])
            elif channels > 1:
                for c, k in T.grid(channels, _TAPS):
                    with T.sblock("product"):
                        vc, vk = T.axis.remap("SR", [c, k])
                        total[0, vc] = total[0, vc] + T.Cast("int32", a[0, vk]) * T.Cast("int32", w[vc, vk])
            else:
                for k in range(_TAPS):
                    with T.sblock("product"):
                        vk = T.axis.remap("R", [k])
                        total[0, 0] = total[0, 0] + T.Cast("int32", a[0, vk]) * T.Cast("int32", w[0, vk])

    @T.prim_func(s_tir=True)
    def call(a_: T.handle, w_: T.handle, total_: T.handle):
        step, hop, line = T.int32(), T.int32(), T.int32()
        a = T.match_buffer(a_, (pixels, _TAPS), source, offset_factor=1, strides=[step, 1])
        w = T.match_buffer(w_, (channels, _TAPS), "int8", offset_factor=1, strides=[hop, 1])
        total = T.match_buffer(total_, (pixels, channels), "int32", offset_factor=1, strides=[line, 1])
        with T.sblock("root"):
            T.reads(total[0:pixels, 0:channels], a[0:pixels, 0:_TAPS], w[0:channels, 0:_TAPS])
            T.writes(total[0:pixels, 0:channels])
            T.evaluate(
                T.call_extern(
                    "int32",
                    symbol,
                    T.address_of(a[0, 0]),
                    step,
                    T.address_of(w[0, 0]),
                    hop,
                    T.address_of(total[0, 0]),
                    pixels,
                    channels,
                    *more,
                )
            )

    return products, call


@no_type_check
def _depthwise_tile(pixels: int, channels: int):
    apart, symbol = _TAPS // channels, f"tg_depthwise_{channels}"

    @T.prim_func(s_tir=True)
    def products(a_: T.handle, w_: T.handle, total_: T.handle):
        step, line = T.int32(), T.int32()
        a = T.match_buffer(a_, (pixels, channels), "int8", offset_factor=1, strides=[step, apart])
        w = T.match_buffer(w_, (channels,), "int8", offset_factor=1, strides=[apart])
        total = T.match_buffer(total_, (pixels, channels), "int32", offset_factor=1, strides=[line, 1])
        with T.sblock("root"):
            T.reads(total[0:pixels, 0:channels], a[0:pixels, 0:channels], w[0:channels])
            T.writes(total[0:pixels, 0:channels])
            if pixels > 1:
                for x, c in T.grid(pixels, channels):
                    with T.sblock("product"):
                        vx, vc = T.axis.remap("SS", [x, c])
                        total[vx, vc] = total[vx, vc] + T.Cast("int32", a[vx, vc]) * T.Cast("int32", w[vc])
            else:
                for c in range(channels):
                    with T.sblock("product"):
                        vc = T.axis.remap("S", [c])
                        total[0, vc] = total[0, vc] + T.Cast("int32", a[0, vc]) * T.Cast("int32", w[vc])

    @T.prim_func(s_tir=True)
    def call(a_: T.handle, w_: T.handle, total_: T.handle):
        step, line = T.int32(), T.int32()
        a = T.match_buffer(a_, (pixels, channels), "int8", offset_factor=1, strides=[step, apart])
        w = T.match_buffer(w_, (channels,), "int8", offset_factor=1, strides=[apart])
        total = T.match_buffer(total_, (pixels, channels), "int32", offset_factor=1, strides=[line, 1])
        with T.sblock("root"):
            T.reads(total[0:pixels, 0:channels], a[0:pixels, 0:channels], w[0:channels])
            T.writes(total[0:pixels, 0:channels])
            T.evaluate(
                T.call_extern(
                    "int32",
                    symbol,
                    T.address_of(a[0, 0]),
                    step,
                    T.address_of(w[0]),
                    T.address_of(total[0, 0]),
                    pixels,
                )
            )

    return products, call
