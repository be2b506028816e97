"""TRANSPOSE: every permutation of up to four dimensions, and more where they move together."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from tests.ops.builder import TensorDef, single_op_model
from tests.ops.harness import Case, check
from tinygen.errors import TinygenError
from tinygen.tflite import read_bytes

QUANT = ((0.05,), (3,))


def transpose(shape: tuple[int, ...], order: tuple[int, ...], dtype: str = "int8") -> bytes:
    quant = QUANT if dtype == "int8" else ()
    permutation = TensorDef.constant(np.array(order, np.int32))
    output = TensorDef(tuple(shape[axis] for axis in order), dtype, *quant)
    return single_op_model("TRANSPOSE", None, [TensorDef(shape, dtype, *quant), permutation], [output])


def case(shape: tuple[int, ...], order: tuple[int, ...], dtype: str = "int8") -> Case:
    data = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    return Case(transpose(shape, order, dtype), [[data.astype(dtype)]])


@pytest.mark.parametrize("dtype", ["int8", "float32"])
@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (2, 3, 2, 4)])
def test_every_permutation_of_four(shape: tuple[int, ...], dtype: str) -> None:
    check(*(case(shape, order, dtype) for order in permutations(range(4))))


def test_other_ranks() -> None:
    orders = [order for rank in (1, 2, 3) for order in permutations(range(rank))]
    cases = [case((3, 5, 4)[: len(order)], order) for order in orders]
    shuffle = case((1, 4, 4, 2, 3), (0, 1, 2, 4, 3))
    check(*cases, shuffle, case((1, 1, 1, 1), (3, 2, 1, 0)), case((1, 1, 1, 1), (3, 2, 1, 0), "float32"))


def test_what_is_refused() -> None:
    tensor = TensorDef((2, 3), "int8", *QUANT)
    turned = TensorDef((3, 2), "int8", *QUANT)
    order = TensorDef.constant(np.array([1, 0], np.int32))
    for inputs, output, code, text in (
        ([tensor, TensorDef((2,), "int32")], turned, "TG204", "permutation must be constant"),
        ([tensor, TensorDef.constant(np.array([1, 1], np.int32))], turned, "TG204", r"once, found \[1, 1\]"),
        ([tensor, TensorDef.constant(np.array([0], np.int32))], turned, "TG204", r"2 dimensions once, found \[0\]"),
        ([tensor, TensorDef.constant(np.array([1, 0], np.int64))], turned, "TG202", "must be int32, found int64"),
        ([tensor, order], tensor, "TG203", r"output must have shape \[3x2\]"),
        ([tensor, order], TensorDef((3, 2), "float32"), "TG202", "output must be int8"),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(single_op_model("TRANSPOSE", None, inputs, [output]), "m.tflite")
        assert caught.value.code == code
    with pytest.raises(TinygenError, match="up to 4 independent dimensions are supported, found 5"):
        read_bytes(transpose((2, 3, 2, 3, 2), (4, 3, 2, 1, 0)), "m.tflite")
