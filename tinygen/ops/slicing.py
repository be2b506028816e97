"""What operators share that copy a part of one tensor: where it lies, the row model, numpy reference and kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

from tinygen.ir.call import TOGETHER, Call, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op
from tinygen.ir.rows import WHOLE, Inlay, Rows, Window
from tinygen.ir.tensor import Array, DType, Tensor, geometry, pixel_of
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
        first, loops, run = self._loops(graph)
        source, output = self.input(graph, 0), self.output(graph)
        _, row = geometry(output.shape)
        pixel = pixel_of(output.shape)
        pixel_pitch = pixel * output.dtype.itemsize
        if loops:
            count, pixel_pitch, _ = loops[-1]
            if len(loops) > 1 or count * pixel != row or run != pixel * output.dtype.itemsize or pixel_pitch < run:
                return ()
        window = self._window(graph)
        if window is None:
            pitch = row * output.dtype.itemsize
        else:
            row_bytes = geometry(source.shape)[1] * source.dtype.itemsize
            first, pitch = first - window.pad * row_bytes, window.stride * row_bytes
        return (Inlay(output.id, source.id, first, pitch, pixel_pitch),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (self._kernel(graph),)

    def _kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        first, loops, run = self._loops(graph, pitches)
        padded = [(1, 0, 0)] * (LOOPS - len(loops)) + loops
        runs = self.rows(graph).steps * prod(count for count, _, _ in loops)
        fields = (
            Field("first", first, ""),
            *(Field(f"count_{i}", count, "") for i, (count, _, _) in enumerate(padded)),
            *(Field(f"stride_{i}", stride, "") for i, (_, stride, _) in enumerate(padded)),
            *(Field(f"out_stride_{i}", stride, "") for i, (_, _, stride) in enumerate(padded)),
            Field("run", run, "bytes that stay together"),
        )
        return Kernel(
            name="slice_x8",
            instructions=20 * self.rows(graph).steps + runs * (6 if run == 1 else 20 + run // 2),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call("tg_slice_x8", "slice_x8.h", fields),
            apart=partial(self._kernel, graph) if self._follows_pixels(graph) else None,
        )

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

    def _loops(self, graph: Graph, pitches: Pitches = TOGETHER) -> tuple[int, list[tuple[int, int, int]], int]:
        """The first byte read, loops, outermost first, and the run.

        A loop is its count, and the bytes from one turn to the next in the input and in the output.
        """
        source, spans = self.input(graph, 0), self.spans(graph)
        size = source.dtype.itemsize
        counts = tuple(span.count for span in spans)
        read = _byte_strides(source.shape, size, dict(pitches.inputs).get(0))
        written = _byte_strides(counts, size, pitches.output)
        dimensions = list(zip(spans, read, written, strict=True))[2 if self._window(graph) is not None else 0 :]
        axes = [(span.count, (span.step * stride, to)) for span, stride, to in dimensions]
        loops = [(count, stride, to) for count, (stride, to) in merge_axes([*axes, (size, (1, 1))])]
        first = sum(span.begin * stride for span, stride, _ in dimensions)
        if loops and loops[-1][1:] == (1, 1):
            return first, loops[:-1], loops[-1][0]
        return first, loops, 1

    def _follows_pixels(self, graph: Graph) -> bool:
        """The loops suffice when pixels lie apart, and the last dimension of the output is that of the input."""
        counts = [span.count for span in self.spans(graph)]
        return len(counts) <= LOOPS and counts[-1:] == list(self.output(graph).shape[-1:])


def _byte_strides(shape: tuple[int, ...], size: int, pitch: int | None) -> tuple[int, ...]:
    """Bytes from one index to the next along each dimension, of elements of `size` bytes and pixels `pitch` apart."""
    return tuple(n * size for n in contiguous_strides(shape, None if pitch is None else pitch // size))


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
