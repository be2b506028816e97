"""CONCATENATION along every dimension, of activations and constants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples, generators, int8
from tinygen.errors import TinygenError
from tinygen.ir.rows import SAME_ROW, WHOLE
from tinygen.tflite import read_bytes

QUANT = (0.05, 3)


def concatenation(inputs: list[TensorDef], output: TensorDef, axis: int, activation: int = 0) -> bytes:
    options = Options("ConcatenationOptions", {"Axis": axis, "FusedActivationFunction": activation})
    return single_op_model("CONCATENATION", options, inputs, [output])


def shapes(shape: tuple[int, ...], axis: int, extents: list[int]) -> list[tuple[int, ...]]:
    return [(*shape[:axis], extent, *shape[axis + 1 :]) for extent in extents]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any rank, dimension, number of inputs and constants; now and then all of it float32."""
    rank = draw(st.integers(1, 4))
    shape = tuple(draw(st.integers(1, 5)) for _ in range(rank))
    if rank > 2 and draw(st.booleans()):
        shape = (1, *shape[1:])
    axis, extents = draw(st.integers(0, rank - 1)), draw(st.lists(st.integers(1, 4), min_size=1, max_size=6))
    rng, real = draw(generators), draw(st.integers(0, 3)) == 0

    def tensor(of: tuple[int, ...]) -> TensorDef:
        return TensorDef(of, "float32") if real else TensorDef.activation(of, *QUANT)

    inputs = [tensor(of) for of in shapes(shape, axis, extents)]
    data = [rng.normal(size=t.shape).astype(np.float32) if real else int8(rng, t.shape) for t in inputs]
    constants = [i > 0 and draw(st.integers(0, 3)) == 0 for i in range(len(inputs))]
    inputs = [replace(t, data=d) if c else t for t, d, c in zip(inputs, data, constants, strict=True)]
    output = tensor((*shape[:axis], sum(extents), *shape[axis + 1 :]))
    written = axis - rank if draw(st.booleans()) else axis
    sample = [d for d, c in zip(data, constants, strict=True) if not c]
    return Case(concatenation(inputs, output, written), [sample])


@examples(4)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases)


@pytest.mark.parametrize(("axis", "steps", "window"), [(1, 1, WHOLE), (2, 5, SAME_ROW), (-1, 5, SAME_ROW)])
def test_row_by_row_along_width_and_channels(axis: int, steps: int, window: object) -> None:
    shape = (1, 5, 4, 3)
    inputs = [TensorDef.activation(shape, *QUANT)] * 2
    total = [2 * n if i == axis % 4 else n for i, n in enumerate(shape)]
    graph = read_bytes(concatenation(inputs, TensorDef.activation(tuple(total), *QUANT), axis), "m.tflite")
    rows = graph.ops[0].rows(graph)
    assert (rows.steps, rows.inputs) == (steps, ((0, window), (1, window)))


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"axis": 2}, "TG204", "axis must be -2 to 1, found 2"),
        ({"activation": 1}, "TG204", "must be NONE, found RELU"),
        ({"second": TensorDef.activation((1, 4), 0.06, 3)}, "TG205", "found 0.0599999987 and 3 for"),
        ({"second": TensorDef.activation((2, 4), *QUANT)}, "TG203", r"input 1 must have shape \[1x4\]"),
        ({"second": TensorDef.activation((4,), *QUANT)}, "TG203", "input 1 must have 2 dimensions"),
        ({"second": TensorDef((1, 4), "uint8", (0.05,), (3,))}, "TG202", "must be int8, found uint8"),
        ({"output": TensorDef.activation((1, 9), *QUANT)}, "TG203", r"output must have shape \[1x8\]"),
    ],
)
def test_what_is_refused(change: dict[str, object], code: str, text: str) -> None:
    tensor = TensorDef.activation((1, 4), *QUANT)
    found = {"second": tensor, "output": TensorDef.activation((1, 8), *QUANT), "axis": 1, "activation": 0} | change
    model = concatenation([tensor, found["second"]], found["output"], found["axis"], found["activation"])
    with pytest.raises(TinygenError, match=text) as caught:
        read_bytes(model, "m.tflite")
    assert caught.value.code == code
