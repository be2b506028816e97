"""SPLIT and SPLIT_V: a tensor cut along one dimension into equal parts, or into parts of given sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, register
from tinygen.ir.tensor import Array, Tensor
from tinygen.ops.check import Check
from tinygen.ops.slicing import SlicingOp, Span, check_integers, check_source, integers


@dataclass(frozen=True, kw_only=True)
class Part(SlicingOp):
    """One output of a SPLIT: the indices [begin, begin + count) along a dimension, all of the others."""

    kind: ClassVar[str] = "SPLIT"
    axis: int
    begin: int
    count: int

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        """The SPLIT has been verified."""
        check = Check(self, graph)
        if (source := check.input(0)) is not None:
            self.check_loops(check, graph, source)
        return iter(check.found)

    def spans(self, graph: Graph) -> tuple[Span, ...]:
        whole = [Span(0, size) for size in self.input(graph, 0).shape]
        whole[self.axis] = Span(self.begin, self.count)
        return tuple(whole)


@dataclass(frozen=True, kw_only=True)
class _Splitting(Op):
    """A tensor cut along one dimension; passes replace it by its parts, which then live and move on their own."""

    source_position: ClassVar[int]
    axis_position: ClassVar[int]

    def sizes(self, graph: Graph, total: int) -> tuple[int, ...]:
        """The size of each output along the axis, `total` being the input's."""
        raise NotImplementedError

    def parts(self, graph: Graph) -> tuple[Op, ...]:
        source, axis = self._source(graph), self._axis(graph)
        sizes = self.sizes(graph, source.shape[axis])
        begins = accumulate(sizes[:-1], initial=0)
        return tuple(
            Part(
                inputs=(source.id,),
                outputs=(output,),
                origin=replace(self.origin, part=number),
                axis=axis,
                begin=begin,
                count=count,
            )
            for number, (output, begin, count) in enumerate(zip(self.outputs, begins, sizes, strict=True))
        )

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x, axis = inputs[self.source_position], self._axis(graph)
        if x is None:
            raise ValueError("reference needs a verified operator")
        sizes = self.sizes(graph, x.shape[axis])
        return tuple(np.ascontiguousarray(part) for part in np.split(x, list(accumulate(sizes[:-1])), axis))

    def _source(self, graph: Graph) -> Tensor:
        return self.input(graph, self.source_position)

    def _axis(self, graph: Graph) -> int:
        (axis,) = integers(self.input(graph, self.axis_position))
        return axis + len(self._source(graph).shape) if axis < 0 else axis

    def _check_axis(self, check: Check, graph: Graph) -> Tensor | None:
        """The tensor that is cut along a dimension that it has; None after reporting why not."""
        source = check_source(check, graph, self.source_position, self.outputs)
        axes = check_integers(check, self.axis_position, "axis", 1)
        if source is None or axes is None:
            return None
        rank = len(source.shape)
        if not -rank <= axes[0] < rank:
            check.report("TG204", f"axis must be -{rank} to {rank - 1}, found {axes[0]}")
            return None
        return source

    def _check_outputs(self, check: Check, graph: Graph, source: Tensor) -> None:
        axis = self._axis(graph)
        sizes = self.sizes(graph, source.shape[axis])
        if len(sizes) != len(self.outputs) or sum(sizes) != source.shape[axis] or min(sizes) < 1:
            text = "+".join(map(str, sizes))
            message = f"{len(self.outputs)} outputs must make up {source.describe()} along dimension {axis}"
            check.report("TG203", f"{message}, found {text}", source)
            return
        for i, size in zip(self.outputs, sizes, strict=True):
            check.shape(graph.tensors[i], "output", (*source.shape[:axis], size, *source.shape[axis + 1 :]))


@register("SPLIT")
@dataclass(frozen=True, kw_only=True)
class Split(_Splitting):
    """Inputs: the axis as a constant, and the tensor."""

    kind: ClassVar[str] = "SPLIT"
    axis_position: ClassVar[int] = 0
    source_position: ClassVar[int] = 1

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if check.arity(2, outputs=None) and (source := self._check_axis(check, graph)) is not None:
            self._check_outputs(check, graph, source)
        return iter(check.found)

    def sizes(self, graph: Graph, total: int) -> tuple[int, ...]:
        return (total // len(self.outputs),) * len(self.outputs)


@register("SPLIT_V")
@dataclass(frozen=True, kw_only=True)
class SplitV(_Splitting):
    """Inputs: the tensor, and as constants the sizes, one of which may be -1 for the rest, and the axis."""

    kind: ClassVar[str] = "SPLIT_V"
    source_position: ClassVar[int] = 0
    axis_position: ClassVar[int] = 2

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(3, outputs=None):
            return iter(check.found)
        source = self._check_axis(check, graph)
        sizes = check_integers(check, 1, "sizes", len(self.outputs))
        if source is not None and sizes is not None:
            self._check_outputs(check, graph, source)
        return iter(check.found)

    def sizes(self, graph: Graph, total: int) -> tuple[int, ...]:
        given = integers(self.input(graph, 1))
        known = sum(size for size in given if size != -1)
        return tuple(total - known if size == -1 else size for size in given)
