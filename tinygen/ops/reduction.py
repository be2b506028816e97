"""What operators share that reduce dimensions of an int8 activation: axes, checks, the row model and loops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Self

from tinygen.errors import Diagnostic, Origin
from tinygen.ir.call import Field, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op, Options
from tinygen.ir.rows import SAME_ROW, WHOLE, Rows
from tinygen.ir.tensor import DType, Tensor, geometry
from tinygen.ops.broadcast import contiguous_strides
from tinygen.ops.check import Check


@dataclass(frozen=True)
class _Dimension:
    """Neighbouring dimensions that are all kept or all reduced, as one."""

    count: int
    stride: int
    reduced: bool


_ABSENT = _Dimension(1, 0, False)


@dataclass(frozen=True)
class Loops:
    """The dimensions that stay, outer and inner, and those reduced: lines of elements."""

    steps: int
    outer: _Dimension
    inner: _Dimension
    lines: _Dimension
    line: _Dimension

    @property
    def results(self) -> int:
        """Elements that a step makes or adds to."""
        return self.outer.count * self.inner.count

    def fields(self) -> tuple[Field, ...]:
        """The members of a kernel's parameter struct that say where elements are."""
        return (
            Field("steps", self.steps),
            Field("outer_count", self.outer.count),
            Field("outer_stride", self.outer.stride),
            Field("inner_count", self.inner.count),
            Field("inner_stride", self.inner.stride),
            Field("lines", self.lines.count),
            Field("line_stride", self.lines.stride),
            Field("line_count", self.line.count),
            Field("element_stride", self.line.stride),
        )


@dataclass(frozen=True, kw_only=True)
class Reduction(Op):
    """Inputs: activation, constant dimensions to reduce (negative ones count from the end)."""

    keep_dims: bool

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(inputs=inputs, outputs=outputs, origin=origin, keep_dims=options.boolean("keep_dims"))

    def axes(self, graph: Graph) -> frozenset[int]:
        """The dimensions reduced."""
        data, rank = self.input(graph, 1).data, len(self.input(graph, 0).shape)
        if data is None:
            raise ValueError("the dimensions of a reduction must be constant")
        return frozenset(int(a) % rank for a in data.reshape(-1))

    def count(self, graph: Graph) -> int:
        """Elements reduced to one output element."""
        shape = self.input(graph, 0).shape
        return prod(shape[a] for a in self.axes(graph))

    def rows(self, graph: Graph) -> Rows:
        """Rows are accumulated one at a time where they are reduced, and independent where they stay rows."""
        steps = geometry(self.input(graph, 0).shape)[0]
        if steps > 1 and 1 in self.axes(graph):
            return Rows(steps=steps, inputs=((0, SAME_ROW),), writes_row=False, accumulates=True)
        output = self.output(graph).shape
        if steps > 1 and len(output) > 2 and output[:2] == (1, steps):
            return Rows(steps=steps, inputs=((0, SAME_ROW),))
        return Rows(steps=1, inputs=((0, WHOLE),), writes_row=False)

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2):
            return iter(check.found)
        source = check.activation(0, "input", 1, 2, 3, 4)
        axes = check.input(1, "axis")
        output = check.output_activation()
        if source is None or axes is None or output is None:
            return iter(check.found)
        if not (check.dtype(axes, "axis", DType.INT32) and check.constant(axes, "axis")) or axes.data is None:
            return iter(check.found)
        rank = len(source.shape)
        found = [int(a) for a in axes.data.reshape(-1)]
        if any(not -rank <= a < rank for a in found):
            check.report("TG204", f"axis must be within {-rank} to {rank - 1}, found {found}", axes)
            return iter(check.found)
        reduced = self.axes(graph)
        kept = tuple(1 if a in reduced else n for a, n in enumerate(source.shape) if self.keep_dims or a not in reduced)
        check.shape(output, "output", kept)
        self.check_elements(check, graph, source, output)
        return iter(check.found)

    def check_elements(self, check: Check, graph: Graph, source: Tensor, output: Tensor) -> None:
        """Reports counts and quantizations that cannot be computed with; shapes and axes have been checked."""
        raise NotImplementedError

    def loops(self, graph: Graph, pitches: Pitches) -> Loops:
        """The loops of a step over its input."""
        rows = self.rows(graph)
        pitch = pitches.of_input(0, self.input(graph, 0).shape[-1])
        dimensions = self._dimensions(graph, 0 if rows.inputs[0][1] is WHOLE else 2, pitch)
        outer, inner = _pair([d for d in dimensions if not d.reduced])
        # The longer of the reduced dimensions goes innermost, where an iteration costs least.
        lines, line = sorted(_pair([d for d in dimensions if d.reduced]), key=lambda d: d.count)
        return Loops(rows.steps if rows.accumulates else 1, outer, inner, lines, line)

    def follows_pixels(self, graph: Graph) -> bool:
        """Pixels may lie apart where they are reduced and channels are kept: those two are never merged then."""
        return len(self.input(graph, 0).shape) == 4 and self.axes(graph) & {2, 3} == {2}

    def _dimensions(self, graph: Graph, begin: int, pitch: int) -> list[_Dimension]:
        """The input's dimensions from `begin` on, neighbours merged where both are kept or both reduced.

        Its pixels are `pitch` bytes apart.
        """
        shape, axes = self.input(graph, 0).shape, self.axes(graph)
        strides = contiguous_strides(shape, pitch)
        merged: list[_Dimension] = []
        for axis in range(begin, len(shape)):
            if shape[axis] == 1:
                continue
            stride, reduced = strides[axis], axis in axes
            if merged and merged[-1].reduced == reduced:
                merged[-1] = _Dimension(merged[-1].count * shape[axis], stride, reduced)
            else:
                merged.append(_Dimension(shape[axis], stride, reduced))
        return merged


def _pair(dimensions: list[_Dimension]) -> tuple[_Dimension, _Dimension]:
    """At most two dimensions are left of four, as kept and reduced ones alternate."""
    first, second = [_ABSENT] * (2 - len(dimensions)) + dimensions
    return first, second
