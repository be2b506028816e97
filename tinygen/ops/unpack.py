"""UNPACK: a tensor taken apart along one dimension, which its parts do not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Diagnostic, Origin
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.tensor import Array
from tinygen.ops.check import Check
from tinygen.ops.slicing import check_source
from tinygen.ops.split import Part


@register("UNPACK")
@dataclass(frozen=True, kw_only=True)
class Unpack(Op):
    """Passes replace it by its parts, as with SPLIT."""

    kind: ClassVar[str] = "UNPACK"
    axis: int
    """May be negative, counting from the last dimension."""

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(inputs=inputs, outputs=outputs, origin=origin, axis=options.integer("axis"))

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(1, outputs=None) or (source := check_source(check, graph, 0, self.outputs)) is None:
            return iter(check.found)
        rank = len(source.shape)
        if not -rank <= self.axis < rank:
            check.report("TG204", f"axis must be -{rank} to {rank - 1}, found {self.axis}")
            return iter(check.found)
        axis = self.axis % rank
        if source.shape[axis] != len(self.outputs):
            message = f"as many outputs as indices along dimension {axis} of {source.describe()} are needed"
            check.report("TG203", f"{message}, found {len(self.outputs)}", source)
        for i in self.outputs:
            check.shape(graph.tensors[i], "output", (*source.shape[:axis], *source.shape[axis + 1 :]))
        return iter(check.found)

    def parts(self, graph: Graph) -> tuple[Op, ...]:
        axis = self.axis % len(self.input(graph, 0).shape)
        return tuple(
            Part(
                inputs=self.inputs,
                outputs=(output,),
                origin=replace(self.origin, part=number),
                axis=axis,
                begin=number,
                count=1,
            )
            for number, output in enumerate(self.outputs)
        )

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        if (x := inputs[0]) is None:
            raise ValueError("reference needs a verified operator")
        return tuple(np.ascontiguousarray(part) for part in np.moveaxis(x, self.axis, 0))
