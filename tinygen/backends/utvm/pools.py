"""ADD, the pools and SOFTMAX as row functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinygen.backends.utvm import elementwise
from tinygen.backends.utvm.printer import FunctionText
from tinygen.backends.utvm.rows import NAME, Lowering, RowFunction, gathered, prim_function, row_function
from tinygen.ir.call import Constant, Field
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import geometry
from tinygen.ops.activation import activation_range
from tinygen.ops.add import Add
from tinygen.ops.average_pool_2d import AveragePool2D
from tinygen.ops.broadcast import broadcast
from tinygen.ops.max_pool_2d import MaxPool2D
from tinygen.ops.pool import Pool
from tinygen.ops.softmax import Softmax, exponentials

_PARAMS = "tg_tvm_layer"


def lower_add(op: Add, graph: Graph) -> Lowering | None:
    """None where an operand is repeated: those rows are no single loop."""
    shape = broadcast(op, graph)
    if any(o.window is None or o.window.stride != 1 for o in shape.operands) or shape.counts[:2] != (1, 1):
        return None
    if any(o.strides[2] != 1 for o in shape.operands):
        return None
    quants = op.quantizations(graph)
    rescalings = op.rescalings(graph)
    terms = [
        elementwise.Operand(quant.zero_point, multiplier, -shift)
        for quant, (multiplier, shift) in zip(quants, rescalings, strict=True)
    ]
    a, b = (terms[o.position] for o in shape.operands)
    limits = activation_range(op.activation, quants[2], op.output(graph).dtype)
    total = elementwise.Sum(shape.elements, a, b, terms[2], *limits)
    body = [f"{NAME}_sum(rows[0], rows[1], out);"]
    function = RowFunction(
        comment=(f"Sums of {total.elements} elements.",),
        text=_text([("sum", elementwise.sum_function(total, op.FRACTION))], ("rows", "out"), body),
        fields=(Field("rows", shape.steps),),
        params=_PARAMS,
        args=("rows", "out"),
        instructions=shape.steps * shape.elements * 20,
        in_place=shape.in_place,
    )
    return Lowering(function=lambda _: function)


def lower_average_pool(op: AveragePool2D, graph: Graph) -> Lowering | None:
    """A single window adds row by row; None for others with padding, whose windows differ in size."""
    if not op.is_global(graph):
        return _lower_windows(op, graph, mean=True) if max(op.padding) == 0 else None
    (rows, columns), channels = op.covered(graph), op.output(graph).shape[3]
    mean = elementwise.Mean(rows, columns, channels, *op.limits(graph))
    body = [
        "if (y == 0) {",
        f"    memset(acc, 0, {channels} * sizeof *acc);",
        "}",
        f"{NAME}_add(rows[0], acc, acc);",
        f"if (y == {rows - 1}) {{",
        f"    {NAME}_mean(acc, out);",
        "}",
    ]
    args = ("y", "rows", "out", "acc")
    parts = [("add", elementwise.row_sums_function(mean)), ("mean", elementwise.means_function(mean))]
    function = RowFunction(
        comment=(f"Means of {rows} x {columns} pixels of {channels} channels, a row at a time.",),
        text=_text(parts, args, body),
        fields=(Field("rows", 1),),
        params=_PARAMS,
        args=args,
        instructions=channels * (rows * (columns * 4 + 10) + 15),
        accumulator_bytes=4 * channels,
    )
    return Lowering(function=lambda _: function)


def lower_max_pool(op: MaxPool2D, graph: Graph) -> Lowering | None:
    return _lower_windows(op, graph, mean=False)


def _lower_windows(op: Pool, graph: Graph, *, mean: bool) -> Lowering:
    gather, output = gathered(op, graph, -128), op.output(graph)
    channels = output.shape[3]
    (height, width), step = op.size, op.strides[1] * channels
    pool = elementwise.Pool(mean, height, width, gather.line, step, output.shape[2], channels, *op.limits(graph))
    args = ("rows", "out", "scratch")
    what = "Means" if mean else "The largest"
    function = RowFunction(
        comment=(f"{what} of windows of {height} x {width}, {pool.pixels} pixels of {channels} channels.",),
        text=_text([("pool", elementwise.pool_function(pool))], args, [*gather.lines(), f"{NAME}_pool(patch, out);"]),
        fields=(Field("rows", output.shape[1]),),
        params=_PARAMS,
        args=args,
        instructions=output.elements * (height * width * 4 + 20) + output.shape[1] * gather.scratch_bytes,
        scratch_bytes=gather.scratch_bytes,
    )
    return Lowering(function=lambda _: function)


def lower_softmax(op: Softmax, graph: Graph) -> Lowering:
    """The table of exponentials is a constant; from its last entry on they are 0."""
    source = op.input(graph, 0)
    if source.quant is None:
        raise ValueError("lowering needs a verified operator")
    table = exponentials(source.quant.scale, op.beta)
    entries = int(np.flatnonzero(table)[-1]) + 1
    steps, count = geometry(source.shape)
    depth = source.shape[-1]
    likelihoods = elementwise.Likelihoods(count // depth, depth, entries)
    constant = Constant("exponentials", np.append(table[:entries], 0).astype(np.int32), "31 fractional bits")
    name = f"{NAME}_softmax"
    text = "\n\n".join(
        (
            prim_function(name, elementwise.softmax_function(likelihoods), restrict=False),
            row_function("tg_tvm_softmax", ("rows", "out"), [f"{name}(rows[0], p->exponentials, out);"]),
        )
    )
    function = RowFunction(
        comment=(f"{likelihoods.vectors} vectors of {depth} likelihoods.",),
        text=text,
        fields=(Field("exponentials", constant),),
        params="tg_tvm_softmax",
        args=("rows", "out"),
        instructions=steps * likelihoods.vectors * (150 + 40 * depth),
        in_place=(0,),
    )
    return Lowering(function=lambda _: function)


def _text(parts: Sequence[tuple[str, FunctionText]], args: Sequence[str], body: Sequence[str]) -> str:
    """PrimFuncs that may write what they read, and the function that calls them."""
    functions = (prim_function(f"{NAME}_{name}", function, restrict=False) for name, function in parts)
    return "\n\n".join((*functions, row_function(_PARAMS, args, ["(void)p;", *body])))
