"""What both pooling operators hand to CMSIS-NN."""

from __future__ import annotations

from tinygen.backends.cmsis_nn.structs import clamp, dims, tile
from tinygen.ir.call import Call, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.rows import WHOLE, Rows
from tinygen.ops.pool import Pool

_INSTRUCTIONS_PER_TAP = 3


def pooling_kernel(op: Pool, graph: Graph, symbol: str, scratch: int, scratch_needed: str = "") -> Kernel:
    """A call of `symbol` for the whole layer."""
    source, output = op.input(graph, 0), op.output(graph)
    fields = (
        Field(
            "pool",
            (
                tile("stride", *op.strides),
                tile("padding", op.padding[0], op.padding[2]),
                clamp(op.limits(graph)),
            ),
        ),
        dims("input", *source.shape),
        dims("filter", 1, *op.size, 1),
        dims("output", *output.shape),
        Field("scratch_bytes", scratch),
    )
    args = ("rows", "out", "scratch")
    call = Call(f"tg_{symbol}", f"{symbol}.h", fields, args, scratch, scratch_needed=scratch_needed)
    return Kernel(
        name=symbol,
        instructions=output.elements * op.size[0] * op.size[1] * _INSTRUCTIONS_PER_TAP,
        flash_bytes=0,
        scratch_bytes=scratch,
        call=lambda: call,
        rows=Rows(steps=1, inputs=((0, WHOLE),), writes_row=False),
    )
