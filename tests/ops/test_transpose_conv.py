"""TRANSPOSE_CONV: LiteRT BUILTIN_REF, numpy reference and compiled C for any stride, window, padding and channels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activations, examples, generators, int8, samples, scales, zero_points
from tests.ops.test_slice import numbers
from tinygen.errors import TinygenError
from tinygen.ir.rows import Window
from tinygen.tflite import read_bytes

Shape = tuple[int, ...]
SAME, VALID = 0, 1


def options(padding: int, strides: Shape, activation: int = 0) -> Options:
    values = {"Padding": padding, "StrideH": strides[0], "StrideW": strides[1], "FusedActivationFunction": activation}
    return Options("TransposeConvOptions", values)


def layer(
    source: TensorDef,
    window: Shape,
    channels: int,
    size: Shape,
    result: tuple[float, int],
    chosen: Options,
    *,
    rng: np.random.Generator,
    bias: bool = True,
    per_channel: bool = True,
) -> bytes:
    weights = int8(rng, (channels, *window, source.shape[3]))
    found = rng.uniform(0.002, 0.02, channels if per_channel else 1).astype(np.float32).tolist()
    inputs = [numbers(1, *size, channels), TensorDef.constant(weights, found), source]
    if bias:
        inputs.append(TensorDef.constant(rng.integers(-5000, 5000, channels).astype(np.int32)))
    output = TensorDef.activation((1, *size, channels), *result)
    return single_op_model("TRANSPOSE_CONV", chosen, inputs, [output])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    small = st.integers(1, 4)
    window, strides, padding = (draw(small), draw(small)), (draw(small), draw(small)), draw(st.sampled_from((0, 1)))
    shape = (1, draw(st.integers(1, 6)), draw(st.integers(1, 9)), draw(st.integers(1, 7)))
    # Any size that leads back to the input's: up to stride - 1 rows more than fewest.
    fewest = [(n - 1) * s + (1 if padding == SAME else k) for n, s, k in zip(shape[1:3], strides, window, strict=True)]
    size = tuple(n + draw(st.integers(0, s - 1)) for n, s in zip(fewest, strides, strict=True))
    source = draw(activations(shape))
    rng = draw(generators)
    result = (source.scales[0] * draw(scales(0.1, 2.0)), draw(zero_points))
    chosen = options(padding, strides, draw(st.sampled_from((0, 0, 1, 3))))
    kinds = {"bias": draw(st.booleans()), "per_channel": draw(st.booleans())}
    return Case(layer(source, window, draw(small), size, result, chosen, rng=rng, **kinds), samples(rng, shape))


@examples(3)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases)


def test_rows_are_pipelined() -> None:
    source, rng = TensorDef.activation((1, 8, 8, 4), 0.1), np.random.default_rng(0)
    for window, padding, size, expected in (
        ((2, 2), SAME, (16, 16), Window(size=1, repeat=2)),
        ((3, 3), SAME, (16, 16), Window(size=2, pad=1, repeat=2)),
        ((4, 4), SAME, (16, 16), Window(size=3, pad=1, repeat=2)),
        ((3, 3), VALID, (17, 17), Window(size=2, pad=1, repeat=2)),
    ):
        model = layer(source, window, 4, size, (0.1, 0), options(padding, (2, 2)), rng=rng)
        graph = read_bytes(model, "m.tflite")
        assert graph.ops[0].rows(graph).inputs == ((2, expected),), window


def test_what_is_refused() -> None:
    source, rng = TensorDef.activation((1, 8, 8, 4), 0.1), np.random.default_rng(0)
    for size, chosen, code, text in (
        (
            (18, 16),
            options(SAME, (2, 2)),
            "TG203",
            "height of the output must lead back.*found 18 for 8",
        ),
        ((16, 16), options(SAME, (0, 2)), "TG204", "strides must be at least 1, found 0x2"),
        ((16, 16), options(SAME, (2, 2), 4), "TG204", "fused activation must be one of"),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(layer(source, (3, 3), 4, size, (0.1, 0), chosen, rng=rng), "m.tflite")
        assert caught.value.code == code
