"""What operators share that copy a part of one tensor: where it lies, the row model, numpy reference and kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from tinygen.ir.call import Call, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op
from tinygen.ir.rows import WHOLE, Inlay, Rows, Window
from tinygen.ir.tensor import Array, DType, Tensor, geometry
from tinygen.ops.broadcast import contiguous_strides, merge_axes
from tinygen.ops.check import Check

LOOPS = 4
"""Of the kernel, besides the run of bytes copied at once."""

COPIED = (DType.INT8, DType.UINT8, DType.INT16, DType.FLOAT32)
"""Element types that are copied as they are."""


@dataclass(frozen=True)
class Span:
    """The indices begin, begin + step, ... along a dimension, `count` of them."""

    begin: int
    count: int
    step: int = 1


class SlicingOp(Op):
    """The output is a part of input 0 in the order of its elements, whatever shape it is given.

    Bytes are copied: as in LiteRT, the output's scale and zero point play no role.
    """

    def spans(self, graph: Graph) -> tuple[Span, ...]:
        """The part, for each dimension of the input; only of a verified operator."""
        raise NotImplementedError

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = inputs[0]
        if x is None:
            raise ValueError("reference needs a verified operator")
        for axis, span in enumerate(self.spans(graph)):
            x = np.take(x, span.begin + span.step * np.arange(span.count), axis)
        return (np.ascontiguousarray(x).reshape(self.output(graph).shape),)

    def rows(self, graph: Graph) -> Rows:
        if (window := self._window(graph)) is None:
            return Rows(steps=1, inputs=((0, WHOLE),), writes_row=False)
        return Rows(steps=geometry(self.output(graph).shape)[0], inputs=((0, window),))

    def inlays(self, graph: Graph) -> tuple[Inlay, ...]:
        first, loops, _ = self._loops(graph)
        if loops:
            return ()
        source, output = self.input(graph, 0), self.output(graph)
        window = self._window(graph)
        if window is None:
            pitch = geometry(output.shape)[1] * output.dtype.itemsize
        else:
            row_bytes = geometry(source.shape)[1] * source.dtype.itemsize
            first, pitch = first - window.pad * row_bytes, window.stride * row_bytes
        return (Inlay(output.id, source.id, first, pitch),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        first, loops, run = self._loops(graph)
        padded = [(1, 0)] * (LOOPS - len(loops)) + loops
        runs = self.rows(graph).steps * prod(count for count, _ in loops)
        fields = (
            Field("first", first, ""),
            *(Field(f"count_{i}", count, "") for i, (count, _) in enumerate(padded)),
            *(Field(f"stride_{i}", stride, "") for i, (_, stride) in enumerate(padded)),
            Field("run", run, "bytes that stay together"),
        )
        kernel = Kernel(
            name="slice_x8",
            instructions=20 * self.rows(graph).steps + runs * (6 if run == 1 else 20 + run // 2),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call("tg_slice_x8", "slice_x8.h", fields),
        )
        return (kernel,)

    def check_loops(self, check: Check, graph: Graph, source: Tensor) -> None:
        """Reports parts that need more loops than the kernel has; all other checks must have passed."""
        loops = len(self._loops(graph)[1])
        if loops > LOOPS:
            message = f"parts cut out along up to {LOOPS} independent dimensions are supported, found {loops}"
            check.report("TG203", message, source)

    def _window(self, graph: Graph) -> Window | None:
        """The row that each output row is a part of; None where the output's rows are no parts of rows."""
        shape, spans = self.input(graph, 0).shape, self.spans(graph)
        if len(shape) not in (3, 4) or shape[0] != 1 or geometry(self.output(graph).shape)[0] != spans[1].count:
            return None
        if spans[1].count > 1 and spans[1].step < 0:
            return None
        return Window(stride=max(spans[1].step, 1), pad=-spans[1].begin)

    def _loops(self, graph: Graph) -> tuple[int, list[tuple[int, int]], int]:
        """The first byte read, loops as (count, bytes from one turn to the next), outermost first, and the run."""
        source = self.input(graph, 0)
        size = source.dtype.itemsize
        row_wise = self._window(graph) is not None
        strides = [stride * size for stride in contiguous_strides(source.shape)]
        spans = list(zip(self.spans(graph), strides, strict=True))[2 if row_wise else 0 :]
        axes = merge_axes([*((span.count, (span.step * stride,)) for span, stride in spans), (size, (1,))])
        loops = [(count, stride) for count, (stride,) in axes]
        first = sum(span.begin * stride for span, stride in spans)
        if loops and loops[-1][1] == 1:
            return first, loops[:-1], loops[-1][0]
        return first, loops, 1


def check_source(check: Check, graph: Graph, position: int, outputs: Sequence[int]) -> Tensor | None:
    """The input that is cut up, of a type that can be copied and that all outputs have; None after reporting."""
    source = check.input(position)
    if source is None or not check.dtype(source, "input", *COPIED):
        return None
    fine = True
    for i in outputs:
        fine &= check.dtype(graph.tensors[i], "output", source.dtype)
    return source if fine else None


def check_integers(check: Check, position: int, role: str, count: int | None = None) -> tuple[int, ...] | None:
    """The values of a constant int32 input, `count` of them; None after reporting why not."""
    tensor = check.input(position, role)
    if tensor is None or not (check.dtype(tensor, role, DType.INT32) and check.constant(tensor, role)):
        return None
    if count is not None and tensor.elements != count:
        check.report("TG203", f"{role} must have {count} values, found {tensor.describe()}", tensor)
        return None
    return integers(tensor)


def integers(tensor: Tensor) -> tuple[int, ...]:
    """The values of a constant integer tensor of a verified operator."""
    if tensor.data is None:
        raise ValueError("only constants have values")
    return tuple(int(n) for n in tensor.data.reshape(-1))
