"""RESIZE_BILINEAR: up and down by any ratio, with both options that move pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples, generators, samples
from tests.ops.test_slice import numbers
from tinygen.errors import TinygenError
from tinygen.ir.rows import Window
from tinygen.tflite import read_bytes

Shape = tuple[int, ...]
OPTIONS = ((False, False), (True, False), (False, True))


def resize(shape: Shape, size: Shape, corners: bool = False, centers: bool = False) -> bytes:
    options = Options("ResizeBilinearOptions", {"AlignCorners": corners, "HalfPixelCenters": centers})
    tensors = [TensorDef.activation(s, 0.25, -3) for s in (shape, (1, *size, shape[3]))]
    return single_op_model("RESIZE_BILINEAR", options, [tensors[0], numbers(*size)], tensors[1:])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sides = st.integers(1, 13)
    shape = (1, draw(sides), draw(sides), draw(st.integers(1, 4)))
    size = tuple(draw(st.sampled_from((2 * n, 3 * n, 4 * n)) | sides) for n in shape[1:3])
    return Case(resize(shape, size, *draw(st.sampled_from(OPTIONS))), samples(draw(generators), shape))


@examples(2)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases)


def test_far_smaller_rows_come_through_one_pointer() -> None:
    shape = (1, 96, 5, 2)
    made = [Case(resize(shape, (3, 4), *chosen), samples(np.random.default_rng(3), shape)) for chosen in OPTIONS]
    check(*made)
    graph = read_bytes(made[1].model, "m.tflite")
    assert graph.ops[0].rows(graph).inputs == ((0, None),)


def test_twice_the_rows_need_three_of_the_input() -> None:
    """A row of the output lies between two rows, the next one between the second of them and the one after."""
    graph = read_bytes(resize((1, 8, 8, 4), (16, 16), centers=True), "m.tflite")
    assert graph.ops[0].rows(graph).inputs == ((0, Window(size=3, stride=1, pad=1, repeat=2)),)
    graph = read_bytes(resize((1, 8, 8, 4), (16, 16)), "m.tflite")
    assert graph.ops[0].rows(graph).inputs == ((0, Window(size=2, stride=1, pad=0, repeat=2)),)


def test_what_is_refused() -> None:
    for model, code, text in (
        (resize((1, 4, 4, 2), (8, 8), True, True), "TG204", "exclude each other"),
        (resize((1, 3, 4, 2), (2000, 4)), "TG204", "found 3 stretched to 2000"),
        (resize((2, 4, 4, 2), (8, 8)), "TG203", "batch size 1"),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(model, "m.tflite")
        assert caught.value.code == code
