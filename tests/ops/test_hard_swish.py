"""HARD_SWISH: all 256 inputs at any scale and zero point."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.oracle import litert_outputs
from tests.ops.strategies import BATCH, activations, examples
from tinygen.errors import TinygenError
from tinygen.ir.interpret import interpret
from tinygen.tflite import read_bytes

SHAPE = (1, 4, 8, 8)
EVERY_VALUE = np.arange(-128, 128, dtype=np.int8).reshape(SHAPE)


def hard_swish(source: TensorDef, result: TensorDef) -> bytes:
    return single_op_model("HARD_SWISH", None, [source], [result])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    return Case(hard_swish(draw(activations(SHAPE)), draw(activations(SHAPE, 0.005))), [[EVERY_VALUE]])


@examples(1)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases)


def test_reference_on_a_thousand_scales() -> None:
    rng = np.random.default_rng(1)
    for scale in 10.0 ** rng.uniform(-4, 0.5, 1000):
        tensors = [
            TensorDef.activation(SHAPE, float(np.float32(s)), int(rng.integers(-128, 128)))
            for s in (scale, scale * 10.0 ** rng.uniform(-1.5, 1.5))
        ]
        model = hard_swish(*tensors)
        ((expected,),) = litert_outputs(model, [[EVERY_VALUE]])
        (found,) = interpret(read_bytes(model, "m.tflite"), [EVERY_VALUE])
        assert np.array_equal(found, expected), tensors


def test_what_is_refused() -> None:
    model = hard_swish(TensorDef.activation(SHAPE, 200.0), TensorDef.activation(SHAPE, 1.0))
    with pytest.raises(TinygenError, match="must be below 128, found 200") as caught:
        read_bytes(model, "m.tflite")
    assert caught.value.code == "TG205"
