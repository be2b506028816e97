"""MUL: LiteRT BUILTIN_REF, numpy reference and compiled C on any broadcast, quantization and fused activation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.binary import BINARY_SHAPES, binary_cases, binary_model
from tests.ops.builder import TensorDef
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples, samples
from tinygen.errors import TinygenError
from tinygen.ir.interpret import interpret
from tinygen.ir.op import Numerics
from tinygen.tflite import read_bytes

ACTIVATION = TensorDef.activation
GRID = (1, 256, 256)
"""Every pair of int8 values."""


@examples(3)
@given(st.lists(binary_cases("MUL"), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases)


@pytest.mark.parametrize("constant", [None, 1])
def test_every_broadcast(constant: int | None) -> None:
    cases = []
    for a, b in BINARY_SHAPES:
        tensors = [ACTIVATION(a, 0.03, 5), ACTIVATION(b, 0.05, -7), ACTIVATION(np.broadcast_shapes(a, b), 0.07, 3)]
        model, inputs = binary_model("MUL", *tensors, constant=constant)
        cases.append(Case(model, samples(np.random.default_rng(2), *(t.shape for t in inputs))))
    check(*cases)


@pytest.mark.parametrize("scales", [(0.1, 0.1, 0.01), (0.5, 0.25, 0.125), (90.0, 90.0, 1.0), (1e-12, 1e-12, 1.0)])
def test_every_pair_of_values(scales: tuple[float, float, float]) -> None:
    """The third has a factor near the largest, the last one that is zero."""
    a, b, out = scales
    model, _ = binary_model("MUL", ACTIVATION(GRID, a, -128), ACTIVATION(GRID, b, 127), ACTIVATION(GRID, out, 0))
    values = np.arange(-128, 128, dtype=np.int8)
    sample = [np.ascontiguousarray(np.broadcast_to(v, GRID)) for v in (values[:, None], values)]
    check(Case(model, [sample]), numerics=tuple(Numerics))


def test_factor_is_computed_in_float32_and_for_tflm_in_double() -> None:
    """These scales were searched for: some products are so near a tie that the two factors round them apart."""
    model, _ = binary_model("MUL", ACTIVATION(GRID, 0.51), ACTIVATION(GRID, 0.69), ACTIVATION(GRID, 20.92))
    values = np.arange(-128, 128, dtype=np.int8)
    sample = [np.ascontiguousarray(np.broadcast_to(v, GRID)) for v in (values[:, None], values)]
    check(Case(model, [sample]), numerics=tuple(Numerics))
    graph = read_bytes(model, "m.tflite")
    ours, tflm = (interpret(graph, sample, numerics)[0] for numerics in Numerics)
    assert np.any(ours != tflm)


@pytest.mark.parametrize(
    ("out_scale", "code", "text"),
    [(1e-4, "TG205", "at most 8192, found a factor of 10000"), (1e-38, "TG205", "at most 8192")],
)
def test_factors_that_leave_int32_are_refused(out_scale: float, code: str, text: str) -> None:
    tensor = ACTIVATION((1, 4), 1.0)
    model, _ = binary_model("MUL", tensor, tensor, ACTIVATION((1, 4), out_scale))
    with pytest.raises(TinygenError, match=text) as caught:
        read_bytes(model, "m.tflite")
    assert caught.value.code == code
