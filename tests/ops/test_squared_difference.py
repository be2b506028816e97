"""SQUARED_DIFFERENCE: LiteRT BUILTIN_REF, numpy reference and compiled C on any broadcast and quantization."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.binary import BINARY_SHAPES, binary_model
from tests.ops.builder import Options, TensorDef
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activations, examples, generators, samples, scales, zero_points
from tinygen.errors import TinygenError
from tinygen.tflite import read_bytes

OPTIONS = Options("SquaredDifferenceOptions")


def squared(*tensors: TensorDef, constant: int | None = None) -> tuple[bytes, list[TensorDef]]:
    return binary_model("SQUARED_DIFFERENCE", *tensors, constant=constant, options=OPTIONS)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    shapes = draw(st.sampled_from(BINARY_SHAPES))
    a, b = (draw(activations(shape)) for shape in draw(st.sampled_from((shapes, shapes[::-1]))))
    # From squares that fill the output's range a few times to such as are all small.
    scale = 100 * max(a.scales[0], b.scales[0]) ** 2 * draw(scales(0.1, 10.0))
    result = TensorDef.activation(np.broadcast_shapes(*shapes), scale, draw(zero_points))
    model, inputs = squared(a, b, result, constant=draw(st.sampled_from((None, None, 0, 1))))
    return Case(model, samples(draw(generators), *(t.shape for t in inputs)))


@examples(2)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases)


def test_every_pair_of_values() -> None:
    grid, values = (1, 256, 256), np.arange(-128, 128, dtype=np.int8)
    sample = [np.ascontiguousarray(np.broadcast_to(v, grid)) for v in (values[:, None], values)]
    made = [
        squared(TensorDef.activation(grid, a, -128), TensorDef.activation(grid, b, 127), TensorDef.activation(grid, c))
        for a, b, c in ((0.1, 0.1, 1.0), (0.25, 0.1, 20.0), (1e-12, 1e-3, 1e-3))
    ]
    check(*(Case(model, [sample]) for model, _ in made))


def test_what_is_refused() -> None:
    tensor = TensorDef.activation((1, 4), 1.0)
    with pytest.raises(TinygenError, match="must be below 16384 output scales, found 40000") as caught:
        read_bytes(squared(tensor, tensor, TensorDef.activation((1, 4), 1e-4))[0], "m.tflite")
    assert caught.value.code == "TG205"
