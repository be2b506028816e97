"""Broadcasting of two operands in the row model: loops over an output row, strides of each operand, its window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinygen.ir.call import TOGETHER, Field, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.rows import SAME_ROW, WHOLE, Rows, Window
from tinygen.ir.tensor import Tensor, geometry
from tinygen.ops.check import Check

MOST_RANK = 4
_LOOPS = 3

Axis = tuple[int, tuple[int, ...]]
"""A loop: its count, and the stride of each tensor along it in elements."""


@dataclass(frozen=True)
class Operand:
    """How the kernel reads an operand. `row_stride` is 0 unless the kernel is given the whole tensor."""

    position: int
    window: Window | None
    row_stride: int
    strides: tuple[int, ...]


@dataclass(frozen=True)
class Broadcast:
    """Loops over an output row, outermost first, and both operands in the order of the kernel's row pointers.

    An operand of the output's shape comes first, an activation before a constant.
    """

    steps: int
    counts: tuple[int, ...]
    operands: tuple[Operand, Operand]
    out_strides: tuple[int, ...]
    in_place: tuple[int, ...]
    """Positions of the operands of the output's shape, which the output may overwrite."""

    def rows(self) -> Rows:
        inputs = tuple((operand.position, operand.window) for operand in self.operands)
        return Rows(steps=self.steps, inputs=inputs)

    def fields(self) -> tuple[Field, ...]:
        """The members of a kernel's parameter struct that say where elements are."""
        loops = ("outer", "middle", "inner")
        counts = [Field(name, n, "") for name, n in zip(loops, self.counts, strict=True)]
        strides = [
            Field(f"{letter}_{name}", stride, "")
            for letter, operand in zip("ab", self.operands, strict=True)
            for name, stride in zip(("row", *loops), (operand.row_stride, *operand.strides), strict=True)
        ]
        written = [Field(f"out_{name}", stride, "") for name, stride in zip(loops, self.out_strides, strict=True)]
        return (*counts, *strides, *written)

    @property
    def elements(self) -> int:
        """Of an output row."""
        return int(np.prod(self.counts))


def merge_axes(axes: Sequence[Axis]) -> list[Axis]:
    """Loops in which every tensor advances steadily from one to the next become one; loops of one turn go."""
    merged: list[Axis] = []
    for count, strides in (axis for axis in axes if axis[0] != 1):
        if merged and all(outer == inner * count for outer, inner in zip(merged[-1][1], strides, strict=True)):
            merged[-1] = (merged[-1][0] * count, strides)
        else:
            merged.append((count, strides))
    return merged


def contiguous_strides(shape: tuple[int, ...], pitch: int | None = None) -> tuple[int, ...]:
    """Elements from one index to the next along each dimension; `pitch` elements between pixels that lie apart."""
    strides = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
    if pitch is None or not shape:
        return strides
    return (*(stride // shape[-1] * pitch for stride in strides[:-1]), 1)


def check_broadcast(check: Check, a: Tensor, b: Tensor, output: Tensor) -> None:
    """Reports shapes that do not broadcast to the output's, or that the loops cannot walk."""
    for tensor, role in ((a, "input 0"), (b, "input 1"), (output, "output")):
        if len(tensor.shape) > MOST_RANK:
            message = f"{role} must have at most {MOST_RANK} dimensions, found {tensor.describe()}"
            check.report("TG203", message, tensor)
            return
    try:
        expected = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        check.report("TG203", f"inputs must broadcast to one shape, found {a.describe()} and {b.describe()}")
        return
    if check.shape(output, "output", expected) and len(expected) == MOST_RANK:
        check.batch(output, "output")


def broadcast(op: Op, graph: Graph, pitches: Pitches = TOGETHER) -> Broadcast:
    """How a verified operator of two inputs of single bytes walks them."""
    shape = op.output(graph).shape
    tensors = [op.input(graph, i) for i in (0, 1)]
    order = sorted((0, 1), key=lambda i: (tensors[i].shape != shape, tensors[i].data is not None))
    steps, _ = geometry(shape)
    first_axis = 2 if len(shape) in (3, 4) and shape[0] == 1 else 0
    read = dict(pitches.inputs)
    strides = [_aligned_strides(tensors[i].shape, len(shape), read.get(i)) for i in order]
    strides.append(contiguous_strides(shape, pitches.output))
    axes = [(shape[axis], tuple(s[axis] for s in strides)) for axis in range(first_axis, len(shape))]
    merged = merge_axes(axes)
    merged = [(1, (0, 0, 0))] * (_LOOPS - len(merged)) + merged
    if merged[-1][0] == 1:
        merged[-1] = (1, (1, 1, 1))  # A single element is read fastest as a run of one.
    first, second = (
        _operand(i, tensors[i], steps, strides[k][1] if first_axis else 0, tuple(s[k] for _, s in merged))
        for k, i in enumerate(order)
    )
    counts = tuple(count for count, _ in merged)
    in_place = tuple(i for i in order if tensors[i].shape == shape and tensors[i].data is None)
    return Broadcast(steps, counts, (first, second), tuple(s[2] for _, s in merged), in_place)


def _aligned_strides(shape: tuple[int, ...], rank: int, pitch: int | None) -> tuple[int, ...]:
    """Strides along the output's dimensions, 0 where the operand is repeated."""
    strides = tuple(0 if n == 1 else s for n, s in zip(shape, contiguous_strides(shape, pitch), strict=True))
    return (0,) * (rank - len(shape)) + strides


def _operand(position: int, tensor: Tensor, steps: int, row_stride: int, strides: tuple[int, ...]) -> Operand:
    height, _ = geometry(tensor.shape)
    if height == 1 and (row_stride == 0 or steps == 1):
        return Operand(position, SAME_ROW if steps == 1 else Window(stride=0), 0, strides)
    if height == steps and row_stride != 0:
        return Operand(position, SAME_ROW, 0, strides)
    return Operand(position, WHOLE, row_stride, strides)
