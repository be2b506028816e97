"""ADD: LiteRT BUILTIN_REF, numpy reference and compiled C on any broadcast, quantization and fused activation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.binary import BINARY_SHAPES, binary_cases, binary_model
from tests.ops.builder import Options, TensorDef
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples, samples
from tinygen.errors import TinygenError
from tinygen.ir.rows import SAME_ROW, WHOLE, Window
from tinygen.ops.broadcast import broadcast
from tinygen.tflite import read_bytes

ACTIVATION = TensorDef.activation


@examples(3)
@given(st.lists(binary_cases("ADD"), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases)


@pytest.mark.parametrize("constant", [None, 0, 1])
def test_every_broadcast(constant: int | None) -> None:
    cases = []
    for a, b in BINARY_SHAPES:
        tensors = [ACTIVATION(a, 0.03, 5), ACTIVATION(b, 0.05, -7), ACTIVATION(np.broadcast_shapes(a, b), 0.07, 3)]
        model, inputs = binary_model("ADD", *tensors, constant=constant)
        cases.append(Case(model, samples(np.random.default_rng(2), *(t.shape for t in inputs))))
    check(*cases)


def test_scales_at_the_edges() -> None:
    """Equal scales make both operands exact halves; a far smaller one loses its operand; sums that never leave zero."""
    scales = [(0.1, 0.1, 0.1), (1.0, 1e-9, 1.0), (1e-30, 1e-3, 1e-3), (1e-6, 1e-6, 1.0), (1.0, 0.5, 2.1e-6)]
    shape = (1, 4, 8, 16)
    cases = []
    for a, b, out in scales:
        model, inputs = binary_model(
            "ADD", ACTIVATION(shape, a, -128), ACTIVATION(shape, b, 127), ACTIVATION(shape, out, 1)
        )
        cases.append(Case(model, samples(np.random.default_rng(2), *(t.shape for t in inputs))))
    check(*cases)


def test_rows_are_pipelined_where_the_shape_allows() -> None:
    full, column, table = (1, 6, 5, 4), (1, 1, 1, 4), (1, 5, 4)
    for other, window in ((full, SAME_ROW), (column, Window(stride=0)), ((4,), Window(stride=0)), (table, WHOLE)):
        model, _ = binary_model("ADD", ACTIVATION(other), ACTIVATION(full), ACTIVATION(full))
        graph = read_bytes(model, "m.tflite")
        rows = graph.ops[0].rows(graph)
        first = (0, SAME_ROW) if other == full else (1, SAME_ROW)
        assert rows.steps == 6
        assert broadcast(graph.ops[0], graph).in_place == ((0, 1) if other == full else (1,))
        assert rows.inputs == (first, (1 - first[0], window))


@pytest.mark.parametrize(
    ("tensors", "code", "text"),
    [
        ((((1, 4), 1.0), ((1, 3), 1.0), ((1, 4), 1.0)), "TG203", r"int8 \[1x4\] and int8 \[1x3\]"),
        ((((1, 4), 1.0), ((1, 1), 1.0), ((1, 1), 1.0)), "TG203", r"output must have shape \[1x4\]"),
        ((((1, 1, 1, 1, 2), 1.0),) * 3, "TG203", "at most 4 dimensions"),
        ((((2, 3, 3, 1), 1.0),) * 3, "TG203", "batch size 1"),
        ((((1, 4), 1.0), ((1, 4), 1.0), ((1, 4), 1e-6)), "TG205", "found 1e\\+06"),
    ],
)
def test_what_is_refused(tensors: tuple[tuple[tuple[int, ...], float], ...], code: str, text: str) -> None:
    model, _ = binary_model("ADD", *(ACTIVATION(shape, scale) for shape, scale in tensors))
    with pytest.raises(TinygenError, match=text) as caught:
        read_bytes(model, "m.tflite")
    assert caught.value.code == code


def test_activation_that_is_no_clamp_is_refused() -> None:
    tensor = ACTIVATION((1, 4))
    model, _ = binary_model(
        "ADD", tensor, tensor, tensor, options=Options("AddOptions", {"FusedActivationFunction": 4})
    )
    with pytest.raises(TinygenError, match=r"TG204.*found TANH"):
        read_bytes(model, "m.tflite")
