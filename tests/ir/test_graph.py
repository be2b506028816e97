"""What Graph.verify finds in a structure that is broken or cannot be generated."""

from __future__ import annotations

import numpy as np
import pytest

from tests.passes.graphs import WEIGHTS, Builder
from tinygen.errors import TinygenError
from tinygen.ops.reshape import Reshape


def test_an_output_that_is_a_constant_under_another_shape() -> None:
    b = Builder()
    x = b.tensor((1, 4))
    constant = b.constant(np.zeros((1, 2), np.int8), WEIGHTS)
    with pytest.raises(TinygenError, match=r"output 't2' is a constant"):
        b.graph((x,), (x, b.op(Reshape, (constant,), b.tensor((2, 1)))))
