"""BATCH_MATMUL: products of int8 matrices, for each pair in the leading dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Diagnostic, Origin
from tinygen.fixedpoint import quantize_multiplier
from tinygen.ir.call import Call, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.rows import SAME_ROW, WHOLE, Rows, Window
from tinygen.ir.tensor import Array, Quantization, geometry
from tinygen.ops.check import Check
from tinygen.ops.requantize import requantize
from tinygen.ops.rescale import single_product


@dataclass(frozen=True)
class _Matrices:
    """Rows, columns and depth of each product, and the products: `batches` pairs, or one operand with all others."""

    rows: int
    columns: int
    depth: int
    batches: int
    left_batches: int
    right_batches: int


@register("BATCH_MATMUL")
@dataclass(frozen=True, kw_only=True)
class BatchMatMul(Op):
    """Inputs: [..., M, K] and [..., K, N], either transposed on request. Differences to the zero points are multiplied.

    A step is a matrix where there are several in [1, B, M, N], a row of the left matrix in [1, M, N].
    """

    kind: ClassVar[str] = "BATCH_MATMUL"
    adj_x: bool
    adj_y: bool

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        adjoint = {"adj_x": options.boolean("adj_x"), "adj_y": options.boolean("adj_y")}
        return cls(inputs=inputs, outputs=outputs, origin=origin, **adjoint)

    def macs(self, graph: Graph) -> int:
        return self.output(graph).elements * self._matrices(graph).depth

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2):
            return iter(check.found)
        left, right = check.activation(0, "input 0", 2, 3, 4, 5), check.activation(1, "input 1", 2, 3, 4, 5)
        output = check.output_activation()
        if left is None or right is None or output is None:
            return iter(check.found)
        rows, depth = self._sides(left.shape, self.adj_x)
        other_depth, columns = self._sides(right.shape, self.adj_y)
        batches = [_batches(left.shape), _batches(right.shape)]
        if depth != other_depth:
            message = "the matrices must have as many columns as rows"
            check.report("TG203", f"{message}, found {left.describe()} and {right.describe()}", right)
        elif batches[0] != batches[1] and all(batches):
            message = "the leading dimensions must be the same, or those of one input all 1"
            check.report("TG203", f"{message}, found {left.describe()} and {right.describe()}", right)
        else:
            leading = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
            check.shape(output, "output", (*leading, rows, columns))
        if check.clean and left.quant and right.quant and output.quant:
            factor = _factor(left.quant, right.quant, output.quant)
            if not factor < 1 << 20 or 255 * 255 * depth << max(quantize_multiplier(factor)[1], 0) >= 1 << 31:
                found = f"found {depth} products times a factor of {factor:.6g}"
                check.report("TG205", f"sums must stay within 32 bits when requantized, {found}", output)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        a, b = inputs
        left, right, result = self._quantizations(graph)
        if a is None or b is None:
            raise ValueError("reference needs a verified operator")
        first, second = a.astype(np.int64) - left.zero_point, b.astype(np.int64) - right.zero_point
        first = first.swapaxes(-1, -2) if self.adj_x else first
        second = second.swapaxes(-1, -2) if self.adj_y else second
        multiplier, shift = quantize_multiplier(_factor(left, right, result))
        return (requantize(first @ second, multiplier, shift, result.zero_point, (-128, 127)),)

    def rows(self, graph: Graph) -> Rows:
        shape = self.output(graph).shape
        steps, _ = geometry(shape)
        left, right = self.input(graph, 0).shape, self.input(graph, 1).shape
        if len(shape) == 4 and steps > 1 and all(s[:2] in ((1, steps), (1, 1)) for s in (left, right) if len(s) == 4):
            windows = [SAME_ROW if s[:2] == (1, steps) else Window(stride=0) for s in (left, right)]
            if len(left) == len(right) == 4:
                return Rows(steps=steps, inputs=tuple(enumerate(windows)))
        if len(shape) == len(left) == 3 and left[0] == 1 and steps > 1 and not self.adj_x:
            return Rows(steps=steps, inputs=((0, SAME_ROW), (1, WHOLE)))
        return Rows(steps=1, inputs=((0, WHOLE), (1, WHOLE)), writes_row=False)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics round twice here."""
        left, right, result = self._quantizations(graph)
        matrices, steps = self._matrices(graph), self.rows(graph).steps
        factor = _factor(left, right, result)
        multiplier, shift = quantize_multiplier(factor)
        m, n, k = matrices.rows, matrices.columns, matrices.depth
        by_matrix = steps == matrices.batches
        products = 1 if by_matrix else matrices.batches
        fields = (
            Field("batches", products, "pairs of matrices"),
            Field("left_batch", m * k if matrices.left_batches > 1 else 0, "from one to the next"),
            Field("right_batch", n * k if matrices.right_batches > 1 else 0, ""),
            Field("rows", m if by_matrix or steps == 1 else 1, "of the product"),
            Field("columns", n, ""),
            Field("depth", k, ""),
            Field("left_row", 1 if self.adj_x else k, "from one row to the next"),
            Field("left_step", m if self.adj_x else 1, "along a row"),
            Field("right_column", k if self.adj_y else 1, "from one column to the next"),
            Field("right_step", 1 if self.adj_y else n, "along a column"),
            Field("left_zero_point", left.zero_point, ""),
            Field("right_zero_point", right.zero_point, ""),
            Field("multiplier", multiplier, f"of {factor:.9g}"),
            Field("shift", shift, ""),
            Field("zero_point", result.zero_point, ""),
        )
        outputs = self.output(graph).elements
        kernel = Kernel(
            name="batch_matmul_s8",
            instructions=outputs * (30 + 7 * k) + 30 * steps,
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call("tg_batch_matmul_s8", "batch_matmul_s8.h", fields),
        )
        return (kernel,)

    def _matrices(self, graph: Graph) -> _Matrices:
        left, right = self.input(graph, 0).shape, self.input(graph, 1).shape
        rows, depth = self._sides(left, self.adj_x)
        _, columns = self._sides(right, self.adj_y)
        counts = prod(left[:-2]), prod(right[:-2])
        return _Matrices(rows, columns, depth, max(counts), *counts)

    @staticmethod
    def _sides(shape: tuple[int, ...], adjoint: bool) -> tuple[int, int]:
        """Rows and columns of a matrix as it is multiplied."""
        return (shape[-1], shape[-2]) if adjoint else (shape[-2], shape[-1])

    def _quantizations(self, graph: Graph) -> tuple[Quantization, Quantization, Quantization]:
        """Those of both inputs and of the output."""
        left, right, result = self.input(graph, 0).quant, self.input(graph, 1).quant, self.output(graph).quant
        if left is None or right is None or result is None:
            raise ValueError("kernels and references need a verified operator")
        return left, right, result


def _batches(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The leading dimensions without those of size 1 before the first other; empty for a single matrix."""
    leading = shape[:-2]
    first = next((at for at, n in enumerate(leading) if n != 1), len(leading))
    return leading[first:]


def _factor(left: Quantization, right: Quantization, result: Quantization) -> float:
    """LiteRT multiplies the two scales in float32."""
    return single_product(left.scale, right.scale) / result.scale
