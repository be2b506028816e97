"""CONV_2D and DEPTHWISE_CONV_2D against LiteRT: shapes, strides, dilations, paddings, quantizations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activation_functions, activations, examples, generators, int8, samples, scales
from tinygen.errors import TinygenError
from tinygen.ops.conv_2d import Conv2D
from tinygen.tflite import read_bytes

SAME, VALID = 0, 1
CONV, DEPTHWISE = "CONV_2D", "DEPTHWISE_CONV_2D"
TABLES = {CONV: "Conv2DOptions", DEPTHWISE: "DepthwiseConv2DOptions"}


def options(
    kind: str,
    padding: int = SAME,
    strides: tuple[int, int] = (1, 1),
    dilations: tuple[int, int] = (1, 1),
    activation: int = 0,
    multiplier: int = 1,
) -> Options:
    values = {
        "Padding": padding,
        "StrideH": strides[0],
        "StrideW": strides[1],
        "DilationHFactor": dilations[0],
        "DilationWFactor": dilations[1],
        "FusedActivationFunction": activation,
    }
    return Options(TABLES[kind], values | ({"DepthMultiplier": multiplier} if kind == DEPTHWISE else {}))


def output_extent(size: int, window: int, stride: int, padding: int) -> int:
    return -(-size // stride) if padding == SAME else (size - window) // stride + 1


@st.composite
def cases(draw: st.DrawFn, kind: str, most_channels: int = 9, most_multiplier: int = 3, most_groups: int = 1) -> Case:
    rng = draw(generators)
    window, strides = draw(st.tuples(st.integers(1, 4), st.integers(1, 4))), (draw(st.integers(1, 3)),) * 2
    if draw(st.booleans()):
        strides = (strides[0], draw(st.integers(1, 3)))
    dilations = (draw(st.integers(1, 2)), draw(st.integers(1, 3))) if draw(st.booleans()) else (1, 1)
    padding = draw(st.sampled_from((SAME, VALID)))
    extent = tuple((k - 1) * d + 1 for k, d in zip(window, dilations, strict=True))
    least = extent if padding == VALID else (1, 1)
    size = tuple(draw(st.integers(n, n + 8)) for n in least)
    channels, multiplier = draw(st.integers(1, most_channels)), draw(st.integers(1, most_multiplier))
    groups = draw(st.integers(1, most_groups))
    filters = channels * multiplier if kind == DEPTHWISE else groups * draw(st.integers(1, 9))
    shape = (1, *window, filters) if kind == DEPTHWISE else (filters, *window, channels)
    weight_scales = draw(st.lists(scales(), min_size=filters, max_size=filters) | scales().map(lambda s: [s]))
    source = draw(activations((1, *size, channels * groups)))
    # The smallest output scales make factors above 1, the largest ones shift by more than a byte.
    result = (output_extent(n, e, s, padding) for n, e, s in zip(size, extent, strides, strict=True))
    output = draw(activations((1, *result, filters), 1e-2, 64.0))
    weights = TensorDef.constant(int8(rng, shape), weight_scales, 3 if kind == DEPTHWISE else 0)
    bias = TensorDef.constant(
        rng.integers(-(1 << 14), 1 << 14, filters, dtype=np.int32), [source.scales[0] * s for s in weight_scales]
    )
    table = options(kind, padding, strides, dilations, draw(activation_functions), multiplier)
    model = single_op_model(kind, table, [source, weights, bias], [output])
    return Case(model, samples(rng, source.shape))


@examples(4)
@given(st.lists(cases(CONV), min_size=BATCH, max_size=BATCH))
def test_conv_2d(batch: list[Case]) -> None:
    check(*batch)


@examples(4)
@given(st.lists(cases(DEPTHWISE), min_size=BATCH, max_size=BATCH))
def test_depthwise_conv_2d(batch: list[Case]) -> None:
    check(*batch)


@examples(2)
@given(st.lists(cases(CONV, most_groups=4), min_size=BATCH, max_size=BATCH))
def test_grouped_conv_2d(batch: list[Case]) -> None:
    check(*batch)


def layer(
    kind: str,
    size: tuple[int, int, int],
    window: tuple[int, int],
    filters: int,
    *,
    strides: tuple[int, int] = (1, 1),
    activation: int = 0,
    weight_scale: float = 0.02,
    output_scale: float = 0.3,
    bias: bool = True,
    absent_bias: bool = False,
) -> bytes:
    """A layer with SAME padding."""
    rng = np.random.default_rng(1)
    shape = (1, *window, filters) if kind == DEPTHWISE else (filters, *window, size[2])
    output = (1, -(-size[0] // strides[0]), -(-size[1] // strides[1]), filters)
    inputs: list[TensorDef | None] = [
        TensorDef.activation((1, *size), 0.05, -3),
        TensorDef.constant(int8(rng, shape), [weight_scale]),
    ]
    if bias:
        inputs.append(TensorDef.constant(np.zeros(filters, np.int32), [0.05 * weight_scale]))
    elif absent_bias:
        inputs.append(None)
    table = options(kind, SAME, strides, activation=activation, multiplier=filters // size[2] or 1)
    return single_op_model(kind, table, inputs, [TensorDef.activation(output, output_scale, 5)])


@pytest.mark.parametrize("kind", [CONV, DEPTHWISE])
def test_real_layer_shapes(kind: str) -> None:
    """The first layers of the MLPerf Tiny networks and a middle one."""
    rng = np.random.default_rng(2)
    shapes = [((49, 10, 1), (10, 4), 16, (2, 2)), ((24, 24, 8), (3, 3), 16, (1, 1)), ((13, 12, 16), (3, 3), 16, (2, 2))]
    models = [layer(kind, size, window, filters, strides=s, activation=1) for size, window, filters, s in shapes]
    check(*(Case(m, samples(rng, (1, *size))) for m, (size, *_) in zip(models, shapes, strict=True)))


@pytest.mark.parametrize("kind", [CONV, DEPTHWISE])
def test_factor_above_one(kind: str) -> None:
    """Left shifts by up to 6, with accumulators that stay below the clamp and far above it."""
    rng = np.random.default_rng(3)
    models = [layer(kind, (5, 5, 2), (1, 1), 2, weight_scale=0.4, output_scale=0.02 / f) for f in (1.0, 3.0, 40.0)]
    few = [[rng.integers(-4, -1, (1, 5, 5, 2), dtype=np.int8)] for _ in range(4)]
    check(*(Case(m, [*few, *samples(rng, (1, 5, 5, 2))]) for m in models))


@pytest.mark.parametrize("absent", [False, True], ids=["two inputs", "third input -1"])
@pytest.mark.parametrize("kind", [CONV, DEPTHWISE])
def test_without_bias(kind: str, absent: bool) -> None:
    """LiteRT wants a bias for int8; a layer without one must do as with zeros."""
    rng = np.random.default_rng(4)
    model = layer(kind, (5, 6, 3), (3, 3), 3, bias=False, absent_bias=absent)
    check(Case(model, samples(rng, (1, 5, 6, 3)), oracle=layer(kind, (5, 6, 3), (3, 3), 3)))


def test_same_padding_is_explicit_after_reading() -> None:
    (op,) = read_bytes(layer(CONV, (49, 10, 1), (10, 4), 8, strides=(2, 2)), "m.tflite").ops
    assert isinstance(op, Conv2D)
    assert op.padding == (4, 5, 1, 1)


def test_reports_everything_at_once() -> None:
    source = TensorDef((2, 4, 4, 3), "float32")
    weights = TensorDef((4, 3, 3, 3), "int8", [0.1, 0.2, 0.3, 0.4], [0, 0, 7, 0], 0, np.ones((4, 3, 3, 3), np.int8))
    bias = TensorDef.constant(np.zeros(4, np.int64))
    table = options(CONV, strides=(0, 1), activation=5)
    model = single_op_model(CONV, table, [source, weights, bias], [TensorDef((1, 4, 4, 4), "int8")])
    with pytest.raises(TinygenError) as caught:
        read_bytes(model, "m.tflite")
    text = str(caught.value)
    assert "error[TG202]: input must be int8, found float32 [2x4x4x3]" in text
    assert "hint: convert the model with full integer quantization" in text
    assert "error[TG205]: zero points of the weights must be 0, found 7" in text
    assert "error[TG205]: output must be quantized, found no quantization parameters" in text
    assert "error[TG204]: fused activation must be one of NONE, RELU, RELU6, RELU_N1_TO_1, found SIGN_BIT" in text
    assert "error[TG204]: strides must be at least 1, found 0x1" in text


def test_reports_shapes() -> None:
    source = TensorDef.activation((1, 4, 4, 3))
    weights = TensorDef.constant(np.ones((4, 3, 3, 2), np.int8), [0.1])
    bias = TensorDef.constant(np.zeros(3, np.int32))
    model = single_op_model(CONV, options(CONV), [source, weights, bias], [TensorDef.activation((1, 4, 5, 4))])
    with pytest.raises(TinygenError) as caught:
        read_bytes(model, "m.tflite")
    text = str(caught.value)
    assert "error[TG203]: bias must have 4 values, found int32 [3]" in text
    assert "weights must have the input's 3 channels, or those of one of as many groups" in text
    assert "error[TG203]: output must have shape [1x4x4x4], found int8 [1x4x5x4]" in text


@pytest.mark.parametrize("kind", [CONV, DEPTHWISE])
def test_reports_accumulators_beyond_32_bits(kind: str) -> None:
    with pytest.raises(
        TinygenError, match=r"TG205.*accumulators must stay within 32 bits when requantized, found \d+ times"
    ):
        read_bytes(layer(kind, (4, 4, 2), (3, 3), 2, weight_scale=1e8), "m.tflite")
