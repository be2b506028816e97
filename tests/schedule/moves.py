"""Operators that only move bytes, for random graphs."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.schedule.net import MOST_ELEMENTS, Net
from tinygen.ops.activation import Activation
from tinygen.ops.add import Add
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.conv_2d import Conv2D
from tinygen.ops.pad import Pad
from tinygen.ops.relu import Relu
from tinygen.ops.reshape import Reshape
from tinygen.ops.split import Part
from tinygen.ops.strided_slice import StridedSlice
from tinygen.ops.transpose import Transpose


def add_pad(net: Net) -> None:
    if (source := net.pick((3, 4))) is not None:
        shape = net.shape(source)
        amounts = [(0, 0), *((net.integer(0, 2), net.integer(0, 2)) for _ in shape[1:])]
        if net.draw(st.booleans()):
            amounts[2:] = [(0, 0)] * (len(shape) - 2)
        paddings = net.builder.constant(np.array(amounts, np.int32))
        output = net.like(source, tuple(n + a + b for n, (a, b) in zip(shape, amounts, strict=True)))
        net.op(Pad, (source, paddings), output)


def add_concat(net: Net) -> None:
    if (a := net.pick((2, 3, 4))) is None:
        return
    shape, quant = net.shape(a), net.builder.tensors[a].quant
    axis = net.integer(1, len(shape) - 1)
    partners = [
        b
        for b in net.values
        if len(net.shape(b)) == len(shape)
        and net.builder.tensors[b].quant == quant
        and all(n == m for i, (n, m) in enumerate(zip(shape, net.shape(b), strict=True)) if i != axis)
    ]
    others = [
        partners[-1 - min(net.integer(0, 2), len(partners) - 1)] for _ in range(net.draw(st.sampled_from((1, 1, 2, 4))))
    ]
    inputs = tuple(net.draw(st.permutations([a, *others])))
    total = sum(net.shape(i)[axis] for i in inputs)
    result = (*shape[:axis], total, *shape[axis + 1 :])
    if int(np.prod(result)) <= MOST_ELEMENTS:
        net.op(Concatenation, inputs, net.like(a, result), axis=axis, activation=Activation.NONE)


def add_stack(net: Net) -> None:
    """What two layers compute, joined by rows, columns or channels such that nothing need be copied."""
    if (source := net.pick((3, 4))) is None:
        return
    shape = net.shape(source)
    axis = net.draw(st.sampled_from((1, 2, 3, 3, 3))) if len(shape) == 4 else net.integer(1, 2)
    counts = [net.integer(1, 4) if axis == 3 else shape[axis] for _ in range(2)]
    first = net.fresh((*shape[:axis], counts[0], *shape[axis + 1 :]))
    parts = (first, net.like(first, (*shape[:axis], counts[1], *shape[axis + 1 :])))
    for part in parts:
        _add_layer(net, source, part)
    result = (*shape[:axis], sum(counts), *shape[axis + 1 :])
    net.op(Concatenation, parts, net.like(first, result), axis=axis, activation=Activation.NONE)


def _add_layer(net: Net, source: int, output: int) -> None:
    """A convolution, or something element by element where the shapes are the same."""
    shape, result = net.shape(source), net.shape(output)
    if shape == result and net.draw(st.booleans()):
        net.op(Relu, (source,), output)
    elif shape == result and len(shape) < 4:
        net.op(Add, (source, source), output, activation=Activation.NONE)
    else:
        size = net.draw(st.sampled_from((1, 1, 3)))
        options = {"strides": (1, 1), "padding": (size // 2,) * 4, "activation": Activation.NONE}
        weights = net.weights((result[3], size, size, shape[3]), size * size * shape[3])
        net.op(Conv2D, (source, weights), output, **options)


def add_slice(net: Net) -> None:
    """Steps in both directions, and now and then a single index."""
    if (source := net.pick()) is None or not net.shape(source):
        return
    shape = net.shape(source)
    spans = []
    for n in shape:
        step = net.draw(st.sampled_from((1, 1, 1, 2, -1)))
        first = net.integer(0, n - 1)
        count = net.integer(1, (n - 1 - first if step > 0 else first) // abs(step) + 1)
        spans.append((first, first + step * (count - 1) + (1 if step > 0 else -1), step))
    # An end of -1 would be the last index: there, everything up to the first is meant.
    ends = sum((end < 0) << i for i, (_, end, _) in enumerate(spans))
    single = (1 << net.integer(1, len(shape) - 1)) if len(shape) > 1 and not net.integer(0, 3) else 0
    spans = [(span[0], span[0] + 1, 1) if single >> i & 1 else span for i, span in enumerate(spans)]
    counts = (len(range(*span)) for span in spans)
    result = tuple(count for i, count in enumerate(counts) if not single >> i & 1)
    bounds = (net.builder.constant(np.array(values, np.int32)) for values in zip(*spans, strict=True))
    masks = {"begin_mask": 0, "end_mask": ends, "ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": single}
    net.op(StridedSlice, (source, *bounds), net.like(source, result), **masks, offset=False)


def add_split(net: Net) -> None:
    if (source := net.pick()) is None or max(net.shape(source), default=1) == 1:
        return
    shape = net.shape(source)
    axes = [i for i, n in enumerate(shape) if n > 1]
    axis = net.draw(st.sampled_from((*axes, *axes[-1:])))
    middle = net.integer(1, shape[axis] - 1)
    for begin, end in ((0, middle), (middle, shape[axis])):
        output = net.like(source, (*shape[:axis], end - begin, *shape[axis + 1 :]))
        net.op(Part, (source,), output, axis=axis, begin=begin, count=end - begin)


def add_transpose(net: Net) -> None:
    if (source := net.pick((3, 4))) is None:
        return
    shape = net.shape(source)
    order = (0, *net.draw(st.permutations(range(1, len(shape)))))
    output = net.like(source, tuple(shape[i] for i in order))
    net.op(Transpose, (source, net.builder.constant(np.array(order, np.int32))), output)


def add_reshape(net: Net) -> None:
    """To any split of the elements into rows, also such that neither geometry's rows divide the other's."""
    if (source := net.pick()) is None:
        return
    left = int(np.prod(net.shape(source)))
    dims = []
    for _ in range(2):
        dims.append(net.draw(st.sampled_from([n for n in range(1, left + 1) if left % n == 0 and n <= 12])))
        left //= dims[-1]
    shapes = [(1, *dims, left), (1, dims[0], dims[1] * left), (1, dims[0] * dims[1] * left)]
    net.op(Reshape, (source,), net.like(source, net.draw(st.sampled_from(shapes))))
