"""Operators that tinygen knows by name only: backends that hand the model file on do not need to know more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from tinygen.errors import Diagnostic, error
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op
from tinygen.ir.tensor import Array


@dataclass(frozen=True, kw_only=True)
class Opaque(Op):
    """Nothing about it is checked, and nothing can be computed."""

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        return iter(())

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        raise error("TG507", f"tinygen has no reference of {self.kind} to compare with", origin=self.origin)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        raise ValueError(f"{self.kind} has no kernels")


@cache
def opaque(kind: str) -> type[Opaque]:
    """The class of an operator that is known by this name only."""
    return type(f"Opaque_{kind}", (Opaque,), {"kind": kind})
