"""STRIDED_SLICE: numpy's x[begin:end:step, ...] with constant bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from tinygen.errors import Diagnostic, Origin
from tinygen.ir.graph import Graph
from tinygen.ir.op import Options, register
from tinygen.ops.check import Check
from tinygen.ops.slicing import SlicingOp, Span, check_integers, check_source, integers


@dataclass(frozen=True)
class _Bounds:
    """What is asked for along a dimension of the input."""

    begin: int | None
    end: int | None
    stride: int
    single: bool = False
    """One index, whose dimension the output does not have."""

    def span(self, size: int) -> Span:
        if self.single:
            begin = self.begin or 0
            return Span(begin + size if begin < 0 else begin, 1)
        indices = range(size)[slice(self.begin, self.end, self.stride)]
        return Span(indices.start, len(indices), indices.step)


@register("STRIDED_SLICE")
@dataclass(frozen=True, kw_only=True)
class StridedSlice(SlicingOp):
    """Inputs: a tensor, and as constants begin, end and stride along the leading dimensions.

    Bit k of a mask is about entry k: its begin or its end is ignored (`begin_mask`, `end_mask`), it stands for all
    dimensions that have no entry (`ellipsis_mask`), it adds a dimension of size 1 (`new_axis_mask`), or it is a single
    index (`shrink_axis_mask`).
    """

    kind: ClassVar[str] = "STRIDED_SLICE"
    begin_mask: int
    end_mask: int
    ellipsis_mask: int
    new_axis_mask: int
    shrink_axis_mask: int
    offset: bool
    """Ends count from the begin; not supported."""

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(
            inputs=inputs,
            outputs=outputs,
            origin=origin,
            begin_mask=options.integer("begin_mask"),
            end_mask=options.integer("end_mask"),
            ellipsis_mask=options.integer("ellipsis_mask"),
            new_axis_mask=options.integer("new_axis_mask"),
            shrink_axis_mask=options.integer("shrink_axis_mask"),
            offset=options.boolean("offset"),
        )

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(4):
            return iter(check.found)
        source, output = check_source(check, graph, 0, self.outputs), check.output()
        begins = check_integers(check, 1, "begin")
        if source is None or output is None or begins is None:
            return iter(check.found)
        ends, strides = (check_integers(check, i, role, len(begins)) for i, role in ((2, "end"), (3, "strides")))
        if ends is None or strides is None:
            return iter(check.found)
        if self.offset:
            check.report("TG204", "ends must not be relative to the begins, found offset")
        if self.ellipsis_mask & (self.ellipsis_mask - 1):
            check.report("TG204", f"at most one ellipsis is possible, found the mask {self.ellipsis_mask:#x}")
        used = sum(not self._bit(self.ellipsis_mask | self.new_axis_mask, i) for i in range(len(begins)))
        if used > len(source.shape):
            check.report("TG203", f"bounds are for {used} dimensions, found {source.describe()}", source)
        if used == len(source.shape) and self.ellipsis_mask & ~(1 << (len(begins) - 1)):
            # LiteRT skips a dimension for it nevertheless.
            check.report("TG204", "an ellipsis before other bounds must stand for a dimension, found one for none")
        if 0 in strides:
            check.report("TG204", "strides must not be 0")
        if check.clean:
            self._check_spans(check, graph)
        if check.clean and check.shape(output, "output", self._output_shape(graph)):
            self.check_loops(check, graph, source)
        return iter(check.found)

    def spans(self, graph: Graph) -> tuple[Span, ...]:
        sizes = self.input(graph, 0).shape
        bounds = [b for b in self._entries(graph) if b is not None]
        return tuple(b.span(size) for b, size in zip(bounds, sizes, strict=True))

    def _check_spans(self, check: Check, graph: Graph) -> None:
        source = self.input(graph, 0)
        bounds = [b for b in self._entries(graph) if b is not None]
        for axis, (b, span, size) in enumerate(zip(bounds, self.spans(graph), source.shape, strict=True)):
            if b.single and (b.stride < 0 or not 0 <= span.begin < size):
                found = f"found {b.begin} with stride {b.stride} along dimension {axis} of {source.describe()}"
                check.report("TG204", f"a single index must be inside the tensor and its stride positive, {found}")
            elif span.count < 1:
                found = f"found nothing along dimension {axis} of {source.describe()}"
                check.report("TG204", f"the part must have elements, {found}", source)

    def _output_shape(self, graph: Graph) -> tuple[int, ...]:
        spans = iter(self.spans(graph))
        shape: list[int] = []
        for bounds in self._entries(graph):
            if bounds is None:
                shape.append(1)
                continue
            count = next(spans).count
            if not bounds.single:
                shape.append(count)
        return tuple(shape)

    def _entries(self, graph: Graph) -> list[_Bounds | None]:
        """What becomes of each dimension of the input in turn; None for a dimension that is added."""
        begins, ends, strides = (integers(self.input(graph, i)) for i in (1, 2, 3))
        count = len(begins)
        everything = _Bounds(None, None, 1)
        taken = sum(not self._bit(self.ellipsis_mask | self.new_axis_mask, i) for i in range(count))
        rest = [everything] * (len(self.input(graph, 0).shape) - taken)
        entries: list[_Bounds | None] = []
        for i in range(count):
            if self._bit(self.ellipsis_mask, i):
                entries += rest
                rest = []
            elif self._bit(self.new_axis_mask, i):
                entries.append(None)
            else:
                begin = None if self._bit(self.begin_mask, i) else begins[i]
                end = None if self._bit(self.end_mask, i) else ends[i]
                entries.append(_Bounds(begin, end, strides[i], self._bit(self.shrink_axis_mask, i)))
        return [*entries, *rest]

    @staticmethod
    def _bit(mask: int, position: int) -> bool:
        return bool(mask >> position & 1)
