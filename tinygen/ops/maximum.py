"""MAXIMUM and MINIMUM of two int8 activations or constants, with broadcasting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.ir.call import TOGETHER, Call, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, register
from tinygen.ir.rows import Rows
from tinygen.ir.tensor import Array
from tinygen.ops.broadcast import broadcast, check_broadcast
from tinygen.ops.check import Check


class Extremum(Op):
    """Inputs: two activations or constants. Bytes are compared: as in LiteRT, scales and zero points play no role."""

    symbol: ClassVar[str]
    ufunc: ClassVar[np.ufunc]

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if check.arity(2):
            a, b, output = check.activation(0, "input 0"), check.activation(1, "input 1"), check.output_activation()
            if a is not None and b is not None and output is not None:
                check_broadcast(check, a, b, output)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        a, b = inputs
        if a is None or b is None:
            raise ValueError("reference needs a verified operator")
        return (np.asarray(self.ufunc(a, b)),)

    def rows(self, graph: Graph) -> Rows:
        return broadcast(self, graph).rows()

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics are the same here."""
        return (self._kernel(graph),)

    def _kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        shape = broadcast(self, graph, pitches)
        fields = shape.fields()
        args = ("y", "rows", "out")
        return Kernel(
            name=f"{self.symbol}_s8",
            instructions=shape.steps * (20 + 7 * shape.elements),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call(f"tg_{self.symbol}_s8", "extremum_s8.h", fields, args, params="tg_extremum_s8_params"),
            in_place=shape.in_place,
            apart=partial(self._kernel, graph),
        )


@register("MAXIMUM")
@dataclass(frozen=True, kw_only=True)
class Maximum(Extremum):
    """The larger of two elements."""

    kind: ClassVar[str] = "MAXIMUM"
    symbol: ClassVar[str] = "maximum"
    ufunc: ClassVar[np.ufunc] = np.maximum


@register("MINIMUM")
@dataclass(frozen=True, kw_only=True)
class Minimum(Extremum):
    """The smaller of two elements."""

    kind: ClassVar[str] = "MINIMUM"
    symbol: ClassVar[str] = "minimum"
    ufunc: ClassVar[np.ufunc] = np.minimum
