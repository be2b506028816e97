"""SLICE: a box cut out of a tensor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tinygen.errors import Diagnostic
from tinygen.ir.graph import Graph
from tinygen.ir.op import register
from tinygen.ops.check import Check
from tinygen.ops.slicing import SlicingOp, Span, check_integers, check_source, integers


@register("SLICE")
@dataclass(frozen=True, kw_only=True)
class Slice(SlicingOp):
    """Inputs: a tensor, and as constants the first index and the size along each dimension; size -1 is all the rest."""

    kind: ClassVar[str] = "SLICE"

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(3):
            return iter(check.found)
        source, output = check_source(check, graph, 0, self.outputs), check.output()
        if source is None or output is None:
            return iter(check.found)
        begins = check_integers(check, 1, "begin", len(source.shape))
        sizes = check_integers(check, 2, "size", len(source.shape))
        if begins is None or sizes is None:
            return iter(check.found)
        spans = self.spans(graph)
        for axis, (span, size) in enumerate(zip(spans, source.shape, strict=True)):
            if span.begin < 0 or span.count < 1 or span.begin + span.count > size:
                found = f"found begin {begins[axis]} and size {sizes[axis]} along dimension {axis}"
                check.report("TG204", f"the part must lie within {source.describe()}, {found}")
        if check.clean and check.shape(output, "output", tuple(span.count for span in spans)):
            self.check_loops(check, graph, source)
        return iter(check.found)

    def spans(self, graph: Graph) -> tuple[Span, ...]:
        begins, sizes = integers(self.input(graph, 1)), integers(self.input(graph, 2))
        shape = self.input(graph, 0).shape
        return tuple(
            Span(begin, n - begin if size == -1 else size) for begin, size, n in zip(begins, sizes, shape, strict=True)
        )
