"""GATHER: indices along every dimension, as scalars, lists and tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples
from tests.ops.test_slice import ascending, tensor
from tinygen.errors import TinygenError
from tinygen.ir.rows import SAME_ROW, Rows
from tinygen.tflite import read_bytes

Shape = tuple[int, ...]


def gather(shape: Shape, axis: int, indices: np.ndarray, dtype: str = "int8", batch_dims: int = 0) -> bytes:
    at = axis % len(shape)
    result = (*shape[:at], *indices.shape, *shape[at + 1 :])
    options = Options("GatherOptions", {"Axis": axis, "BatchDims": batch_dims})
    inputs = [tensor(shape, dtype), TensorDef.constant(indices)]
    return single_op_model("GATHER", options, inputs, [tensor(result, dtype)])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    if draw(st.booleans()):
        shape = (1, *shape[1:])
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    size = draw(st.sampled_from(((), (1,), (3,), (7,), (2, 3))))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    indices = np.asarray(rng.integers(0, shape[axis], size), draw(st.sampled_from((np.int32, np.int64))))
    dtype = draw(st.sampled_from(("int8", "int8", "float32")))
    return Case(gather(shape, axis, indices, dtype), [[ascending(shape, dtype)]])


@examples(2)
@given(batch=st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(batch: list[Case]) -> None:
    check(*batch)


def test_channels_are_gathered_row_by_row() -> None:
    graph = read_bytes(gather((1, 6, 5, 4), -1, np.array([3, 0], np.int32)), "m.tflite")
    assert graph.ops[0].rows(graph) == Rows(steps=6, inputs=((0, SAME_ROW),))


def test_what_is_refused() -> None:
    two = np.array([0, 2], np.int32)
    for model, code, text in (
        (gather((3, 4), 0, np.array([0, 3], np.int32)), "TG204", "indices must be within 0 to 2, found 0 to 3"),
        (gather((3, 4), 0, two, batch_dims=1), "TG204", "batch_dims must be 0, found 1"),
        (
            single_op_model("GATHER", None, [tensor((3, 4)), TensorDef((2,), "int32")], [tensor((2, 4))]),
            "TG204",
            "indices must be constant",
        ),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(model, "m.tflite")
        assert caught.value.code == code
