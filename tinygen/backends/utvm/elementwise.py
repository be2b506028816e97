"""ADD, pools and SOFTMAX as PrimFuncs: loops with little to schedule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tvm import s_tir, te
from tvm.script import tirx as T  # noqa: N812

from tinygen.backends.utvm.lowering import lower
from tinygen.backends.utvm.printer import FunctionText, function_text

_UNROLL = 4
"""Elements of a loop's turn, where their number divides."""


@dataclass(frozen=True)
class Operand:
    """From an operand, or the sum of both, to the scale it is brought to."""

    zero_point: int
    multiplier: int
    right: int


@dataclass(frozen=True)
class Sum:
    """A row of the sum of two rows of `elements`."""

    elements: int
    a: Operand
    b: Operand
    result: Operand
    low: int
    high: int


@dataclass(frozen=True)
class Mean:
    """The mean of `columns` pixels of each of `rows` rows, by channel."""

    rows: int
    columns: int
    channels: int
    low: int
    high: int


@dataclass(frozen=True)
class Pool:
    """An output row of the means, or else the largest, of windows; rows of the input are `line` elements long."""

    mean: bool
    height: int
    width: int
    line: int
    step: int
    pixels: int
    channels: int
    low: int
    high: int


@dataclass(frozen=True)
class Likelihoods:
    """A row of softmax vectors; `entries` is the length of the table of exponentials before its last, which is 0."""

    vectors: int
    depth: int
    entries: int


@lru_cache(maxsize=64)
def sum_function(total: Sum, fraction: int) -> FunctionText:
    """Both operands get `fraction` bits and a common scale; both steps round twice."""
    a = te.placeholder((total.elements,), "int8", name="a")
    b = te.placeholder((total.elements,), "int8", name="b")

    def term(x: Any, operand: Operand) -> Any:
        value = (x.astype("int32") - operand.zero_point) * (1 << fraction)
        return T.call_extern("int32", "tg_rescale", value, operand.multiplier, operand.right)

    def element(i: Any) -> Any:
        value = T.call_extern("int32", "tg_rescale", both[i], total.result.multiplier, total.result.right)
        return T.call_extern("int8", "tg_saturate", value + total.result.zero_point, total.low, total.high)

    both = te.compute((total.elements,), lambda i: term(a[i], total.a) + term(b[i], total.b), name="both")
    schedule = s_tir.Schedule(te.create_prim_func([a, b, te.compute((total.elements,), element, name="out")]))
    loop = _unrolled(schedule, total.elements)
    schedule.compute_at(schedule.get_sblock("both"), loop, preserve_unit_loops=True)
    schedule.unroll(schedule.get_loops(schedule.get_sblock("both"))[-1])
    return function_text(lower(schedule), {"i_0": "i"})


@lru_cache(maxsize=64)
def row_sums_function(mean: Mean) -> FunctionText:
    """Adds one row's pixels to the sums of the channels."""
    row = te.placeholder((mean.columns, mean.channels), "int8", name="row")
    before = te.placeholder((mean.channels,), "int32", name="before")
    x = te.reduce_axis((0, mean.columns), name="x")
    row_sum = te.compute((mean.channels,), lambda c: te.sum(row[x, c].astype("int32"), axis=[x]), name="row_sum")
    after = te.compute((mean.channels,), lambda c: before[c] + row_sum[c], name="after")
    schedule = s_tir.Schedule(te.create_prim_func([row, before, after]))
    (c,) = schedule.get_loops(schedule.get_sblock("after"))
    block = schedule.get_sblock("row_sum")
    schedule.compute_at(block, c, preserve_unit_loops=True)
    schedule.decompose_reduction(block, schedule.get_loops(block)[-1])
    return function_text(lower(schedule), {"ax1": "x"})


@lru_cache(maxsize=64)
def means_function(mean: Mean) -> FunctionText:
    """Divides the sums by the number of pixels."""
    sums = te.placeholder((mean.channels,), "int32", name="sums")

    def element(c: Any) -> Any:
        return _clamped(_quotient(sums[c], mean.rows * mean.columns), mean)

    schedule = s_tir.Schedule(te.create_prim_func([sums, te.compute((mean.channels,), element, name="out")]))
    _unrolled(schedule, mean.channels)
    return function_text(lower(schedule), {"c_0": "c"})


