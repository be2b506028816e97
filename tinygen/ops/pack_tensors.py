"""PACK of int8 or float32 tensors of one shape along a new dimension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Origin
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Options, register
from tinygen.ir.tensor import Array, Tensor
from tinygen.ops.activation import Activation
from tinygen.ops.check import Check
from tinygen.ops.concatenation import Concatenation


@register("PACK")
@dataclass(frozen=True, kw_only=True)
class Pack(Concatenation):
    """A concatenation of inputs that lack the dimension: what an input has of a run is the same with and without."""

    kind: ClassVar[str] = "PACK"
    pixels: ClassVar[bool] = False
    """Runs are not what a pixel of the inputs has."""

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        axis = options.integer("axis")
        return cls(inputs=inputs, outputs=outputs, origin=origin, axis=axis, activation=Activation.NONE)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        return (np.stack([x for x in inputs if x is not None], axis=self.axis),)

    def _row_wise(self, graph: Graph) -> bool:
        return super()._row_wise(graph) and len(self.output(graph).shape) == 4

    def _check_shapes(self, check: Check, sources: Sequence[Tensor], output: Tensor) -> None:
        rank, axis = len(output.shape), self._positive_axis(output)
        if rank < 2 or not 0 <= axis < rank:
            check.report("TG204", f"axis must be one of the output's 2 dimensions or more, found {self.axis}", output)
            return
        for i, source in enumerate(sources):
            if not check.shape(source, f"input {i}", (*output.shape[:axis], *output.shape[axis + 1 :])):
                return
        if output.shape[axis] != len(sources):
            message = f"output must have {len(sources)} indices along dimension {axis}, found {output.describe()}"
            check.report("TG203", message, output)
