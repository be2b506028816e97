"""PRELU: LiteRT BUILTIN_REF, numpy reference and compiled C for slopes of channels, elements and all at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activations, examples, generators, int8, samples, scales, zero_points
from tinygen.errors import TinygenError
from tinygen.ir.op import Numerics
from tinygen.tflite import read_bytes

SHAPES = (
    ((1, 5, 4, 3), (1, 1, 3)),
    ((1, 5, 4, 3), (5, 4, 3)),
    ((1, 5, 4, 3), (5, 1, 3)),
    ((1, 5, 4, 3), (1, 1, 1)),
    ((1, 7, 3), (1, 3)),
    ((1, 7, 3), (7, 3)),
    ((1, 10), (10,)),
    ((6, 5), (1,)),
)
"""Shapes of the activation and of alpha."""


def prelu(source: TensorDef, alpha: TensorDef, result: TensorDef, seed: int = 1) -> bytes:
    constant = replace(alpha, data=int8(np.random.default_rng(seed), alpha.shape))
    return single_op_model("PRELU", None, [source, constant], [result])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    shape, slopes = draw(st.sampled_from(SHAPES))
    source, alpha = draw(activations(shape)), draw(activations(slopes, 1e-3, 0.02))
    result = TensorDef.activation(shape, source.scales[0] * draw(scales(0.2, 4.0)), draw(zero_points))
    return Case(prelu(source, alpha, result, draw(st.integers(0, 99))), samples(draw(generators), shape))


@examples(2)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases, numerics=tuple(Numerics))


def test_every_value_times_every_slope() -> None:
    """Also near the largest factors, and with a factor of zero."""
    values = np.arange(-128, 128, dtype=np.int8)
    sample = [np.ascontiguousarray(np.broadcast_to(values[:, None], (1, 256, 256)))]
    made = []
    for source, alpha, result in ((0.51, 0.69, 0.7), (90.0, 90.0, 1.0), (1e-12, 1e-12, 1.0)):
        tensors = [TensorDef.activation((1, 256, 256), source, 3), TensorDef.activation((256,), alpha, -128)]
        slopes = replace(tensors[1], data=values)
        model = single_op_model("PRELU", None, [tensors[0], slopes], [TensorDef.activation((1, 256, 256), result, -9)])
        made.append(Case(model, [sample]))
    check(*made)


def test_what_is_refused() -> None:
    source, alpha = TensorDef.activation((1, 4, 4, 3), 1.0), TensorDef.activation((1, 1, 3), 1.0)
    for tensors, code, text in (
        ((source, TensorDef.activation((1, 1, 2)), source), "TG203", r"inputs must broadcast to one shape"),
        ((source, alpha, TensorDef.activation((1, 4, 4, 3), 1e-5)), "TG205", "at most 8192, found a factor of 100000"),
        ((alpha, source, source), "TG203", r"output must have shape \[1x1x3\]"),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(prelu(*tensors), "m.tflite")
        assert caught.value.code == code
    with pytest.raises(TinygenError, match="alpha must be constant"):
        read_bytes(single_op_model("PRELU", None, [source, alpha], [source]), "m.tflite")
