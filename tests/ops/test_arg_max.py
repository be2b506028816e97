"""ARG_MAX and ARG_MIN: along every dimension, with ties, as int32 and int64."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples, generators, samples
from tests.ops.test_slice import numbers
from tests.ops.test_unpack import without
from tinygen.errors import TinygenError
from tinygen.ir.rows import SAME_ROW, Rows
from tinygen.tflite import read_bytes

KINDS = ("ARG_MAX", "ARG_MIN")


def arg(kind: str, shape: tuple[int, ...], axis: int, dtype: str = "int32") -> bytes:
    table = "ArgMaxOptions" if kind == "ARG_MAX" else "ArgMinOptions"
    options = Options(table, {"OutputType": {"int32": 2, "int64": 4}[dtype]})
    output = TensorDef(without(shape, axis), dtype)
    return single_op_model(kind, options, [TensorDef.activation(shape, 0.1, 5), numbers(axis)], [output])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4)))
    if draw(st.booleans()):
        shape = (1, *shape[1:])
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    model = arg(draw(st.sampled_from(KINDS)), shape, axis, draw(st.sampled_from(("int32", "int64"))))
    return Case(model, samples(draw(generators), shape))


@examples(2)
@given(batch=st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(batch: list[Case]) -> None:
    check(*batch)


def test_classes_of_pixels_are_found_row_by_row() -> None:
    graph = read_bytes(arg("ARG_MAX", (1, 6, 5, 4), -1), "m.tflite")
    assert graph.ops[0].rows(graph) == Rows(steps=6, inputs=((0, SAME_ROW),))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_refused(kind: str) -> None:
    source = TensorDef.activation((3, 4))
    for axis, output, code, text in (
        (numbers(2), TensorDef((3,), "int32"), "TG204", "axis must be within -2 to 1, found 2"),
        (numbers(0, 1), TensorDef((3,), "int32"), "TG203", "axis must be one value"),
        (numbers(1), TensorDef((3,), "float32"), "TG202", "output must be int32 or int64"),
        (numbers(1), TensorDef((4,), "int32"), "TG203", r"output must have shape \[3\]"),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(single_op_model(kind, None, [source, axis], [output]), "m.tflite")
        assert caught.value.code == code
