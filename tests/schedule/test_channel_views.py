"""Channels that are joined and cut apart without a copy: who may write and read pixels that lie apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.passes.graphs import WEIGHTS, Builder
from tests.schedule.cases import by_objective, cut_at, offers, plain_plan, program_of, whole
from tests.schedule.programs import check
from tests.schedule.test_views import VIEWS, concat, missing, part
from tinygen.errors import TinygenError
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import DType
from tinygen.ops.activation import Activation
from tinygen.ops.add import Add
from tinygen.ops.average_pool_2d import AveragePool2D
from tinygen.ops.depthwise_conv_2d import DepthwiseConv2D
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.max_pool_2d import MaxPool2D
from tinygen.ops.mean import Mean
from tinygen.ops.mul import Mul
from tinygen.ops.pad import Pad
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu
from tinygen.ops.reshape import Reshape
from tinygen.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tinygen.ops.softmax import Softmax
from tinygen.ops.sub import Sub
from tinygen.ops.transpose import Transpose
from tinygen.plan.validate import validate
from tinygen.schedule.program import build_program

NONE = Activation.NONE
SAME = (1, 1, 1, 1)
HEIGHT, WIDTH = 6, 5


def image(b: Builder, channels: int, height: int = HEIGHT, dtype: DType = DType.INT8) -> int:
    return b.tensor((1, height, WIDTH, channels), dtype=dtype)


def depthwise(b: Builder, source: int, multiplier: int = 1) -> int:
    _, height, _, channels = b.tensors[source].shape
    data = np.random.default_rng(len(b.ops)).integers(-127, 128, (1, 3, 3, channels * multiplier)).astype(np.int8)
    options = {"strides": (1, 1), "padding": SAME, "activation": NONE}
    output = image(b, channels * multiplier, height)
    return b.op(DepthwiseConv2D, (source, b.constant(data, WEIGHTS)), output, **options)


def fire() -> Graph:
    """SqueezeNet: two convolutions widen a squeezed tensor, a third reads both as one."""
    b = Builder()
    x = image(b, 3)
    squeezed = b.conv(x, image(b, 4), padding=SAME)
    narrow = b.conv(squeezed, image(b, 8), 1)
    wide = b.conv(squeezed, image(b, 6), padding=SAME)
    joined = concat(b, (narrow, wide), (1, HEIGHT, WIDTH, 14), 3)
    return b.graph((x,), (b.conv(joined, image(b, 4), 1),))


def dense() -> Graph:
    """DenseNet: each layer adds channels to what all before it have, which others read by themselves."""
    b = Builder()
    x = image(b, 2)
    value, channels = b.conv(x, image(b, 5), padding=SAME), 5
    for _ in range(3):
        grown = b.conv(b.conv(value, image(b, 4), 1), image(b, 3), padding=SAME)
        channels += 3
        value = concat(b, (value, grown), (1, HEIGHT, WIDTH, channels), 3)
    return b.graph((x,), (b.conv(value, image(b, 2), 1),))


def shuffle() -> Graph:
    """ShuffleNet: half of the channels pass by, which is a copy of them, the others are convolved."""
    b = Builder()
    x = image(b, 2)
    value = b.conv(x, image(b, 8), padding=SAME)
    kept, half = part(b, value, 3, 0, 4), part(b, value, 3, 4, 8)
    branch = b.conv(depthwise(b, b.conv(half, image(b, 4), 1)), image(b, 4), 1)
    joined = concat(b, (kept, branch), (1, HEIGHT, WIDTH, 8), 3)
    return b.graph((x,), (b.conv(joined, image(b, 3), 1),))


def groups() -> Graph:
    """A convolution in groups of different window, as MixNet has it."""
    b = Builder()
    x = image(b, 3)
    value = b.conv(x, image(b, 12), 1)
    first = depthwise(b, part(b, value, 3, 0, 4))
    second = depthwise(b, part(b, value, 3, 4, 7), 2)
    third = b.conv(part(b, value, 3, 7, 12), image(b, 3), padding=SAME)
    joined = concat(b, (first, second, third), (1, HEIGHT, WIDTH, 13), 3)
    axes = b.constant(np.array((1, 2), np.int32))
    return b.graph((x,), (b.op(Mean, (joined, axes), b.tensor((1, 13)), keep_dims=False),))


def pooled() -> Graph:
    """Inception: poolings of parts, written beside convolutions."""
    b = Builder()
    x = image(b, 3)
    value = b.op(Relu, (x,), image(b, 3))
    left, right = part(b, value, 3, 0, 1), part(b, value, 3, 1, 3)
    options = {"size": (3, 3), "strides": (1, 1), "padding": SAME, "activation": NONE}
    largest = b.op(MaxPool2D, (left,), image(b, 1), **options)
    mean = b.op(AveragePool2D, (right,), image(b, 2), **options)
    joined = concat(b, (largest, b.conv(right, image(b, 5), 1), mean), (1, HEIGHT, WIDTH, 8), 3)
    options = {"size": (HEIGHT, WIDTH), "strides": (1, 1), "padding": (0, 0, 0, 0), "activation": NONE}
    lower = part(b, joined, 3, 3, 8)
    return b.graph((x,), (b.op(AveragePool2D, (lower,), b.tensor((1, 1, 1, 5)), **options),))


def neck() -> Graph:
    """YOLO: an enlarged image beside a padded one, both without a copy of the result."""
    b = Builder()
    x = image(b, 2)
    small = b.conv(x, b.tensor((1, 3, 3, 4)), strides=(2, 2), padding=(1, 0, 1, 1))
    size = b.constant(np.array((HEIGHT, WIDTH), np.int32))
    options = {"align_corners": False, "half_pixel_centers": False}
    large = b.op(ResizeNearestNeighbor, (small, size), image(b, 4), **options)
    cut = b.conv(x, b.tensor((1, 4, 3, 2)))
    amounts = b.constant(np.array(((0, 0), (1, 1), (0, 2), (1, 0)), np.int32))
    padded = b.op(Pad, (cut, amounts), image(b, 3))
    joined = concat(b, (large, padded), (1, HEIGHT, WIDTH, 7), 3)
    upper = part(b, joined, 3, 0, 6)
    amounts = b.constant(np.array(((0, 0), (0, 1), (1, 0), (0, 1)), np.int32))
    return b.graph((x,), (b.op(Pad, (upper, amounts), b.tensor((1, HEIGHT + 1, WIDTH + 1, 7))),))


def elements() -> Graph:
    """Element by element, with operands of other shapes, and in other types."""
    b = Builder()
    x, y = image(b, 6), b.tensor((1, HEIGHT, WIDTH, 2), dtype=DType.FLOAT32)
    a = b.op(Relu, (x,), image(b, 6))
    left, middle, right = (part(b, a, 3, i, i + 2) for i in (0, 2, 4))
    row = b.constant(np.array((((30, -40),),), np.int8).reshape(1, 1, 1, 2), b.tensors[x].quant)
    total = b.op(Add, (left, middle), image(b, 2), activation=NONE)
    difference = b.op(Sub, (row, right), image(b, 2), activation=NONE)
    product = b.op(Mul, (middle, total), image(b, 2), activation=NONE)
    quantized = b.op(Quantize, (y,), image(b, 2))
    joined = concat(b, (total, difference, product, quantized), (1, HEIGHT, WIDTH, 8), 3)
    last = part(b, joined, 3, 5, 8)
    real = b.op(Dequantize, (last,), image(b, 3, dtype=DType.FLOAT32))
    turned = b.op(Relu, (part(b, joined, 3, 0, 3),), image(b, 3))
    return b.graph((x, y), (real, turned))


def steps() -> Graph:
    """Convolutions over time: a single row of pixels, also seen as time steps."""
    b = Builder()
    x = b.tensor((1, 1, 9, 2))
    parts = tuple(b.conv(x, b.tensor((1, 1, 9, n)), 1) for n in (3, 4))
    joined = concat(b, parts, (1, 1, 9, 7), 3)
    series = b.op(Reshape, (joined,), b.tensor((1, 9, 7)))
    first = b.op(Reshape, (parts[0],), b.tensor((1, 9, 3)))
    return b.graph((x,), (b.op(Relu, (series,), b.tensor((1, 9, 7))), b.op(Relu, (first,), b.tensor((1, 9, 3)))))


GRAPHS: dict[Callable[[], Graph], int] = {
    fire: 1,
    dense: 3,
    shuffle: 2,
    groups: 4,
    pooled: 4,
    neck: 2,
    elements: 6,
    steps: 1,
}
"""With the number of their operators that have nothing to compute."""


def test_channels_that_are_joined_or_cut_apart_have_no_layer() -> None:
    assert {graph: missing(graph()) for graph in GRAPHS} == GRAPHS


def test_c_computes_what_the_interpreter_does() -> None:
    cases = []
    for graph in GRAPHS:
        layers = len(program_of(graph()).layers)
        for ends in ((layers,), tuple(range(1, layers + 1)), (2, layers)):
            cases.append(cut_at(graph(), ends, views=True, small=len(ends) == 2))
            cases.append(cut_at(graph(), ends, views=True, in_place=True, keep_inputs=True))
    for case in cases:
        case.replay()
        validate(case.plan)
    check(cases)


@pytest.mark.parametrize("graph", [fire, dense, shuffle, groups])
def test_no_objective_needs_more_memory_than_layer_by_layer(graph: Callable[[], Graph]) -> None:
    limit = plain_plan(graph()).arena_bytes
    for case in by_objective(graph()):
        case.replay()
        assert case.plan.arena_bytes <= limit


def test_joined_channels_are_a_ring_of_whole_rows() -> None:
    case = whole(fire(), views=True)
    (joined,) = (s for s in case.program.storages if len(s.tensors) == 3)
    assert (joined.rows, joined.row_bytes) == (HEIGHT, WIDTH * 14)
    assert case.demand.slots[joined.id] == 1


def refused(why: str) -> Graph:
    """Channels side by side, one tensor of which is needed in a way that forbids it."""
    b = Builder()
    x = image(b, 2)
    left, right = (b.op(Relu, (x,), image(b, 2)) for _ in range(2))
    parts = {"twice": (left, left), "input": (x, right)}
    joined = concat(b, parts.get(why, (left, right)), (1, HEIGHT, WIDTH, 4), 3)
    outputs = [b.op(Relu, (joined,), image(b, 4))]
    if why == "output":
        outputs.append(left)
    if why == "whole":
        axes = b.constant(np.array((0, 2, 1, 3), np.int32))
        outputs.append(b.op(Transpose, (left, axes), b.tensor((1, WIDTH, HEIGHT, 2))))
    if why == "softmax":
        outputs.append(b.op(Softmax, (left,), b.tensor((1, HEIGHT, WIDTH, 2), 1 / 256, -128), beta=1.0))
    if why == "reshaped":
        other = b.op(Reshape, (left,), b.tensor((1, HEIGHT, WIDTH * 2, 1)))
        outputs.append(b.op(Relu, (other,), b.tensor((1, HEIGHT, WIDTH * 2, 1))))
    return b.graph((x,), tuple(outputs))


@pytest.mark.parametrize("why", ["twice", "input", "output", "whole", "softmax", "reshaped"])
def test_what_is_copied_nevertheless(why: str) -> None:
    graph = refused(why)
    assert missing(graph) == 0
    whole(graph, views=True, in_place=True).replay()


def test_kernels_that_follow_only_pixels_without_gaps_are_given_a_copy() -> None:
    graph = fire()
    program = program_of(graph, sharing=VIEWS)
    assert [layer.op.kind for layer in program.layers] == ["CONV_2D"] * 4
    kernels = tuple(replace(offered[0], apart=None) for offered in offers(graph))
    assert len(build_program(graph, kernels, sharing=VIEWS).layers) == 5


def test_the_validator_knows_which_pixels_are_whose() -> None:
    """A part that is a byte off is found, although it lies in the same buffer."""
    case = whole(fire(), views=True)
    layers = list(case.program.layers)
    write = layers[1].write
    layers[1] = replace(layers[1], write=replace(write, first=write.first + 1))
    moved = replace(case, program=replace(case.program, layers=tuple(layers)))
    with pytest.raises(TinygenError) as caught:
        moved.replay()
    assert caught.value.code == "TG304"
