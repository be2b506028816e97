"""LEAKY_RELU: all 256 inputs, any slope and any two quantizations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activations, examples
from tinygen.errors import TinygenError
from tinygen.tflite import read_bytes

SHAPE = (1, 4, 8, 8)
EVERY_VALUE = np.arange(-128, 128, dtype=np.int8).reshape(SHAPE)


def model(alpha: float, source: TensorDef, result: TensorDef) -> bytes:
    return single_op_model("LEAKY_RELU", Options("LeakyReluOptions", {"Alpha": alpha}), [source], [result])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    alpha = draw(st.sampled_from((0.0, 0.01, 0.1, 0.2, 1.0, 1.5)) | st.floats(0, 4, width=32))
    return Case(model(alpha, draw(activations(SHAPE)), draw(activations(SHAPE))), [[EVERY_VALUE]])


@examples(3)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases)


@pytest.mark.parametrize("alpha", [-0.5, float("nan"), float("inf")])
def test_slopes_that_are_none(alpha: float) -> None:
    tensor = TensorDef.activation(SHAPE, 0.05, -10)
    with pytest.raises(TinygenError) as caught:
        read_bytes(model(alpha, tensor, tensor), "m.tflite")
    assert caught.value.code == "TG204"
    assert "alpha" in str(caught.value)


def test_scales_too_far_apart() -> None:
    with pytest.raises(TinygenError) as caught:
        read_bytes(model(0.1, TensorDef.activation(SHAPE, 9000.0, 0), TensorDef.activation(SHAPE, 0.5, 0)), "m.tflite")
    assert caught.value.code == "TG205"
