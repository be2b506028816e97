"""MEAN against LiteRT: any dimensions of any rank, kept or dropped, rescaled or not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activations, examples, generators, samples
from tinygen.errors import TinygenError
from tinygen.tflite import read_bytes


def mean(source: TensorDef, axes: list[int], output: TensorDef, keep_dims: bool) -> bytes:
    axis = TensorDef.constant(np.array(axes, np.int32))
    return single_op_model("MEAN", Options("ReducerOptions", {"KeepDims": keep_dims}), [source, axis], [output])


def reduced(shape: tuple[int, ...], axes: list[int], keep_dims: bool) -> tuple[int, ...]:
    averaged = {a % len(shape) for a in axes}
    return tuple(1 if a in averaged else n for a, n in enumerate(shape) if keep_dims or a not in averaged)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rank = draw(st.integers(1, 4))
    first = 1 if rank > 2 and draw(st.booleans()) else draw(st.integers(1, 4))
    shape = (first, *(draw(st.integers(1, 7)) for _ in range(rank - 1)))
    axes = draw(st.lists(st.integers(-rank, rank - 1), min_size=1, max_size=rank))
    if rank == 4 and draw(st.booleans()):
        axes = [1, 2]
    keep_dims = draw(st.booleans())
    source, output = draw(activations(shape)), draw(activations(reduced(shape, axes, keep_dims)))
    if draw(st.booleans()):
        output = TensorDef(output.shape, "int8", source.scales, source.zero_points)
    return Case(mean(source, axes, output, keep_dims), samples(draw(generators), shape))


@examples(4)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_mean(batch: list[Case]) -> None:
    check(*batch)


@pytest.mark.parametrize("keep_dims", [False, True])
def test_global_mean_is_accumulated_row_by_row(keep_dims: bool) -> None:
    source, shape = TensorDef.activation((1, 5, 5, 40), 0.05, 3), reduced((1, 5, 5, 40), [1, 2], keep_dims)
    model = mean(source, [1, 2], TensorDef.activation(shape, 0.02, -11), keep_dims)
    check(Case(model, samples(np.random.default_rng(0), source.shape)))
    graph = read_bytes(model, "m.tflite")
    rows = graph.ops[0].rows(graph)
    assert (rows.steps, rows.writes_row, rows.accumulates) == (5, False, True)


def test_sums_that_need_32_bits() -> None:
    source = TensorDef.activation((1, 96, 96, 16), 0.05, 127)
    check(
        Case(
            mean(source, [1, 2, 3], TensorDef.activation((1,), 0.05, 127), False),
            [[np.full(source.shape, -128, np.int8)]],
        )
    )


def test_reports_axes() -> None:
    source = TensorDef.activation((1, 5, 5, 4))
    with pytest.raises(TinygenError, match=r"TG204.*axis must be within -4 to 3, found \[1, 4\]"):
        read_bytes(mean(source, [1, 4], TensorDef.activation((1, 4)), False), "m.tflite")
    with pytest.raises(TinygenError, match=r"TG203.*output must have shape \[1x5x4\]"):
        read_bytes(mean(source, [1], TensorDef.activation((1, 4)), False), "m.tflite")


def test_reports_scales_too_far_apart() -> None:
    source, output = TensorDef.activation((1, 5, 5, 4), 1.0), TensorDef.activation((1, 4), 1e-9)
    with pytest.raises(TinygenError, match=r"TG205.*input scale divided by output scale takes sums beyond 32 bits"):
        read_bytes(mean(source, [1, 2], output, False), "m.tflite")
