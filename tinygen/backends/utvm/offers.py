"""What the backend offers the scheduler: one kernel for each operator, and the header with all row functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import tvm

from tinygen.backends.options import CompileOptions
from tinygen.backends.rendering import render
from tinygen.backends.utvm.decision import Decision, Dot
from tinygen.backends.utvm.operators import lowering
from tinygen.backends.utvm.rows import NAME, Lowering, RowFunction
from tinygen.backends.utvm.tuning import Tuning
from tinygen.errors import error
from tinygen.ir.call import Call, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.schedule.program import Program

Portable = Callable[[Op, Graph, CompileOptions], tuple[Kernel, ...]]


@dataclass(frozen=True, eq=False)
class Offers:
    """The kernels of each operator, and the row functions that they call by symbol."""

    prefix: str
    kernels: tuple[tuple[Kernel, ...], ...]
    functions: Mapping[str, RowFunction]
    schedules: Mapping[str, str]
    """What the row functions whose schedule is a choice were scheduled with, by symbol."""

    @property
    def smallest(self) -> tuple[tuple[Kernel, ...], ...]:
        """Of each operator only the kernel with the least scratch."""
        return tuple((min(kernels, key=lambda k: k.scratch_bytes),) if kernels else () for kernels in self.kernels)

    def header(self, program: Program) -> Mapping[str, str]:
        """The row functions that the chosen kernels call, as a header by its name."""
        users: dict[str, list[int]] = {}
        for layer in program.layers:
            if layer.call.symbol in self.functions:
                users.setdefault(layer.call.symbol, []).append(layer.op.origin.op_index or 0)
        texts = [
            {
                "title": f"Of layer{'s' if len(layers) > 1 else ''} {', '.join(map(str, layers))}.",
                "comment": self.functions[symbol].comment,
                "text": self.functions[symbol].text.replace(NAME, symbol),
            }
            for symbol, layers in users.items()
        ]
        values = {"prefix": self.prefix, "guard": self.prefix.upper(), "tvm": tvm.__version__, "functions": texts}
        return {_header(self.prefix): render("utvm/operators.h.j2", values)} if texts else {}


def offers(graph: Graph, options: CompileOptions, prefix: str, tuning: Tuning | None, portable: Portable) -> Offers:
    """PrimFuncs where there are some, the portable kernels for other operators.

    Raises:
        TinygenError: TG430 and TG431 where a schedule of the tuning cannot be used.
    """
    symbols: dict[str, str] = {}
    functions: dict[str, RowFunction] = {}
    schedules: dict[str, str] = {}
    kernels: list[tuple[Kernel, ...]] = []
    for op in graph.ops:
        found = None if op.alias else lowering(op, graph, options.rounding)
        if found is None:
            kernels.append(portable(op, graph, options))
            continue
        offered = []
        for (decision, function), suffix in zip(_functions(found, tuning, options), ("tvm", "tvm_small"), strict=False):
            symbol = symbols.setdefault(function.text, f"{prefix}_{op.origin.op_index or 0:02d}_{suffix}")
            functions.setdefault(symbol, function)
            if found.candidates:
                schedules.setdefault(symbol, str(decision))
            offered.append(_kernel(symbol, _header(prefix), function))
        kernels.append(tuple(offered))
    return Offers(prefix, tuple(kernels), functions, schedules)


def _header(prefix: str) -> str:
    return f"{prefix}_tvm.h"


def _functions(
    found: Lowering, tuning: Tuning | None, options: CompileOptions
) -> Iterator[tuple[Decision, RowFunction]]:
    """With the best candidate of the tuning, or as it is without; then one with less scratch, if there is one."""
    best = tuning.best(found.key) if tuning is not None else None
    if tuning is None or best is None:
        default = found.default(options.features)
        yield default, found.function(default)
        return
    fast = _tuned(found, best, tuning, options)
    yield best, fast
    if best.dot is Dot.WIDE:
        narrow = tuning.best(found.key, wide=False) or found.default(options.features)
        small = _tuned(found, narrow, tuning, options)
        if small.scratch_bytes < fast.scratch_bytes:
            yield narrow, small


def _tuned(found: Lowering, decision: Decision, tuning: Tuning, options: CompileOptions) -> RowFunction:
    if decision not in (*found.defaults, *found.candidates):
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
