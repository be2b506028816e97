"""L2_NORMALIZATION: vectors of any length, of zeros and of extremes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activations, examples, generators, samples
from tinygen.errors import TinygenError
from tinygen.ops.inverse_root import inverse_root
from tinygen.tflite import read_bytes


def normalization(source: TensorDef, result: TensorDef | None = None, activation: int = 0) -> bytes:
    options = Options("L2NormOptions", {"FusedActivationFunction": activation})
    result = result or TensorDef.activation(source.shape, 1 / 128)
    return single_op_model("L2_NORMALIZATION", options, [source], [result])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    leading = draw(st.sampled_from(((), (1,), (5,), (1, 4), (1, 3, 2))))
    source = draw(activations((*leading, draw(st.integers(1, 9) | st.sampled_from((64, 300))))))
    made = samples(draw(generators), source.shape)
    zeros = np.full(source.shape, source.zero_points[0], np.int8)
    return Case(normalization(source), [*made, [zeros]])


@examples(2)
@given(batch=st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(batch: list[Case]) -> None:
    check(*batch)


def test_long_vectors_have_large_sums() -> None:
    shape = (1, 33000)
    source = TensorDef.activation(shape, 0.1, 127)
    check(Case(normalization(source), [[np.full(shape, -128, np.int8)], *samples(np.random.default_rng(0), shape)]))


def test_root_is_within_two_millionths() -> None:
    for value in (2, 3, 4, 100, 65025, (1 << 29) - 1, 1 << 29, (1 << 31) - 1):
        multiplier, shift = inverse_root(value)
        assert multiplier * 2.0 ** (shift - 31) == pytest.approx(value**-0.5, rel=2e-6)


def test_what_is_refused() -> None:
    source = TensorDef.activation((1, 4, 4, 3), 0.1)
    for model, code, text in (
        (normalization(source, TensorDef.activation((1, 4, 4, 3), 0.1)), "TG205", "must have scale 1/128"),
        (normalization(source, activation=1), "TG204", "fused activation must be NONE, found RELU"),
        (normalization(TensorDef.activation((1, 40000))), "TG203", "1 to 33025 channels"),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(model, "m.tflite")
        assert caught.value.code == code
