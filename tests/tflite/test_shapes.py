"""Operators that compute shapes, as models converted with a dynamic batch have them, are left out."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ops.builder import OpDef, Options, TensorDef, model
from tests.ops.harness import Case, check
from tests.ops.strategies import samples
from tests.ops.test_slice import numbers
from tinygen.errors import TinygenError
from tinygen.tflite import read_bytes

SHAPE, RESULT = (1, 4, 6), (1, 24)


def reshaped(*, result: bool = False) -> bytes:
    """x reshaped to [batch, 24], the batch taken from x's shape; with `result` what was computed is an output too."""
    tensors = [
        TensorDef.activation(SHAPE),
        TensorDef((3,), "int32"),
        numbers(0),
        numbers(1),
        numbers(1),
        TensorDef((), "int32"),
        TensorDef.constant(np.array(24, np.int32)),
        TensorDef((2,), "int32"),
        TensorDef.activation(RESULT),
        TensorDef.activation(RESULT),
    ]
    ops = [
        OpDef("SHAPE", (0,), (1,), Options("ShapeOptions", {"OutType": 2})),
        OpDef("STRIDED_SLICE", (1, 2, 3, 4), (5,), Options("StridedSliceOptions", {"ShrinkAxisMask": 1})),
        OpDef("PACK", (5, 6), (7,), Options("PackOptions", {"ValuesCount": 2})),
        OpDef("RESHAPE", (0, 7), (8,)),
        OpDef("RELU", (8,), (9,)),
    ]
    return model(tensors, ops, (0,), (9, 7) if result else (9,))


def test_computed_shapes_are_what_the_tensors_say() -> None:
    check(Case(reshaped(), samples(np.random.default_rng(0), SHAPE)))
    assert [op.kind for op in read_bytes(reshaped(), "m.tflite").ops] == ["RESHAPE", "RELU"]


def test_a_shape_that_is_a_result_is_not_left_out() -> None:
    with pytest.raises(TinygenError, match="operator SHAPE is not supported"):
        read_bytes(reshaped(result=True), "m.tflite")
