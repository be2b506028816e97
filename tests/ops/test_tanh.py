"""TANH: all 256 inputs at any scale and zero point."""

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
from tinygen.ir.op import Numerics
from tinygen.tflite import read_bytes

SHAPE = (1, 4, 8, 8)
EVERY_VALUE = np.arange(-128, 128, dtype=np.int8).reshape(SHAPE)
RESULT = TensorDef.activation(SHAPE, 1 / 128, 0)


def tanh(scale: float, zero_point: int) -> bytes:
    return single_op_model("TANH", None, [TensorDef.activation(SHAPE, scale, zero_point)], [RESULT])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    source = draw(activations(SHAPE))
    return Case(single_op_model("TANH", None, [source], [RESULT]), [[EVERY_VALUE]])


@examples(2)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases, numerics=tuple(Numerics))


def test_reference_on_a_thousand_scales() -> None:
    """Ties between two outputs are a matter of tanh's last bit: the table is LiteRT's on every scale tried."""
    rng = np.random.default_rng(1)
    for scale in 10.0 ** rng.uniform(-6, 3, 1000):
        model = tanh(float(np.float32(scale)), int(rng.integers(-128, 128)))
        ((expected,),) = litert_outputs(model, [[EVERY_VALUE]])
        (found,) = interpret(read_bytes(model, "m.tflite"), [EVERY_VALUE])
        assert np.array_equal(found, expected), scale


def test_tflm_is_within_one_of_litert_while_inputs_fit_its_fixed_point() -> None:
    """TFLM's arithmetic has 4 integer bits; gemmlowp's own code gives these very sums."""
    sums = []
    for scale, zero_point in ((0.01, 0), (0.05, 3), (0.117, -128), (0.0003, 127)):
        graph = read_bytes(tanh(scale, zero_point), "m.tflite")
        ours, tflm = (interpret(graph, [EVERY_VALUE], numerics)[0].astype(int) for numerics in Numerics)
        assert np.abs(ours - tflm).max() <= 1
        sums.append(int((tflm * np.arange(256).reshape(SHAPE)).sum()))
    assert sums == [1371678, 1925735, 4141857, -105385]


@pytest.mark.parametrize("quant", [(1 / 256, 0), (1 / 128, -128)])
def test_other_output_quantizations_are_refused(quant: tuple[float, int]) -> None:
    model = single_op_model("TANH", None, [TensorDef.activation(SHAPE)], [TensorDef.activation(SHAPE, *quant)])
    with pytest.raises(TinygenError, match="scale 1/128 and zero point 0") as caught:
        read_bytes(model, "m.tflite")
    assert caught.value.code == "TG205"
