"""BATCH_MATMUL: any leading dimensions, either side transposed or constant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activations, examples, generators, int8, samples, scales, zero_points
from tinygen.errors import TinygenError
from tinygen.ir.rows import SAME_ROW, WHOLE, Rows, Window
from tinygen.tflite import read_bytes

Shape = tuple[int, ...]
LEADING: tuple[tuple[Shape, Shape], ...] = (
    ((), ()),
    ((1,), (1,)),
    ((1,), ()),
    ((3,), (3,)),
    ((3,), ()),
    ((1, 3), (1, 3)),
    ((1, 3), (1, 1)),
    ((1, 1), (1, 3)),
    ((1, 3), (3,)),
    ((2, 3), (2, 3)),
    ((1, 2, 2), (1, 2, 2)),
)
"""Of both inputs."""


def product(left: TensorDef, right: TensorDef, result: TensorDef, adjoint: tuple[bool, bool] = (False, False)) -> bytes:
    options = Options("BatchMatMulOptions", {"AdjX": adjoint[0], "AdjY": adjoint[1]})
    return single_op_model("BATCH_MATMUL", options, [left, right], [result])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    m, n, k = (draw(st.integers(1, 9)) for _ in range(3))
    leading = draw(st.sampled_from(LEADING))
    adjoint = (draw(st.booleans()), draw(st.booleans()))
    left = draw(activations((*leading[0], k, m) if adjoint[0] else (*leading[0], m, k)))
    right = draw(activations((*leading[1], n, k) if adjoint[1] else (*leading[1], k, n)))
    rng = draw(generators)
    if draw(st.sampled_from((False, False, True))):
        right = replace(right, data=int8(rng, right.shape))
    scale = 100 * left.scales[0] * right.scales[0] * draw(scales(0.2, 4.0))
    result = TensorDef.activation((*np.broadcast_shapes(*leading), m, n), scale, draw(zero_points))
    inputs = [t.shape for t in (left, right) if t.data is None]
    return Case(product(left, right, result, adjoint), samples(rng, *inputs))


@examples(3)
@given(batch=st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(batch: list[Case]) -> None:
    check(*batch)


def test_steps_are_matrices_or_rows() -> None:
    for left, right, result, expected in (
        ((1, 4, 5, 6), (1, 4, 6, 7), (1, 4, 5, 7), Rows(steps=4, inputs=((0, SAME_ROW), (1, SAME_ROW)))),
        ((1, 4, 5, 6), (1, 1, 6, 7), (1, 4, 5, 7), Rows(steps=4, inputs=((0, SAME_ROW), (1, Window(stride=0))))),
        ((1, 5, 6), (1, 6, 7), (1, 5, 7), Rows(steps=5, inputs=((0, SAME_ROW), (1, WHOLE)))),
    ):
        graph = read_bytes(product(*(TensorDef.activation(s, 0.1) for s in (left, right, result))), "m.tflite")
        assert graph.ops[0].rows(graph) == expected


def test_what_is_refused() -> None:
    tensor = TensorDef.activation
    for tensors, code, text in (
        ((tensor((2, 3)), tensor((4, 2)), tensor((2, 2))), "TG203", "as many columns as rows"),
        ((tensor((2, 2, 3)), tensor((3, 3, 2)), tensor((2, 2, 2))), "TG203", "leading dimensions must be the same"),
        ((tensor((2, 3)), tensor((3, 2)), tensor((3, 2))), "TG203", r"output must have shape \[2x2\]"),
        ((tensor((2, 3)), tensor((3, 2)), tensor((2, 2), 1e-5)), "TG205", "found 3 products"),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(product(*tensors), "m.tflite")
        assert caught.value.code == code
