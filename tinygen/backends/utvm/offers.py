"""What the backend offers the scheduler: one kernel for each operator, and the header with all row functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import tvm

from tinygen.backends.options import CompileOptions
from tinygen.backends.rendering import render
from tinygen.backends.utvm.operators import lowering
from tinygen.backends.utvm.rows import NAME, Lowering, RowFunction
from tinygen.backends.utvm.tuning import Tuning
from tinygen.errors import error
from tinygen.ir.call import Call, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op

Portable = Callable[[Op, Graph, CompileOptions], tuple[Kernel, ...]]


@dataclass(frozen=True, eq=False)
class Offers:
    """The kernels of each operator, and generated headers by name."""

    kernels: tuple[tuple[Kernel, ...], ...]
    headers: Mapping[str, str]


def offers(graph: Graph, options: CompileOptions, prefix: str, tuning: Tuning | None, portable: Portable) -> Offers:
    """PrimFuncs where there are some, the portable kernels for other operators."""
    symbols: dict[str, str] = {}
    functions: dict[str, RowFunction] = {}
    users: dict[str, list[int]] = {}
    header = f"{prefix}_tvm.h"
    kernels: list[tuple[Kernel, ...]] = []
    for op in graph.ops:
        found = None if op.alias else lowering(op, graph, options.rounding)
        if found is None:
            kernels.append(portable(op, graph, options))
            continue
        function = _function(found, tuning, options)
        index = op.origin.op_index or 0
        symbol = symbols.setdefault(function.text, f"{prefix}_{index:02d}_tvm")
        functions.setdefault(symbol, function)
        users.setdefault(symbol, []).append(index)
        kernels.append((_kernel(symbol, header, function),))
    texts = [
        {
            "title": f"Of layer{'s' if len(users[s]) > 1 else ''} {', '.join(map(str, users[s]))}.",
            "comment": function.comment,
            "text": function.text.replace(NAME, s),
        }
        for s, function in functions.items()
    ]
    values = {"prefix": prefix, "guard": prefix.upper(), "tvm": tvm.__version__, "functions": texts}
    return Offers(tuple(kernels), {header: render("utvm/operators.h.j2", values)} if functions else {})


def _function(found: Lowering, tuning: Tuning | None, options: CompileOptions) -> RowFunction:
    """With the best candidate of the tuning, or as it is without."""
    decision = tuning.best(found.key) if tuning is not None else None
    if tuning is None or decision is None:
        return found.function(found.default)
    if decision not in (found.default, *found.candidates):
        message = f"the tuning has '{decision}' for {found.key}, which is no schedule of this version"
        raise error("TG430", message, hints=("run tinygen tune again with a new file",))
    if not decision.requires <= options.features:
        missing = ", ".join(sorted(decision.requires - options.features))
        message = f"the tuning is for {tuning.target}, and the core that code is generated for lacks {missing}"
        hints = ("name the board that it was made for with --board", "tinygen tune makes one for another board")
        raise error("TG431", message, hints=hints)
    count = tuning.count(found.key, decision)
    function = found.function(decision)
    return function if count is None else replace(function, instructions=count)


def _kernel(symbol: str, header: str, function: RowFunction) -> Kernel:
    flash = sum(field.value.data.nbytes for field in function.fields if hasattr(field.value, "data"))
    call = partial(
        Call,
        symbol,
        header,
        function.fields,
        function.args,
        function.scratch_bytes,
        function.accumulator_bytes,
        function.params,
    )
    return Kernel(symbol, function.instructions, flash, function.scratch_bytes, call, in_place=function.in_place)
