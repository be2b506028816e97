"""GATHER: the given indices along a dimension, in any order and as often as they are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Diagnostic, Origin
from tinygen.ir.call import Call, Constant, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.rows import SAME_ROW, WHOLE, Rows
from tinygen.ir.tensor import Array, DType
from tinygen.ops.check import Check
from tinygen.ops.slicing import check_source, integers


@register("GATHER")
@dataclass(frozen=True, kw_only=True)
class Gather(Op):
    """Inputs: a tensor, and the indices as a constant, whose shape replaces the dimension. Bytes are copied."""

    kind: ClassVar[str] = "GATHER"
    axis: int
    """May be negative, counting from the last dimension."""
    batch_dims: int

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        axis, batch_dims = options.integer("axis"), options.integer("batch_dims")
        return cls(inputs=inputs, outputs=outputs, origin=origin, axis=axis, batch_dims=batch_dims)

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2):
            return iter(check.found)
        source, indices = check_source(check, graph, 0, self.outputs), check.input(1, "indices")
        output = check.output()
        if self.batch_dims != 0:
            check.report("TG204", f"batch_dims must be 0, found {self.batch_dims}")
        if source is None or indices is None or output is None:
            return iter(check.found)
        if not check.dtype(indices, "indices", DType.INT32, DType.INT64) or not check.constant(indices, "indices"):
            return iter(check.found)
        rank = len(source.shape)
        if not -rank <= self.axis < rank:
            check.report("TG204", f"axis must be -{rank} to {rank - 1}, found {self.axis}")
            return iter(check.found)
        axis, chosen = self.axis % rank, integers(indices)
        if any(not 0 <= i < source.shape[axis] for i in chosen):
            found = f"found {min(chosen)} to {max(chosen)}"
            check.report("TG204", f"indices must be within 0 to {source.shape[axis] - 1}, {found}", indices)
        check.shape(output, "output", (*source.shape[:axis], *indices.shape, *source.shape[axis + 1 :]))
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x, indices = inputs
        if x is None or indices is None:
            raise ValueError("reference needs a verified operator")
        found = np.take(x, indices.reshape(-1).astype(np.int64), self.axis)
        return (np.ascontiguousarray(found).reshape(self.output(graph).shape),)

    def rows(self, graph: Graph) -> Rows:
        """Row by row where rows stay what they are."""
        source, output = self.input(graph, 0).shape, self.output(graph).shape
        if len(source) == len(output) in (3, 4) and source[0] == 1 and self.axis % len(source) >= 2:
            return Rows(steps=source[1], inputs=((0, SAME_ROW),))
        return Rows(steps=1, inputs=((0, WHOLE),), writes_row=False)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics are the same here."""
        source, steps = self.input(graph, 0), self.rows(graph).steps
        axis = self.axis % len(source.shape)
        indices = np.array(integers(self.input(graph, 1)), np.int32)
        run = prod(source.shape[axis + 1 :]) * source.dtype.itemsize
        outer = prod(source.shape[:axis]) // steps
        fields = (
            Field("outer", outer, "repetitions"),
            Field("outer_bytes", source.shape[axis] * run, "of the input, from one to the next"),
            Field("count", len(indices), "indices"),
            Field("run", run, "bytes of an index"),
            Field("indices", Constant("indices", indices), ""),
        )
        kernel = Kernel(
            name="gather_x8",
            instructions=steps * (20 + outer * len(indices) * (20 + run // 2)),
            flash_bytes=indices.nbytes,
            scratch_bytes=0,
            call=lambda: Call("tg_gather_x8", "gather_x8.h", fields),
        )
        return (kernel,)
