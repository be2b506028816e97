"""Graphs whose schedules or C were once wrong, or are easily made so."""

from __future__ import annotations

import numpy as np

from tests.passes.graphs import WEIGHTS, Builder
from tests.schedule.cases import by_objective, cut_at, whole
from tests.schedule.programs import check
from tinygen.ir.graph import Graph
from tinygen.ops.activation import Activation
from tinygen.ops.add import Add
from tinygen.ops.conv_2d import Conv2D
from tinygen.ops.max_pool_2d import MaxPool2D
from tinygen.ops.pad import Pad
from tinygen.ops.relu import Relu
from tinygen.ops.reshape import Reshape
from tinygen.ops.transpose import Transpose

POOL = {"size": (2, 1), "strides": (2, 1), "padding": (0, 0, 0, 0), "activation": Activation.NONE}


def output_with_a_row_nobody_reads() -> Graph:
    """Pooling two rows at a time leaves the fifth, which is part of an output."""
    b = Builder()
    x = b.tensor((1, 5, 2, 1))
    a = b.op(Relu, (x,), b.tensor((1, 5, 2, 1)))
    pooled = b.op(MaxPool2D, (a,), b.tensor((1, 2, 2, 1)), **POOL)
    return b.graph((x,), (a, pooled))


def row_for_a_later_segment() -> Graph:
    """The fifth row is read by a layer after the segment."""
    b = Builder()
    x = b.tensor((1, 5, 2, 1))
    a = b.op(Relu, (x,), b.tensor((1, 5, 2, 1)))
    pooled = b.op(MaxPool2D, (a,), b.tensor((1, 2, 2, 1)), **POOL)
    later = b.op(Relu, (a,), b.tensor((1, 5, 2, 1)))
    return b.graph((x,), (pooled, later))


def window_in_the_padding() -> Graph:
    """No step of the convolution reads a row, so nobody asks for its input."""
    b = Builder()
    x = b.tensor((1, 2, 2, 1))
    a = b.op(Relu, (x,), b.tensor((1, 2, 2, 1)))
    return b.graph((x,), (b.conv(a, b.tensor((1, 1, 2, 1)), 1, strides=(4, 1), padding=(1, 1, 0, 0)),))


def rows_that_do_not_divide() -> Graph:
    """Rows of 6 bytes read as rows of 4."""
    b = Builder()
    x = b.tensor((1, 4, 6, 1))
    a = b.op(Relu, (x,), b.tensor((1, 4, 6, 1)))
    view = b.op(Reshape, (a,), b.tensor((1, 6, 4, 1)))
    return b.graph((x,), (b.op(Relu, (view,), b.tensor((1, 6, 4, 1))),))


def rows_read_in_twos() -> Graph:
    """Each row that is read is two that were written; the next window ends at y + 3 of them."""
    b = Builder()
    x = b.tensor((1, 8, 3, 1))
    a = b.op(Relu, (x,), b.tensor((1, 8, 3, 1)))
    view = b.op(Reshape, (a,), b.tensor((1, 4, 3, 2)))
    return b.graph((x,), (b.conv(view, b.tensor((1, 2, 1, 2)), 3),))


def padded_rows_of_a_whole_tensor() -> Graph:
    """The first step of the pad needs nothing, the second everything."""
    b = Builder()
    x = b.tensor((1, 3, 4, 1))
    order, paddings = (b.constant(np.array(v, np.int32)) for v in ((0, 2, 1, 3), ((0, 0), (1, 1), (0, 0), (0, 0))))
    turned = b.op(Transpose, (x, order), b.tensor((1, 4, 3, 1)))
    return b.graph((x,), (b.op(Pad, (turned, paddings), b.tensor((1, 6, 3, 1))),))


def two_geometries_at_once() -> Graph:
    """One layer reads the same bytes as rows and as a single row."""
    b = Builder()
    x = b.tensor((1, 4, 1, 1))
    a = b.op(Relu, (x,), b.tensor((1, 4, 1, 1)))
    view = b.op(Reshape, (a,), b.tensor((1, 1, 1, 4)))
    total = b.op(Add, (view, a), b.tensor((1, 4, 1, 4)), activation=Activation.NONE)
    return b.graph((x,), (total,))


def copy_after_the_last_step() -> Graph:
    """The last step asks for a row that it does not read, which is then copied to where the ring has been free."""
    b = Builder()
    x = b.tensor((1, 5, 8, 1))
    a = b.op(Relu, (x,), b.tensor((1, 5, 8, 1)))
    weights = b.constant(np.ones((1, 2, 1, 1), np.int8), WEIGHTS)
    options = {"strides": (3, 1), "dilations": (3, 1), "padding": (0, 2, 0, 0), "activation": Activation.NONE}
    return b.graph((x,), (b.op(Conv2D, (a, weights), b.tensor((1, 2, 8, 1)), **options),))


FOUND = (
    copy_after_the_last_step,
    output_with_a_row_nobody_reads,
    row_for_a_later_segment,
    window_in_the_padding,
    rows_that_do_not_divide,
    rows_read_in_twos,
    padded_rows_of_a_whole_tensor,
    two_geometries_at_once,
)


def nothing_to_compute() -> Graph:
    b = Builder()
    x = b.tensor((1, 4, 2, 1))
    return b.graph((x,), (b.op(Reshape, (x,), b.tensor((1, 8))),))


def test_found() -> None:
    cases = [whole(graph()) for graph in FOUND]
    cases += [cut_at(row_for_a_later_segment(), (2, 3)), *by_objective(nothing_to_compute())]
    for case in cases:
        case.replay()
    check(cases)


def test_hundreds_of_layers_in_a_segment() -> None:
    """Each waits for the one before it."""
    b = Builder()
    x = last = b.tensor((1, 2, 1, 1))
    for _ in range(1200):
        last = b.op(Relu, (last,), b.tensor((1, 2, 1, 1)))
    whole(b.graph((x,), (last,))).replay()
