"""The dot product as a tensor intrinsic: which piece of a PrimFunc tg_dot_packed_4 of tg_tvm.h computes."""

from __future__ import annotations

from functools import cache
from typing import no_type_check

from tvm import s_tir
from tvm.script import tirx as T  # noqa: N812

DOT = "tinygen.dot_packed_4"
"""The intrinsic's name; it takes decision.DOT_TAPS taps."""


@no_type_check
@T.prim_func(s_tir=True)
def _four_products(
    a: T.Buffer((4,), "int16", offset_factor=1),
    w: T.Buffer((4,), "int8", offset_factor=1),
    total: T.Buffer((1,), "int32", offset_factor=1),
):
    with T.sblock("root"):
        T.reads(total[0], a[0:4], w[0:4])
        T.writes(total[0])
        for k in range(4):
            with T.sblock("product"):
                v = T.axis.remap("R", [k])
                total[0] = total[0] + T.Cast("int32", a[v]) * T.Cast("int32", w[v])


@no_type_check
@T.prim_func(s_tir=True)
def _dot_packed_4(
    a: T.Buffer((4,), "int16", offset_factor=1),
    w: T.Buffer((4,), "int8", offset_factor=1),
    total: T.Buffer((1,), "int32", offset_factor=1),
):
    with T.sblock("root"):
        T.reads(total[0], a[0:4], w[0:4])
        T.writes(total[0])
        total[0] = T.call_extern("int32", "tg_dot_packed_4", T.address_of(a[0]), T.address_of(w[0]), total[0])


@cache
def register_intrinsics() -> None:
    """Makes the intrinsic known to schedules. Weights are packed in the order it reads them, see `pack_dot`."""
    s_tir.TensorIntrin.register(DOT, _four_products, _dot_packed_4, override=True)
