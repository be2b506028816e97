"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same bytes under another shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, register
from tinygen.ir.tensor import Array, Tensor
from tinygen.ops.check import Check


@register("RESHAPE")
@dataclass(frozen=True, kw_only=True)
class Reshape(Op):
    """Shapes are static, so the output tensor's says everything; a constant second input has to agree with it."""

    kind: ClassVar[str] = "RESHAPE"
    alias: ClassVar[bool] = True
    shape_inputs: ClassVar[tuple[int, ...]] = (1,)

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(1, 2):
            return iter(check.found)
        source, output = check.input(0), check.output()
        if source is None or output is None:
            return iter(check.found)
        check.dtype(output, "output", source.dtype)
        if self._same_elements(check, source, output):
            wanted = check.optional(1)
            if wanted is not None:
                self._check_argument(check, wanted, output)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = inputs[0]
        if x is None:
            raise ValueError("reference needs a verified operator")
        return (x.reshape(self.output(graph).shape),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """None: nothing is computed."""
        return ()

    def _same_elements(self, check: Check, source: Tensor, output: Tensor) -> bool:
        if source.elements == output.elements:
            return True
        check.report("TG203", f"output must have as many elements as {source.describe()}, found {output.describe()}")
        return False

    def _check_argument(self, check: Check, wanted: Tensor, output: Tensor) -> None:
        """The shape asked for, where -1 stands for whatever remains."""
        if not check.constant(wanted, "shape") or wanted.data is None:
            return
        found = tuple(np.asarray(wanted.data).reshape(-1).tolist())
        if len(found) != len(output.shape) or any(n not in (-1, m) for n, m in zip(found, output.shape, strict=True)):
            text = "x".join(map(str, found))
            check.report("TG203", f"output must have the shape asked for, [{text}], found {output.describe()}", output)


class _Ones(Reshape):
    """Adds or removes dimensions of size 1; which ones is clear from the shapes."""

    shape_inputs: ClassVar[tuple[int, ...]] = ()

    def _same_elements(self, check: Check, source: Tensor, output: Tensor) -> bool:
        if [n for n in source.shape if n != 1] == [n for n in output.shape if n != 1]:
            return True
        message = f"output must be {source.describe()} up to dimensions of size 1, found {output.describe()}"
        check.report("TG203", message, output)
        return False

    def _check_argument(self, check: Check, wanted: Tensor, output: Tensor) -> None:
        check.constant(wanted, "axis")


@register("SQUEEZE")
@dataclass(frozen=True, kw_only=True)
class Squeeze(_Ones):
    kind: ClassVar[str] = "SQUEEZE"


@register("EXPAND_DIMS")
@dataclass(frozen=True, kw_only=True)
class ExpandDims(_Ones):
    kind: ClassVar[str] = "EXPAND_DIMS"
