"""UNPACK and PACK: along every dimension, alone and one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import OpDef, Options, TensorDef, model, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples
from tests.ops.test_slice import ascending, tensor
from tinygen.errors import TinygenError
from tinygen.tflite import read_bytes

Shape = tuple[int, ...]


def without(shape: Shape, axis: int) -> Shape:
    return tuple(n for at, n in enumerate(shape) if at != axis % len(shape))


def unpack(shape: Shape, axis: int, dtype: str = "int8") -> bytes:
    options = Options("UnpackOptions", {"Num": shape[axis], "Axis": axis})
    outputs = [tensor(without(shape, axis), dtype)] * shape[axis]
    return single_op_model("UNPACK", options, [tensor(shape, dtype)], outputs)


def pack(shape: Shape, axis: int, dtype: str = "int8") -> bytes:
    """`shape` is the output's."""
    options = Options("PackOptions", {"ValuesCount": shape[axis], "Axis": axis})
    inputs = [tensor(without(shape, axis), dtype)] * shape[axis]
    return single_op_model("PACK", options, inputs, [tensor(shape, dtype)])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))
    if draw(st.booleans()):
        shape = (1, *shape[1:])
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    dtype = draw(st.sampled_from(("int8", "int8", "float32")))
    whole = ascending(shape, dtype)
    if draw(st.booleans()):
        return Case(unpack(shape, axis, dtype), [[whole]])
    parts = [np.ascontiguousarray(part) for part in np.moveaxis(whole, axis, 0)]
    return Case(pack(shape, axis, dtype), [parts])


@examples(2)
@given(batch=st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(batch: list[Case]) -> None:
    check(*batch)


def test_time_steps_that_are_taken_apart_and_joined_again() -> None:
    """As unrolled recurrent layers have it: each step in a layer of its own."""
    steps = 4
    parts = [tensor((1, 5)) for _ in range(2 * steps)]
    tensors = [tensor((1, steps, 5)), *parts, tensor((1, steps, 5))]
    ops = [
        OpDef("UNPACK", (0,), tuple(range(1, steps + 1)), Options("UnpackOptions", {"Num": steps, "Axis": 1})),
        *(OpDef("RELU", (1 + i,), (1 + steps + i,)) for i in range(steps)),
        OpDef(
            "PACK",
            tuple(range(1 + steps, 1 + 2 * steps)),
            (1 + 2 * steps,),
            Options("PackOptions", {"ValuesCount": steps, "Axis": 1}),
        ),
    ]
    check(Case(model(tensors, ops, (0,), (1 + 2 * steps,)), [[ascending((1, steps, 5)) - 10]]))


def test_what_is_refused() -> None:
    source = tensor((3, 4))
    for kind, axis, inputs, outputs, code, text in (
        ("UNPACK", 2, [source], [tensor((4,))] * 3, "TG204", "axis must be -2 to 1, found 2"),
        ("UNPACK", 0, [source], [tensor((4,))] * 2, "TG203", "as many outputs as indices along dimension 0"),
        ("UNPACK", 1, [source], [tensor((4,))] * 4, "TG203", r"output must have shape \[3\]"),
        ("PACK", 3, [tensor((4,))] * 3, [source], "TG204", "found 3"),
        ("PACK", 0, [tensor((4,))] * 2, [source], "TG203", "output must have 2 indices along dimension 0"),
        ("PACK", 0, [tensor((4,)), TensorDef.activation((4,), 1.0)], [tensor((2, 4))], "TG205", "output's scale"),
    ):
        count = "Num" if kind == "UNPACK" else "ValuesCount"
        options = Options(f"{kind.capitalize()}Options", {count: len(inputs), "Axis": axis})
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(single_op_model(kind, options, inputs, outputs), "m.tflite")
        assert caught.value.code == code
