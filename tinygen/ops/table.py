"""What functions of one int8 share: checks, reference and kernel of a table of all 256 results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import Diagnostic
from tinygen.fixedpoint import Int
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.ir.tensor import Array, DType, Quantization
from tinygen.ops.check import Check
from tinygen.ops.elementwise import ElementwiseOp, apply_table, byte_values, check_unary, table_kernel

Floats = NDArray[np.float32]


class TableOp(ElementwiseOp):
    """An operator that is a table; both numerics have the same."""

    def table(self, steps: Int, source: Quantization, result: Quantization) -> Int:
        """The results, zero point included and not yet clamped; `steps` are the inputs' distances to the zero point."""
        raise NotImplementedError

    def check_scales(self, check: Check, source: Quantization, result: Quantization) -> None:
        """Reports scales that the arithmetic cannot represent."""

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if check_unary(check) is not None:
            source, output = check.activation(0), check.output_activation()
            if source is not None and output is not None and source.quant is not None and output.quant is not None:
                self.check_scales(check, source.quant, output.quant)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        if (x := inputs[0]) is None:
            raise ValueError("reference needs a verified operator")
        return (apply_table(self._bytes(graph), x),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (table_kernel(graph, self, self._bytes(graph)),)

    def _bytes(self, graph: Graph) -> Array:
        source, result = self.input(graph, 0).quant, self.output(graph).quant
        if source is None or result is None:
            raise ValueError("the table needs a verified operator")
        values = self.table(byte_values(DType.INT8) - source.zero_point, source, result)
        return np.clip(values, -128, 127).astype(np.int8)


class BoundedOp(ElementwiseOp):
    """A table for a function of bounded results, whose output has always the same quantization."""

    steps_of_one: ClassVar[int]
    """The output's scale is one over it."""
    zero_point: ClassVar[int]
    """Of the output."""

    def table(self, steps: Int, source: Quantization, numerics: Numerics) -> Int:
        """The results, zero point included and not yet clamped; `steps` are the inputs' distances to the zero point."""
        raise NotImplementedError

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if check_unary(check) is None:
            return iter(check.found)
        check.activation(0)
        output = check.output_activation()
        quant = output.quant if output is not None else None
        if quant is not None and (quant.scale != 1 / self.steps_of_one or quant.zero_point != self.zero_point):
            expected = f"scale 1/{self.steps_of_one} and zero point {self.zero_point}"
            check.report("TG205", f"output must have {expected}, found {quant.scale:g} and {quant.zero_point}", output)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x = inputs[0]
        if x is None:
            raise ValueError("reference needs a verified operator")
        return (apply_table(self._bytes(graph, numerics), x),)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (table_kernel(graph, self, self._bytes(graph, numerics)),)

    def _bytes(self, graph: Graph, numerics: Numerics) -> Array:
        quant = self.input(graph, 0).quant
        if quant is None:
            raise ValueError("the table needs a verified operator")
        values = self.table(byte_values(DType.INT8) - quant.zero_point, quant, numerics)
        return np.clip(values, -128, 127).astype(np.int8)


def rounded(function: Callable[[Floats], Floats], steps: Int, source: Quantization, result: Quantization) -> Int:
    """The table of a real function as LiteRT populates it: in float32, times the inverse scale, ties away from zero.

    What LiteRT leaves undefined, results beyond int32, saturates.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        values = function(np.float32(source.scale) * steps.astype(np.float32))
        quotients = values * (np.float32(1) / np.float32(result.scale))
    within = np.clip(quotients.astype(np.float64), -(2.0**30), 2.0**30)
    return np.asarray(np.sign(within) * np.floor(np.abs(within) + 0.5), np.int64) + result.zero_point


def single(function: Callable[[NDArray[np.float64]], NDArray[np.float64]], x: Floats) -> Floats:
    """A function of the C library in float32: the correctly rounded result."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return function(x.astype(np.float64)).astype(np.float32)
