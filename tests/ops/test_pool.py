"""AVERAGE_POOL_2D and MAX_POOL_2D against LiteRT: windows at borders, global windows, fused activations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activation_functions, activations, examples, generators, samples
from tinygen.errors import TinygenError
from tinygen.ir.rows import SAME_ROW
from tinygen.tflite import read_bytes

SAME, VALID = 0, 1
KINDS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")


def pool(
    kind: str,
    source: TensorDef,
    window: tuple[int, int],
    strides: tuple[int, int],
    padding: int,
    activation: int = 0,
    output: TensorDef | None = None,
) -> bytes:
    values = {
        "Padding": padding,
        "StrideH": strides[0],
        "StrideW": strides[1],
        "FilterHeight": window[0],
        "FilterWidth": window[1],
        "FusedActivationFunction": activation,
    }
    if output is None:
        _, height, width, channels = source.shape
        size = (
            -(-n // s) if padding == SAME else (n - k) // s + 1
            for n, k, s in zip((height, width), window, strides, strict=True)
        )
        output = TensorDef((1, *size, channels), "int8", source.scales, source.zero_points)
    return single_op_model(kind, Options("Pool2DOptions", values), [source], [output])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    window = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    strides = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    padding = draw(st.sampled_from((SAME, VALID)))
    least = window if padding == VALID else (1, 1)
    # One in three has a window as large as its input, which is accumulated row by row.
    size = window if draw(st.integers(0, 2)) == 0 else tuple(draw(st.integers(n, n + 8)) for n in least)
    source = draw(activations((1, *size, draw(st.integers(1, 9)))))
    kind = draw(st.sampled_from(KINDS))
    model = pool(kind, source, window, strides, padding, draw(activation_functions))
    return Case(model, samples(draw(generators), source.shape))


@examples(4)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_pools(batch: list[Case]) -> None:
    check(*batch)


def test_global_average_of_keyword_spotting() -> None:
    source = TensorDef.activation((1, 25, 5, 64), 0.02, -128)
    check(Case(pool(KINDS[0], source, (25, 5), (25, 5), VALID), samples(np.random.default_rng(0), source.shape)))


def test_global_average_is_accumulated_row_by_row() -> None:
    graph = read_bytes(pool(KINDS[0], TensorDef.activation((1, 7, 6, 3)), (5, 6), (5, 6), VALID), "m.tflite")
    rows = graph.ops[0].rows(graph)
    assert (rows.steps, rows.inputs, rows.writes_row, rows.accumulates) == (5, ((0, SAME_ROW),), False, True)


@pytest.mark.parametrize("kind", KINDS)
def test_reports_what_it_does_not_support(kind: str) -> None:
    source, output = TensorDef.activation((1, 4, 4, 3), 0.5), TensorDef.activation((1, 4, 4, 3), 0.25)
    with pytest.raises(TinygenError) as caught:
        read_bytes(pool(kind, source, (2, 2), (0, 1), VALID, activation=4, output=output), "m.tflite")
    text = str(caught.value)
    assert "error[TG204]: fused activation must be one of NONE, RELU, RELU6, RELU_N1_TO_1, found TANH" in text
    assert "error[TG204]: strides must be at least 1, found 0x1" in text
    with pytest.raises(TinygenError) as caught:
        read_bytes(pool(kind, source, (5, 2), (1, 1), VALID, output=output), "m.tflite")
    text = str(caught.value)
    assert "error[TG205]: input and output must have the same scale and zero point, found 0.5, 0 and 0.25, 0" in text
    assert "error[TG203]: the window of 5x2 is larger than the padded input, found int8 [1x4x4x3]" in text
