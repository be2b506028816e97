"""RELU, RELU6 and RELU_N1_TO_1 as operators of their own: all 256 inputs, any two quantizations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activations, examples
from tinygen.errors import TinygenError
from tinygen.ir.interpret import interpret
from tinygen.ir.op import Numerics
from tinygen.tflite import read_bytes

KINDS = ("RELU", "RELU6", "RELU_N1_TO_1")
SHAPE = (1, 4, 8, 8)
EVERY_VALUE = np.arange(-128, 128, dtype=np.int8).reshape(SHAPE)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    source, result = draw(activations(SHAPE)), draw(activations(SHAPE))
    return Case(single_op_model(draw(st.sampled_from(KINDS)), None, [source], [result]), [[EVERY_VALUE]])


@examples(3)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases)


@pytest.mark.parametrize("kind", KINDS)
def test_same_quantization_and_extremes(kind: str) -> None:
    """Same quantization is a clamp; 0.217 / 0.062 is 3.5 in float32 only; ranges beyond int8 saturate."""
    quants = [((0.05, -10), (0.05, -10)), ((0.217, 0), (0.062, 0)), ((800.0, 127), (0.1, -128)), ((1e-9, 3), (90.0, 3))]
    tensors = [[TensorDef.activation(SHAPE, *quant) for quant in pair] for pair in quants]
    check(*(Case(single_op_model(kind, None, [a], [b]), [[EVERY_VALUE]]) for a, b in tensors))


def test_tflm_relu6_ignores_the_output_quantization() -> None:
    a, b = TensorDef.activation(SHAPE, 0.05, -10), TensorDef.activation(SHAPE, 0.025, 3)
    case = Case(single_op_model("RELU6", None, [a], [b]), [[EVERY_VALUE]])
    check(case, numerics=[Numerics.TFLM])
    graph = read_bytes(case.model, "m.tflite")
    (found,) = interpret(graph, [EVERY_VALUE], Numerics.TFLM)
    assert np.array_equal(found, np.clip(EVERY_VALUE, -10, 110))


def test_rows_of_one_shape_in_place() -> None:
    tensor = TensorDef.activation(SHAPE)
    graph = read_bytes(single_op_model("RELU", None, [tensor], [tensor]), "m.tflite")
    (kernel,) = graph.ops[0].kernels(graph, Numerics.LITERT)
    assert (graph.ops[0].rows(graph).steps, kernel.in_place) == (4, (0,))


@pytest.mark.parametrize(
    ("source", "result", "code", "text"),
    [
        (TensorDef(SHAPE, "float32"), TensorDef(SHAPE, "float32"), "TG202", "must be int8, found float32"),
        (TensorDef(SHAPE), TensorDef.activation(SHAPE), "TG205", "no quantization parameters"),
        (TensorDef.activation(SHAPE), TensorDef.activation((1, 256)), "TG203", r"shape \[1x4x8x8\]"),
        (TensorDef.activation(SHAPE, 9000.0), TensorDef.activation(SHAPE), "TG205", "found a factor of 9000"),
    ],
)
def test_what_is_refused(source: TensorDef, result: TensorDef, code: str, text: str) -> None:
    with pytest.raises(TinygenError, match=text) as caught:
        read_bytes(single_op_model("RELU", None, [source], [result]), "m.tflite")
    assert caught.value.code == code
