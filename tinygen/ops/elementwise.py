"""What operators of one activation share that compute each element from the same element: row model, checks, table."""

from __future__ import annotations

import numpy as np

from tinygen.fixedpoint import Int
from tinygen.ir.call import Call, Constant, Field, Kernel
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


def table_kernel(graph: Graph, op: Op, table: Array) -> Kernel:
    """Looks each byte up in a table of 256 bytes that is indexed by the byte taken as unsigned."""
    steps, count = geometry(op.output(graph).shape)
    fields = (
        Field("count", count, "elements of a row"),
        Field("table", Constant("table", table.view(np.int8), "by the input's byte taken as unsigned"), ""),
    )
    return Kernel(
        name="lut_s8",
        instructions=steps * (10 + 5 * count),
        flash_bytes=table.nbytes,
        scratch_bytes=0,
        call=lambda: Call("tg_lut_s8", "lut_s8.h", fields),
        in_place=(0,),
    )
