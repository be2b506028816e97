"""What operators of one activation share that compute each element from the same element: row model, checks, table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from tinygen.fixedpoint import Int
from tinygen.ir.call import TOGETHER, Call, Constant, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.rows import SAME_ROW, Rows
from tinygen.ir.tensor import Array, DType, Tensor, geometry
from tinygen.ops.check import Check


class ElementwiseOp(Op):
    """An operator whose output row y depends on input row y alone, both of the same shape."""

    def rows(self, graph: Graph) -> Rows:
        steps, _ = geometry(self.output(graph).shape)
        return Rows(steps=steps, inputs=((0, SAME_ROW),))


def check_unary(check: Check) -> tuple[Tensor, Tensor] | None:
    """The only input and output, of the same shape; None after reporting why not."""
    if not check.arity(1):
        return None
    source, output = check.input(0), check.output()
    if source is None or output is None or not check.shape(output, "output", source.shape):
        return None
    return source, output


def byte_values(dtype: DType) -> Int:
    """The 256 values of an 8-bit type, in the order of their bytes taken as unsigned."""
    return np.arange(256, dtype=np.uint8).view(dtype.numpy).astype(np.int64)


def apply_table(table: Array, x: Array) -> Array:
    """table[byte] for each byte of an 8-bit array."""
    return table[x.view(np.uint8)]


@dataclass(frozen=True)
class Runs:
    """Elements of a row that follow each other in input and output: all of them, or a pixel where pixels lie apart."""

    runs: int
    count: int
    input_pitch: int
    output_pitch: int
    """In elements."""

    def fields(self) -> tuple[Field, ...]:
        """The members of a kernel's parameter struct that say where elements are."""
        return (
            Field("runs", self.runs, "of elements that follow each other in a row"),
            Field("count", self.count, "elements of a run"),
            Field("input_pitch", self.input_pitch, "elements from one run to the next"),
            Field("output_pitch", self.output_pitch, ""),
        )


def runs_of(graph: Graph, op: Op, pitches: Pitches) -> Runs:
    """The runs of an operator's rows, whose input and output are of one shape."""
    source, output = op.input(graph, 0), op.output(graph)
    _, elements = geometry(output.shape)
    if pitches == TOGETHER:
        return Runs(1, elements, elements, elements)
    pixel, size, written = output.shape[-1], source.dtype.itemsize, output.dtype.itemsize
    input_pitch = pitches.of_input(0, pixel * size) // size
    return Runs(elements // pixel, pixel, input_pitch, pitches.of_output(pixel * written) // written)


def table_kernel(graph: Graph, op: Op, table: Array, pitches: Pitches = TOGETHER) -> Kernel:
    """Looks each byte up in a table of 256 bytes that is indexed by the byte taken as unsigned."""
    steps, _ = geometry(op.output(graph).shape)
    runs = runs_of(graph, op, pitches)
    fields = (
        *runs.fields(),
        Field("table", Constant("table", table.view(np.int8), "by the input's byte taken as unsigned"), ""),
    )
    return Kernel(
        name="lut_s8",
        instructions=steps * runs.runs * (10 + 5 * runs.count),
        flash_bytes=table.nbytes,
        scratch_bytes=0,
        call=lambda: Call("tg_lut_s8", "lut_s8.h", fields),
        in_place=(0,),
        apart=partial(table_kernel, graph, op, table),
    )
