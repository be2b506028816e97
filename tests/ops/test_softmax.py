"""SOFTMAX against LiteRT: any scale and beta, any rank, and the corners of its fixed-point arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples, generators, int8, samples, zero_points
from tinygen.errors import TinygenError
from tinygen.tflite import read_bytes


def softmax(source: TensorDef, beta: float = 1.0, output: TensorDef | None = None) -> bytes:
    output = output or TensorDef.activation(source.shape, 1 / 256, -128)
    return single_op_model("SOFTMAX", Options("SoftmaxOptions", {"Beta": beta}), [source], [output])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rank = draw(st.integers(1, 4))
    shape = (*(draw(st.integers(1, 5)) for _ in range(rank - 1)), draw(st.integers(1, 20)))
    scale = float(np.float32(2.0 ** draw(st.floats(-14, 2))))
    beta = draw(st.sampled_from((1.0, 1.0, 0.5, 3.0, 0.1)))
    model = softmax(TensorDef.activation(shape, scale, draw(zero_points)), beta)
    return Case(model, samples(draw(generators), shape))


@examples(4)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_softmax(batch: list[Case]) -> None:
    check(*batch)


def test_every_difference() -> None:
    """Two elements with every difference, for the scales of the MLPerf Tiny networks and others."""
    pairs = np.stack([np.full(256, 127), np.arange(127, -129, -1)], axis=1).astype(np.int8)
    scales = (0.13, 0.0469, 0.1783, 1 / 256, 0.9, 5e-4)
    check(*(Case(softmax(TensorDef.activation((256, 2), s, 3)), [[pairs]]) for s in scales))


@st.composite
def wide_cases(draw: st.DrawFn) -> Case:
    shape = (draw(st.integers(1, 5)), draw(st.integers(1, 20)))
    scale = float(np.float32(2.0 ** draw(st.floats(-14, 2))))
    model = softmax(TensorDef.activation(shape, scale, draw(zero_points)), 1.0, wide(shape))
    return Case(model, samples(draw(generators), shape))


def wide(shape: tuple[int, ...]) -> TensorDef:
    """An int16 output as converters write it: not quite 1/65536."""
    return TensorDef(shape, "int16", (float(np.float32(1 / 65535)),), (-32768,))


@examples(2)
@given(st.lists(wide_cases(), min_size=BATCH, max_size=BATCH))
def test_to_int16(batch: list[Case]) -> None:
    pairs = np.stack([np.full(256, 127), np.arange(127, -129, -1)], axis=1).astype(np.int8)
    check(*batch, Case(softmax(TensorDef.activation((256, 2), 0.05, 3), 1.0, wide((256, 2))), [[pairs]]))


def test_long_vectors() -> None:
    """Sums up to just below 512, LiteRT's limit, among them powers of two."""
    rng = np.random.default_rng(0)
    lengths = (2, 16, 256, 511)
    check(
        *(
            Case(softmax(TensorDef.activation((1, n), 0.01)), [[np.full((1, n), 5, np.int8)], [int8(rng, (1, n))]])
            for n in lengths
        )
    )


def test_reports_output_quantization() -> None:
    source, output = TensorDef.activation((1, 10)), TensorDef.activation((1, 10), 1 / 128, 0)
    with pytest.raises(TinygenError, match=r"TG205.*output must have scale 1/256 and zero point -128, found 0.0078125"):
        read_bytes(softmax(source, 1.0, output), "m.tflite")
    with pytest.raises(TinygenError, match=r"TG205.*scale 1/65536 and zero point -32768, found 1.6e-05"):
        read_bytes(softmax(source, 1.0, TensorDef((1, 10), "int16", (1.6e-5,), (-32768,))), "m.tflite")
    with pytest.raises(TinygenError, match=r"TG204.*beta must be positive and finite, found -1.0"):
        read_bytes(softmax(source, -1.0), "m.tflite")
