"""REDUCE_MAX and REDUCE_MIN against LiteRT: any dimensions of any rank, kept or dropped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activations, examples, generators, samples
from tests.ops.test_mean import reduced
from tinygen.errors import TinygenError
from tinygen.ir.op import Numerics
from tinygen.tflite import read_bytes

KINDS = ("REDUCE_MAX", "REDUCE_MIN")


def reduction(kind: str, source: TensorDef, axes: list[int], keep_dims: bool, result: TensorDef | None = None) -> bytes:
    result = result or TensorDef(reduced(source.shape, axes, keep_dims), "int8", source.scales, source.zero_points)
    axis = TensorDef.constant(np.array(axes, np.int32))
    return single_op_model(kind, Options("ReducerOptions", {"KeepDims": keep_dims}), [source, axis], [result])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rank = draw(st.integers(1, 4))
    first = 1 if rank > 2 and draw(st.booleans()) else draw(st.integers(1, 4))
    shape = (first, *(draw(st.integers(1, 7)) for _ in range(rank - 1)))
    axes = draw(st.lists(st.integers(-rank, rank - 1), min_size=1, max_size=rank))
    if rank == 4 and draw(st.booleans()):
        axes = [1, 2]
    model = reduction(draw(st.sampled_from(KINDS)), draw(activations(shape)), axes, draw(st.booleans()))
    return Case(model, samples(draw(generators), shape))


@examples(2)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(batch: list[Case]) -> None:
    check(*batch)


def test_global_maximum_is_accumulated_row_by_row_in_bytes() -> None:
    graph = read_bytes(reduction("REDUCE_MAX", TensorDef.activation((1, 5, 5, 40)), [1, 2], False), "m.tflite")
    rows = graph.ops[0].rows(graph)
    (kernel,) = graph.ops[0].kernels(graph, Numerics.LITERT)
    assert (rows.steps, rows.writes_row, rows.accumulates) == (5, False, True)
    assert kernel.call().accumulator_bytes == 40


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_refused(kind: str) -> None:
    source = TensorDef.activation((1, 5, 5, 4), 0.5)
    with pytest.raises(TinygenError, match=r"TG205.*must have the same scale and zero point"):
        read_bytes(reduction(kind, source, [1, 2], False, TensorDef.activation((1, 4), 0.25)), "m.tflite")
    with pytest.raises(TinygenError, match=r"TG204.*axis must be within -4 to 3, found \[4\]"):
        read_bytes(reduction(kind, source, [4], False, TensorDef.activation((1, 4), 0.5)), "m.tflite")
