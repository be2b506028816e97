"""What ADD, SUB and MUL share: two int8 operands with broadcasting, and a fused activation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from tinygen.errors import Diagnostic, Origin
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op, Options
from tinygen.ir.rows import Rows
from tinygen.ir.tensor import Quantization
from tinygen.ops.activation import Activation
from tinygen.ops.broadcast import broadcast, check_broadcast
from tinygen.ops.check import Check


@dataclass(frozen=True, kw_only=True)
class BinaryOp(Op):
    """Inputs: two activations or constants."""

    activation: Activation

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        activation = Activation[options.enum("fused_activation_function")]
        return cls(inputs=inputs, outputs=outputs, origin=origin, activation=activation)

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2):
            return iter(check.found)
        a, b, output = check.activation(0, "input 0"), check.activation(1, "input 1"), check.output_activation()
        check.clamp(self.activation)
        if a is None or b is None or output is None:
            return iter(check.found)
        check_broadcast(check, a, b, output)
        if a.quant is not None and b.quant is not None and output.quant is not None:
            self.check_scales(check, a.quant, b.quant, output.quant)
        return iter(check.found)

    def check_scales(self, check: Check, a: Quantization, b: Quantization, result: Quantization) -> None:
        """Reports scales whose ratios the integer arithmetic cannot represent."""
        raise NotImplementedError

    def rows(self, graph: Graph) -> Rows:
        return broadcast(self, graph).rows()

    def quantizations(self, graph: Graph) -> tuple[Quantization, Quantization, Quantization]:
        """Those of both operands and of the output."""
        a, b, result = self.input(graph, 0).quant, self.input(graph, 1).quant, self.output(graph).quant
        if a is None or b is None or result is None:
            raise ValueError("kernels and references need a verified operator")
        return a, b, result
