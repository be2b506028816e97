"""Concatenations and slices that compute nothing: where parts may lie in the whole, and that C finds them there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.passes.graphs import Builder
from tests.schedule.cases import cut_at, program_of, whole
from tests.schedule.programs import check
from tinygen.errors import TinygenError
from tinygen.ir.graph import Graph
from tinygen.ops.activation import Activation
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.mean import Mean
from tinygen.ops.relu import Relu
from tinygen.ops.reshape import Reshape
from tinygen.ops.split import Part
from tinygen.ops.strided_slice import StridedSlice
from tinygen.ops.transpose import Transpose
from tinygen.plan.validate import validate
from tinygen.schedule.storages import Rules, Sharing

NONE = Activation.NONE
VIEWS = Sharing(in_place=True, views=True)


def concat(b: Builder, parts: tuple[int, ...], shape: tuple[int, ...], axis: int) -> int:
    return b.op(Concatenation, parts, b.tensor(shape), axis=axis, activation=NONE)


def part(b: Builder, source: int, axis: int, begin: int, end: int) -> int:
    shape = b.tensors[source].shape
    output = b.tensor((*shape[:axis], end - begin, *shape[axis + 1 :]))
    return b.op(Part, (source,), output, axis=axis, begin=begin, count=end - begin)


def below_each_other() -> Graph:
    """Two convolutions write the rows of one tensor, which a third reads across the border between them."""
    b = Builder()
    x, y = b.tensor((1, 8, 4, 2)), b.tensor((1, 6, 4, 2))
    top = b.conv(x, b.tensor((1, 8, 4, 2)), padding=(1, 1, 1, 1))
    bottom = b.conv(y, b.tensor((1, 6, 4, 2)), padding=(1, 1, 1, 1))
    joined = concat(b, (top, bottom), (1, 14, 4, 2), 1)
    return b.graph((x, y), (b.conv(joined, b.tensor((1, 14, 4, 2)), padding=(1, 1, 1, 1)),))


def beside_each_other() -> Graph:
    """Rows of 8 and 4 bytes in rows of 12; the wider part is also read by itself."""
    b = Builder()
    x = b.tensor((1, 6, 4, 2))
    left = b.conv(x, b.tensor((1, 6, 4, 2)), 1)
    right = b.conv(x, b.tensor((1, 6, 2, 2)), padding=(1, 1, 0, 0))
    joined = concat(b, (left, right), (1, 6, 6, 2), 2)
    return b.graph((x,), (b.conv(joined, b.tensor((1, 4, 4, 2))), b.conv(left, b.tensor((1, 4, 2, 2)))))


def nested() -> Graph:
    """A concatenation of a concatenation, whose members are time steps."""
    b = Builder()
    x = b.tensor((1, 5, 4))
    parts = [b.op(Relu, (x,), b.tensor((1, 5, 4))) for _ in range(3)]
    inner = concat(b, (parts[0], parts[1]), (1, 5, 8), 2)
    outer = concat(b, (parts[2], inner), (1, 5, 12), 2)
    return b.graph((x,), (b.op(Relu, (outer,), b.tensor((1, 5, 12))),))


def cut_up() -> Graph:
    """Every third row, the lower half, and a piece of each of its rows."""
    b = Builder()
    x = b.tensor((1, 12, 4, 2))
    a = b.op(Relu, (x,), b.tensor((1, 12, 4, 2)))
    bounds = [b.constant(np.array(v, np.int32)) for v in ((0, 1), (1, 12), (1, 3))]
    masks = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)
    third = b.op(StridedSlice, (a, *bounds), b.tensor((1, 4, 4, 2)), **masks, offset=False)
    lower = part(b, a, 1, 6, 12)
    piece = part(b, lower, 2, 1, 4)
    return b.graph(
        (x,),
        (
            b.conv(third, b.tensor((1, 4, 4, 2)), padding=(1, 1, 1, 1)),
            b.conv(lower, b.tensor((1, 6, 4, 2)), padding=(1, 1, 1, 1)),
            b.op(Relu, (piece,), b.tensor((1, 6, 3, 2))),
        ),
    )


def gates() -> Graph:
    """Parts of a vector, one read under another shape."""
    b = Builder()
    x = b.tensor((1, 12))
    a = b.op(Relu, (x,), b.tensor((1, 12)))
    first, second = part(b, a, 1, 0, 8), part(b, a, 1, 8, 12)
    view = b.op(Reshape, (first,), b.tensor((1, 2, 2, 2)))
    return b.graph((x,), (b.conv(view, b.tensor((1, 2, 2, 3)), 1), b.op(Relu, (second,), b.tensor((1, 4)))))


def heads() -> Graph:
    """Vectors that are written in one go, and one whose rows come one by one, joined."""
    b = Builder()
    x = b.tensor((1, 4, 2, 3))
    order, axes = (b.constant(np.array(v, np.int32)) for v in ((0, 3, 2, 1), (1, 2)))
    turned = b.op(Transpose, (x, order), b.tensor((1, 3, 2, 4)))
    mean = b.op(Mean, (x, axes), b.tensor((1, 3)), keep_dims=False)
    flat = b.op(Reshape, (turned,), b.tensor((1, 24)))
    return b.graph((x,), (concat(b, (flat, mean, b.op(Relu, (mean,), b.tensor((1, 3)))), (1, 30), 1),))


GRAPHS = {heads: 1, below_each_other: 1, beside_each_other: 1, nested: 2, cut_up: 3, gates: 2}
"""With the number of their operators that have nothing to compute."""


def missing(graph: Graph, sharing: Sharing = VIEWS) -> int:
    """Operators without a layer, reshapes not counted."""
    return sum(not op.alias for op in graph.ops) - len(program_of(graph, sharing=sharing).layers)


def test_operators_that_only_move_bytes_have_no_layer() -> None:
    assert {graph: missing(graph()) for graph in GRAPHS} == GRAPHS


def test_c_computes_what_the_interpreter_does() -> None:
    cases = []
    for graph in GRAPHS:
        layers = len(program_of(graph()).layers)
        for ends in ((layers,), tuple(range(1, layers + 1)), (2, layers)):
            cases.append(cut_at(graph(), ends, views=True))
            cases.append(cut_at(graph(), ends, views=True, in_place=True, keep_inputs=True))
    for case in cases:
        case.replay()
        validate(case.plan)
    check(cases)


def test_parts_below_each_other_are_in_one_ring() -> None:
    case = whole(below_each_other(), views=True)
    (joined,) = (s for s in case.program.storages if len(s.tensors) == 3)
    assert (joined.rows, joined.row_bytes) == (14, 8)
    assert case.demand.slots[joined.id] == 3


def refused(why: str) -> Graph:
    """Two tensors side by side in rows, one of which is needed in a way that forbids it."""
    b = Builder()
    x = b.tensor((1, 6, 4, 2))
    left, right = (b.op(Relu, (x,), b.tensor((1, 6, 4, 2))) for _ in range(2))
    constant = b.constant(np.zeros((1, 6, 4, 2), np.int8), b.tensors[x].quant)
    parts = {"twice": (left, left), "input": (x, right), "constant": (left, constant)}
    joined = concat(b, parts.get(why, (left, right)), (1, 6, 8, 2), 2)
    result = b.op(Relu, (joined,), b.tensor((1, 6, 8, 2)))
    outputs = [result]
    if why == "output":
        outputs.append(left)
    if why == "whole":
        axes = b.constant(np.array((0, 2, 1, 3), np.int32))
        turned = b.op(Transpose, (left, axes), b.tensor((1, 4, 6, 2)))
        outputs.append(turned)
    if why == "reshaped":
        outputs.append(b.op(Relu, (b.op(Reshape, (left,), b.tensor((1, 12, 4, 1))),), b.tensor((1, 12, 4, 1))))
    return b.graph((x,), tuple(outputs))


@pytest.mark.parametrize("why", ["twice", "input", "constant", "output", "whole", "reshaped"])
def test_what_is_copied_nevertheless(why: str) -> None:
    graph = refused(why)
    assert missing(graph) == 0
    case = whole(graph, views=True, in_place=True)
    case.replay()


def test_not_written_over_what_is_read_by_itself() -> None:
    """The RELU after a concatenation is in place, unless a member of it has another reader."""
    b = Builder()
    x = b.tensor((1, 6, 4, 2))
    left, right = (b.op(Relu, (x,), b.tensor((1, 6, 4, 2))) for _ in range(2))
    joined = concat(b, (left, right), (1, 12, 4, 2), 1)
    result = b.op(Relu, (joined,), b.tensor((1, 12, 4, 2)))
    alone = b.graph((x,), (result,))
    assert missing(alone) == 1
    b.op(Relu, (left,), b.tensor((1, 6, 4, 2)))
    graph = b.graph((x,), (result, len(b.tensors) - 1))
    assert missing(graph) == 1
    in_place = [layer.in_place for layer in program_of(graph, sharing=VIEWS).layers]
    assert not any(in_place)
    cases = [whole(g, views=views, in_place=True) for g in (alone, graph) for views in (False, True)]
    for case in cases:
        case.replay()
    check(cases)


def test_not_outside_the_arena_or_where_it_is_pinned() -> None:
    graph = gates()
    pinned = Rules(pins=((graph.tensors[graph.ops[0].outputs[0]].name, 0),))
    assert len(program_of(graph, sharing=VIEWS, rules=pinned).layers) == 5
    assert len(program_of(graph, sharing=VIEWS).layers) == 3


def test_the_validator_knows_which_bytes_are_whose() -> None:
    """A part that is a row off is found, although it lies in the same buffer."""
    case = whole(below_each_other(), views=True)
    layers = list(case.program.layers)
    write = layers[1].write
    layers[1] = replace(layers[1], write=replace(write, first=write.first - write.pitch))
    moved = replace(case, program=replace(case.program, layers=tuple(layers)))
    with pytest.raises(TinygenError) as caught:
        moved.replay()
    assert caught.value.code == "TG304"
