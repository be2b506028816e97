"""The interpreter: operators in order, absent inputs as None, and inputs that are not those of the graph."""

from __future__ import annotations

import numpy as np
import pytest

from tests.passes.graphs import Builder
from tinygen.errors import TinygenError
from tinygen.ir.graph import Graph
from tinygen.ir.interpret import interpret, trace
from tinygen.ops.activation import Activation
from tinygen.ops.add import Add
from tinygen.ops.relu import Relu


def graph() -> Graph:
    """y = relu(a) + b."""
    b = Builder()
    x, other, clamped, y = (b.tensor((1, 3), 1.0) for _ in range(4))
    b.op(Relu, (x,), clamped)
    b.op(Add, (clamped, other), y, activation=Activation.NONE)
    return b.graph((x, other), (y, clamped))


def test_outputs_in_their_order() -> None:
    inputs = [np.array([[-5, 0, 5]], np.int8), np.array([[1, 2, 3]], np.int8)]
    y, clamped = interpret(graph(), inputs)
    assert clamped.tolist() == [[0, 0, 5]]
    assert y.tolist() == [[1, 2, 8]]
    assert sorted(trace(graph(), inputs)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        ([np.zeros((1, 3), np.int8)], "1 inputs were given, the model takes 2"),
        ([np.zeros((1, 3), np.int8), np.zeros((3,), np.int8)], r"must be int8 \[1x3\], found int8 \[3\]"),
        ([np.zeros((1, 3), np.int8), np.zeros((1, 3), np.int16)], r"must be int8 \[1x3\], found int16"),
    ],
)
def test_other_inputs_are_refused(inputs: list[np.ndarray], found: str) -> None:
    with pytest.raises(TinygenError, match=found) as caught:
        interpret(graph(), inputs)
    assert caught.value.code == "TG505"
