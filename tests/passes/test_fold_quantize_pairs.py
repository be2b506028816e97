"""fold_quantize_pairs."""

from __future__ import annotations

import pytest

from tests.passes.filecheck import filecheck
from tests.passes.graphs import Builder, transformed
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import DType
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu
from tinygen.passes.fold_quantize_pairs import fold_quantize_pairs


def pair(scale: float, zero_point: int, again: float, zero_point_again: int, keep_float: bool = False) -> Graph:
    b = Builder()
    x, before = b.tensor((1, 4), 0.25), b.tensor((1, 4), scale, zero_point)
    real = b.tensor((1, 4), dtype=DType.FLOAT32)
    after, y = b.tensor((1, 4), again, zero_point_again), b.tensor((1, 4), 1.0)
    b.op(Relu, (x,), before)
    b.op(Dequantize, (before,), real)
    b.op(Quantize, (real,), after)
    b.op(Relu, (after,), y)
    return b.graph((x,), (y, real) if keep_float else (y,))


def test_a_pair_with_the_same_parameters() -> None:
    filecheck(
        transformed(fold_quantize_pairs, pair(0.1, 7, 0.1, 7)),
        """
        CHECK: %1: int8[1x4] q(0.1, 7) = RELU(%0)
        CHECK-NOT: = QUANTIZE
        CHECK: %4: int8[1x4] q(1, 0) = RELU(%1)
        """,
    )


def test_the_float_between_is_still_an_output() -> None:
    filecheck(
        transformed(fold_quantize_pairs, pair(0.1, 7, 0.1, 7, keep_float=True)),
        """
        CHECK: %2: float32[1x4] = DEQUANTIZE(%1)
        CHECK-NOT: = QUANTIZE
        CHECK: RELU(%1)
        """,
    )


@pytest.mark.parametrize(("scale", "zero_point"), [(0.1, 6), (0.05, 7), (0.1000001, 7)])
def test_other_parameters_are_left(scale: float, zero_point: int) -> None:
    """With 0.1000001 every value comes back, but stands for another real number."""
    filecheck(
        transformed(fold_quantize_pairs, pair(0.1, 7, scale, zero_point)),
        f"""
        CHECK: DEQUANTIZE(%1)
        CHECK: %3: int8[1x4] q({scale}, {zero_point}) = QUANTIZE(%2)
        """,
    )


def test_a_pair_at_the_end_gives_its_name_to_what_is_before() -> None:
    b = Builder()
    x, before, real, y = b.tensor((4,)), b.tensor((4,), 0.1), b.tensor((4,), dtype=DType.FLOAT32), b.tensor((4,), 0.1)
    b.op(Relu, (x,), before)
    b.op(Dequantize, (before,), real)
    b.op(Quantize, (real,), y)
    filecheck(
        transformed(fold_quantize_pairs, b.graph((x,), (y,))),
        """
        CHECK: %3: int8[4] q(0.1, 0) = RELU(%0)
        CHECK-NOT: = QUANTIZE
        CHECK: output %3
        """,
    )


def test_an_input_cannot_be_an_output() -> None:
    b = Builder()
    x, real, y = b.tensor((4,), 0.1), b.tensor((4,), dtype=DType.FLOAT32), b.tensor((4,), 0.1)
    b.op(Dequantize, (x,), real)
    b.op(Quantize, (real,), y)
    filecheck(transformed(fold_quantize_pairs, b.graph((x,), (y,))), "CHECK: %2: int8[4] q(0.1, 0) = QUANTIZE(%1)")
