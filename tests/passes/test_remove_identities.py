"""remove_identities."""

from __future__ import annotations

import numpy as np

from tests.passes.filecheck import filecheck
from tests.passes.graphs import Builder, transformed
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu
from tinygen.ops.reshape import Reshape
from tinygen.passes.remove_identities import remove_identities


def test_what_changes_nothing_goes() -> None:
    b = Builder()
    x, a, c, d, e, y = (b.tensor((2, 3), 0.5, -128) for _ in range(6))
    b.op(Relu, (x,), a)
    b.op(Reshape, (a, b.constant(np.array([2, 3], np.int32))), c)
    b.op(Quantize, (c,), d)
    b.op(Relu, (d,), e)
    b.op(Quantize, (e,), y)
    filecheck(
        transformed(remove_identities, b.graph((x,), (y,))),
        """
        CHECK-NOT: RESHAPE
        CHECK: %5: int8[2x3] q(0.5, -128) = QUANTIZE(%0)
        CHECK: output %5
        """,
    )


def test_what_changes_shape_scale_or_values_stays() -> None:
    b = Builder()
    x, a, c, y = b.tensor((2, 3)), b.tensor((3, 2)), b.tensor((3, 2), 0.25), b.tensor((3, 2), 0.25)
    b.op(Reshape, (x,), a)
    b.op(Quantize, (a,), c)
    b.op(Relu, (c,), y)
    filecheck(
        transformed(remove_identities, b.graph((x,), (y,))),
        """
        CHECK: %1: int8[3x2] q(0.5, 0) = RESHAPE(%0)
        CHECK: %2: int8[3x2] q(0.25, 0) = QUANTIZE(%1)
        CHECK: %3: int8[3x2] q(0.25, 0) = RELU(%2)
        """,
    )


def test_two_outputs_of_one_value_keep_their_names() -> None:
    b = Builder()
    x, a, y, z = (b.tensor((4,)) for _ in range(4))
    b.op(Relu, (x,), a)
    b.op(Quantize, (a,), y)
    b.op(Reshape, (a,), z)
    filecheck(
        transformed(remove_identities, b.graph((x,), (y, z))),
        """
        CHECK: %2: int8[4] q(0.5, 0) = RELU(%0)
        CHECK: %3: int8[4] q(0.5, 0) = RESHAPE(%2)
        CHECK: output %2
        CHECK: output %3
        """,
    )


def test_the_same_values_in_another_quantization_stay() -> None:
    b = Builder()
    x, a, y = b.tensor((4,), 0.5), b.tensor((4,), 0.25), b.tensor((4,), 0.25)
    b.op(Reshape, (x,), a)
    b.op(Relu, (a,), y)
    filecheck(transformed(remove_identities, b.graph((x,), (y,))), "CHECK: %1: int8[4] q(0.25, 0) = RESHAPE(%0)")
