"""TRANSPOSE: dimensions in another order, int8 or float32."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.ir.call import Call, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, register
from tinygen.ir.tensor import Array, DType
from tinygen.ops.broadcast import contiguous_strides, merge_axes
from tinygen.ops.check import Check

_LOOPS = 4


@register("TRANSPOSE")
@dataclass(frozen=True, kw_only=True)
class Transpose(Op):
    """Inputs: activation, constant permutation; output dimension k is input dimension permutation[k]."""

    kind: ClassVar[str] = "TRANSPOSE"

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2):
            return iter(check.found)
        source, permutation, output = check.input(0), check.input(1, "permutation"), check.output()
        if source is None or permutation is None or output is None:
            return iter(check.found)
        fine = check.dtype(source, "input", DType.INT8, DType.FLOAT32)
        fine &= check.dtype(output, "output", source.dtype)
        fine &= check.dtype(permutation, "permutation", DType.INT32)
        fine &= check.constant(permutation, "permutation")
        if not fine:
            return iter(check.found)
        order = self._permutation(graph)
        if sorted(order) != list(range(len(source.shape))):
            found = f"found {list(order)}"
            check.report("TG204", f"permutation must name each of {len(source.shape)} dimensions once, {found}")
        elif check.shape(output, "output", tuple(source.shape[axis] for axis in order)):
            loops = len(self._loops(graph)[0])
            if loops > _LOOPS:
                message = f"permutations of up to {_LOOPS} independent dimensions are supported, found {loops}"
                check.report("TG203", message, source)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = inputs[0]
        if x is None:
            raise ValueError("reference needs a verified operator")
        return (np.ascontiguousarray(x.transpose(self._permutation(graph))),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        loops, run = self._loops(graph)
        padded = [(1, 0)] * (_LOOPS - len(loops)) + loops
        runs = self.output(graph).nbytes // run
        fields = (
            *(Field(f"count_{i}", count, "") for i, (count, _) in enumerate(padded)),
            *(Field(f"stride_{i}", stride, "") for i, (_, stride) in enumerate(padded)),
            Field("run", run, "bytes that stay together"),
        )
        kernel = Kernel(
            name="transpose_x8",
            instructions=20 + runs * (5 if run == 1 else 20 + run // 2),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call("tg_transpose_x8", "transpose_x8.h", fields),
        )
        return (kernel,)

    def _permutation(self, graph: Graph) -> tuple[int, ...]:
        data = self.input(graph, 1).data
        if data is None:
            raise ValueError("kernels and references need a verified operator")
        return tuple(int(axis) for axis in data.reshape(-1))

    def _loops(self, graph: Graph) -> tuple[list[tuple[int, int]], int]:
        """Loops over the output, outermost first, as (count, bytes from one turn's input to the next), and the run.

        A run is what is copied at once: bytes that follow one another in input and output.
        """
        source = self.input(graph, 0)
        size = source.dtype.itemsize
        strides = contiguous_strides(source.shape)
        order = self._permutation(graph)
        axes = merge_axes([*((source.shape[axis], (strides[axis] * size,)) for axis in order), (size, (1,))])
        loops = [(count, stride) for count, (stride,) in axes]
        if loops and loops[-1][1] == 1:
            return loops[:-1], loops[-1][0]
        return loops, 1