@lru_cache(maxsize=64)
def pool_function(pool: Pool) -> FunctionText:
    """A row of windows; for the largest, padding is the smallest int8, and for means there must be none."""
    rows = te.placeholder((pool.height, pool.line), "int8", name="rows")
    ky = te.reduce_axis((0, pool.height), name="ky")
    kx = te.reduce_axis((0, pool.width), name="kx")
    shape, reduce = (pool.pixels, pool.channels), te.sum if pool.mean else te.max

    def window(x: Any, c: Any) -> Any:
        return reduce(rows[ky, x * pool.step + kx * pool.channels + c].astype("int32"), axis=[ky, kx])

    total = te.compute(shape, window, name="total" if pool.mean else "most")

    def element(x: Any, c: Any) -> Any:
        return _clamped(_quotient(total[x, c], pool.height * pool.width) if pool.mean else total[x, c], pool)

    schedule = s_tir.Schedule(te.create_prim_func([rows, te.compute(shape, element, name="out")]))
    _, c = schedule.get_loops(schedule.get_sblock("out"))
    block = schedule.get_sblock(total.op.name)
    schedule.compute_at(block, c, preserve_unit_loops=True)
    schedule.decompose_reduction(block, schedule.get_loops(block)[-2])
    return function_text(lower(schedule), {"ax2": "ky", "ax3": "kx"})


@lru_cache(maxsize=64)
def softmax_function(likelihoods: Likelihoods) -> FunctionText:
    """exp(x - most) over their sum; exponentials are looked up by the difference and have 31 fractional bits."""
    vectors, depth, entries = likelihoods.vectors, likelihoods.depth, likelihoods.entries
    row = te.placeholder((vectors, depth), "int8", name="row")
    table = te.placeholder((entries + 1,), "int32", name="exponentials")
    k, j = te.reduce_axis((0, depth), name="k"), te.reduce_axis((0, depth), name="j")

    def looked_up(v: Any, i: Any) -> Any:
        return table[T.min(most[v] - row[v, i].astype("int32"), entries)]

    def likelihood(v: Any, i: Any) -> Any:
        product = T.call_extern("int32", "tg_high_multiply", scale[v], looked_up(v, i))
        value = T.call_extern("int32", "tg_rounding_shift", product, exponent[v])
        return T.min(value - 128, 127).astype("int8")

    def rounded(v: Any, i: Any) -> Any:
        """With 19 fractional bits; adding half of the last before the shift would overflow."""
        return ((looked_up(v, i) >> 11) + 1) >> 1

    most = te.compute((vectors,), lambda v: te.max(row[v, k].astype("int32"), axis=[k]), name="most")
    total = te.compute((vectors,), lambda v: te.sum(rounded(v, j), axis=[j]), name="total")
    scale = te.compute((vectors,), lambda v: T.call_extern("int32", "tg_softmax_scale", total[v]), name="scale")
    exponent = te.compute((vectors,), lambda v: T.call_extern("int32", "tg_softmax_shift", total[v]), name="exponent")
    out = te.compute((vectors, depth), likelihood, name="out")
    schedule = s_tir.Schedule(te.create_prim_func([row, table, out]))
    v, _ = schedule.get_loops(schedule.get_sblock("out"))
    for name in ("exponent", "scale", "total", "most"):
        block = schedule.get_sblock(name)
        schedule.compute_at(block, v, preserve_unit_loops=True)
        if name in ("total", "most"):
            schedule.decompose_reduction(block, schedule.get_loops(block)[-1])
    return function_text(lower(schedule), {"ax1": "i"})


def _quotient(total: Any, count: int) -> Any:
    """Ties away from zero."""
    return T.truncdiv(total + T.Select(total < 0, -(count // 2), count // 2), count)


def _clamped(value: Any, limits: Mean | Pool) -> Any:
    return T.max(T.min(value, limits.high), limits.low).astype("int8")


def _unrolled(schedule: Any, count: int) -> Any:
    """Writes some turns of the only loop over the output out; the loop around them."""
    (loop,) = schedule.get_loops(schedule.get_sblock("out"))
    outer, inner = schedule.split(loop, [None, _UNROLL if count % _UNROLL == 0 else 1])
    schedule.unroll(inner)
    return outer
