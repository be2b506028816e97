"""SLICE: boxes cut out of tensors of one to five dimensions, row by row where the output's rows are parts of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples
from tinygen.errors import TinygenError
from tinygen.ir.rows import WHOLE, Rows, Window
from tinygen.tflite import read_bytes

QUANT = {"int8": ((0.05,), (3,)), "uint8": ((0.05,), (128,)), "int16": ((0.05,), (0,)), "float32": ((), ())}


def tensor(shape: tuple[int, ...], dtype: str = "int8") -> TensorDef:
    return TensorDef(shape, dtype, *QUANT[dtype])


def numbers(*values: int) -> TensorDef:
    return TensorDef.constant(np.array(values, np.int32))


def ascending(shape: tuple[int, ...], dtype: str = "int8") -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int32).reshape(shape).astype(dtype)


def cut(shape: tuple[int, ...], begin: tuple[int, ...], size: tuple[int, ...], dtype: str = "int8") -> bytes:
    found = tuple(n - b if s == -1 else s for n, b, s in zip(shape, begin, size, strict=True))
    return single_op_model(
        "SLICE", None, [tensor(shape, dtype), numbers(*begin), numbers(*size)], [tensor(found, dtype)]
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    if draw(st.booleans()):
        shape = (1, *shape[1:])
    begin = tuple(draw(st.integers(0, n - 1)) for n in shape)
    size = tuple(draw(st.sampled_from((-1, n - b)) | st.integers(1, n - b)) for n, b in zip(shape, begin, strict=True))
    dtype = draw(st.sampled_from(("int8", "int8", "int8", "uint8", "int16", "float32")))
    return Case(cut(shape, begin, size, dtype), [[ascending(shape, dtype)]])


@examples(3)
@given(batch=st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_any_box(batch: list[Case]) -> None:
    check(*batch)


def test_five_dimensions() -> None:
    check(Case(cut((1, 2, 3, 4, 2), (0, 1, 1, 0, 1), (1, 1, 2, -1, 1)), [[ascending((1, 2, 3, 4, 2))]]))


def test_rows_are_pipelined_where_they_are_parts_of_rows() -> None:
    for shape, begin, size, rows in (
        ((1, 6, 5, 4), (0, 2, 1, 0), (1, 3, 2, 4), Rows(3, ((0, Window(pad=-2)),))),
        ((1, 6, 5), (0, 5, 1), (1, 1, 2), Rows(1, ((0, Window(pad=-5)),))),
        ((2, 6, 5), (0, 2, 1), (2, 3, 2), Rows(1, ((0, WHOLE),), writes_row=False)),
        ((6, 5), (2, 1), (3, 2), Rows(1, ((0, WHOLE),), writes_row=False)),
    ):
        graph = read_bytes(cut(shape, begin, size), "m.tflite")
        assert graph.ops[0].rows(graph) == rows


def test_what_is_refused() -> None:
    source, box = tensor((4, 3)), (numbers(1, 0), numbers(2, 3))
    for inputs, output, code, text in (
        ([source, TensorDef((2,), "int32"), box[1]], (2, 3), "TG204", "begin must be constant"),
        ([source, numbers(1), box[1]], (2, 3), "TG203", r"begin must have 2 values, found int32 \[1\]"),
        ([source, box[0], numbers(4, 3)], (4, 3), "TG204", "begin 1 and size 4 along dimension 0"),
        ([source, box[0], numbers(0, 3)], (1, 3), "TG204", "begin 1 and size 0"),
        ([source, numbers(-1, 0), box[1]], (2, 3), "TG204", "begin -1"),
        ([source, *box], (3, 3), "TG203", r"output must have shape \[2x3\]"),
        ([TensorDef((4, 3), "bool"), *box], (2, 3), "TG202", "int8 or uint8 or int16 or float32, found bool"),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(single_op_model("SLICE", None, inputs, [tensor(output)]), "m.tflite")
        assert caught.value.code == code
