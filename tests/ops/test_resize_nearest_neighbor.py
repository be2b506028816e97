"""RESIZE_NEAREST_NEIGHBOR: up and down by any ratio, with both options that move pixels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples
from tests.ops.test_slice import ascending, numbers, tensor
from tinygen.errors import TinygenError
from tinygen.tflite import read_bytes

Shape = tuple[int, ...]


def resize(shape: Shape, size: Shape, corners: bool = False, centers: bool = False, dtype: str = "int8") -> bytes:
    options = Options("ResizeNearestNeighborOptions", {"AlignCorners": corners, "HalfPixelCenters": centers})
    result = (1, *size, shape[3])
    inputs = [tensor(shape, dtype), numbers(*size)]
    return single_op_model("RESIZE_NEAREST_NEIGHBOR", options, inputs, [tensor(result, dtype)])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sides = st.integers(1, 13)
    shape = (1, draw(sides), draw(sides), draw(st.integers(1, 4)))
    size = tuple(draw(st.sampled_from((2 * n, 3 * n)) | sides) for n in shape[1:3])
    corners, centers = draw(st.sampled_from(((False, False), (False, False), (True, False), (False, True))))
    dtype = draw(st.sampled_from(("int8", "int8", "float32")))
    return Case(resize(shape, size, corners, centers, dtype), [[ascending(shape, dtype)]])


@examples(4)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases)


def test_what_is_refused() -> None:
    source = tensor((1, 4, 4, 2))
    for inputs, shape, code, text in (
        ([source, TensorDef((2,), "int32")], (1, 8, 8, 2), "TG204", "size must be constant"),
        ([source, numbers(8)], (1, 8, 8, 2), "TG203", "size must have 2 values"),
        ([source, numbers(8, 0)], (1, 8, 8, 2), "TG204", "size must be at least 1, found 8x0"),
        ([source, numbers(8, 6)], (1, 8, 8, 2), "TG203", r"output must have shape \[1x8x6x2\]"),
        ([tensor((2, 4, 4, 2)), numbers(8, 8)], (2, 8, 8, 2), "TG203", "batch size 1"),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(single_op_model("RESIZE_NEAREST_NEIGHBOR", None, inputs, [tensor(shape)]), "m.tflite")
        assert caught.value.code == code
