"""ARG_MAX and ARG_MIN: where along a dimension the first of the largest or smallest int8 is, as int32 or int64."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.ir.call import Call, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, register
from tinygen.ir.rows import SAME_ROW, WHOLE, Rows
from tinygen.ir.tensor import Array, DType
from tinygen.ops.check import Check
from tinygen.ops.slicing import integers


class _ArgExtreme(Op):
    """Inputs: activation, and the dimension as a constant (negative ones count from the end)."""

    larger: ClassVar[bool]

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2):
            return iter(check.found)
        source, axes, output = check.activation(0), check.input(1, "axis"), check.output()
        if source is None or axes is None or output is None:
            return iter(check.found)
        check.dtype(output, "output", DType.INT32, DType.INT64)
        if not check.dtype(axes, "axis", DType.INT32, DType.INT64) or not check.constant(axes, "axis"):
            return iter(check.found)
        rank = len(source.shape)
        if axes.elements != 1:
            check.report("TG203", f"axis must be one value, found {axes.describe()}", axes)
        elif not -rank <= integers(axes)[0] < rank:
            check.report("TG204", f"axis must be within {-rank} to {rank - 1}, found {integers(axes)[0]}", axes)
        elif not source.elements:
            check.report("TG203", f"input must have elements, found {source.describe()}", source)
        else:
            axis = self._axis(graph)
            check.shape(output, "output", (*source.shape[:axis], *source.shape[axis + 1 :]))
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        if (x := inputs[0]) is None:
            raise ValueError("reference needs a verified operator")
        find = np.argmax if self.larger else np.argmin
        return (np.asarray(find(x, self._axis(graph)), self.output(graph).dtype.numpy),)

    def rows(self, graph: Graph) -> Rows:
        """Row by row where the channels of a pixel are compared and rows stay rows."""
        shape = self.input(graph, 0).shape
        if len(shape) == 4 and shape[0] == 1 and self._axis(graph) == 3:
            return Rows(steps=shape[1], inputs=((0, SAME_ROW),))
        return Rows(steps=1, inputs=((0, WHOLE),), writes_row=False)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics are the same here."""
        source, output, axis = self.input(graph, 0), self.output(graph), self._axis(graph)
        steps = self.rows(graph).steps
        count, inner = source.shape[axis], prod(source.shape[axis + 1 :])
        fields = (
            Field("outer", source.elements // (steps * count * inner), "results before the dimension"),
            Field("count", count, "elements compared"),
            Field("inner", inner, "results after the dimension, and bytes from one element to the next"),
        )
        name = f"arg_{'max' if self.larger else 'min'}_s8_s{8 * output.dtype.itemsize}"
        kernel = Kernel(
            name=name,
            instructions=20 * steps + 5 * source.elements + 15 * output.elements,
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call(f"tg_{name}", "arg_extreme_s8.h", fields, params="tg_arg_extreme_s8_params"),
        )
        return (kernel,)

    def _axis(self, graph: Graph) -> int:
        return integers(self.input(graph, 1))[0] % len(self.input(graph, 0).shape)


@register("ARG_MAX")
@dataclass(frozen=True, kw_only=True)
class ArgMax(_ArgExtreme):
    """The largest."""

    kind: ClassVar[str] = "ARG_MAX"
    larger: ClassVar[bool] = True


@register("ARG_MIN")
@dataclass(frozen=True, kw_only=True)
class ArgMin(_ArgExtreme):
    """The smallest."""

    kind: ClassVar[str] = "ARG_MIN"
    larger: ClassVar[bool] = False
