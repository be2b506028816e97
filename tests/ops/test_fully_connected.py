"""FULLY_CONNECTED against LiteRT: single rounding, any number of vectors, weights per tensor and per channel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activation_functions, activations, examples, generators, int8, samples, scales
from tinygen.errors import TinygenError
from tinygen.ir.interpret import interpret
from tinygen.ir.op import Numerics
from tinygen.tflite import read_bytes


def dense(
    source: TensorDef,
    weights: TensorDef,
    bias: TensorDef | None,
    output: TensorDef,
    activation: int = 0,
    keep_dims: bool = False,
) -> bytes:
    options = Options("FullyConnectedOptions", {"FusedActivationFunction": activation, "KeepNumDims": keep_dims})
    return single_op_model("FULLY_CONNECTED", options, [source, weights, bias], [output])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rng = draw(generators)
    depth, channels = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    leading = draw(st.sampled_from(((), (1,), (1,), (1,), (3,), (1, 4), (1, 2, 3))))
    keep_dims = draw(st.booleans())
    vectors = int(np.prod(leading))
    result = (*leading, channels) if keep_dims else (vectors, channels)
    source, output = draw(activations((*leading, depth), 1e-3, 0.1)), draw(activations(result, 1e-3, 8.0))
    weight_scales = draw(st.lists(scales(), min_size=channels, max_size=channels) | scales().map(lambda s: [s]))
    weights = TensorDef.constant(int8(rng, (channels, depth)), weight_scales)
    bias = None
    if draw(st.booleans()):
        values = rng.integers(-(1 << 14), 1 << 14, channels, dtype=np.int32)
        bias = TensorDef.constant(values, [source.scales[0] * s for s in weight_scales])
    return Case(dense(source, weights, bias, output, draw(activation_functions), keep_dims), samples(rng, source.shape))


@examples(4)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_fully_connected(batch: list[Case]) -> None:
    check(*batch, numerics=tuple(Numerics))


def model(depth: int, channels: int, output_scale: float = 1.0) -> bytes:
    rng = np.random.default_rng(depth)
    weights = TensorDef.constant(int8(rng, (channels, depth)), [0.003])
    bias = TensorDef.constant(rng.integers(-999, 999, channels, dtype=np.int32), [0.01 * 0.003])
    source, output = TensorDef.activation((1, depth), 0.01, 7), TensorDef.activation((1, channels), output_scale, -9)
    return dense(source, weights, bias, output)


def test_layers_of_anomaly_detection() -> None:
    rng = np.random.default_rng(0)
    sizes = ((640, 128), (128, 8), (8, 128), (128, 640))
    check(*(Case(model(n, m, 0.2), samples(rng, (1, n))) for n, m in sizes), numerics=tuple(Numerics))


def test_roundings_differ() -> None:
    """The two numerics are told apart by some sample, or the flag would do nothing."""
    graph = read_bytes(model(20, 40, 0.01), "m.tflite")
    rng = np.random.default_rng(5)
    inputs = [int8(rng, (1, 20)) for _ in range(200)]
    assert any(not np.array_equal(interpret(graph, [x])[0], interpret(graph, [x], Numerics.TFLM)[0]) for x in inputs)


def test_reports_shapes() -> None:
    weights = TensorDef.constant(np.ones((4, 5), np.int8), [0.5])
    source, output = TensorDef.activation((1, 2, 3)), TensorDef.activation((1, 5))
    with pytest.raises(TinygenError, match=r"TG203.*input must be vectors of 5 values, found int8 \[1x2x3\]"):
        read_bytes(dense(source, weights, None, output), "m.tflite")
    with pytest.raises(TinygenError, match=r"TG203.*output must have shape \[2x4\], found int8 \[1x5\]"):
        read_bytes(dense(TensorDef.activation((1, 2, 5)), weights, None, output), "m.tflite")


def test_reports_computed_weights() -> None:
    weights = TensorDef.activation((4, 5), 0.5)
    with pytest.raises(TinygenError, match=r"TG204.*weights must be constant"):
        read_bytes(dense(TensorDef.activation((1, 5)), weights, None, TensorDef.activation((1, 4))), "m.tflite")


def test_reports_accumulators_beyond_32_bits() -> None:
    with pytest.raises(
        TinygenError, match=r"TG205.*accumulators must stay within 32 bits when requantized, found \d+ times"
    ):
        read_bytes(model(20, 3, 1e-12), "m.tflite")
