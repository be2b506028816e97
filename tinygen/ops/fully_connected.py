"""FULLY_CONNECTED: vectors of C values times weights [out channels, C]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Diagnostic, Origin
from tinygen.ir.call import Call, Constant, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.rows import SAME_ROW, WHOLE, Rows
from tinygen.ir.tensor import Array, geometry
from tinygen.ops.accumulators import check_accumulators
from tinygen.ops.activation import Activation, activation_range
from tinygen.ops.check import Check
from tinygen.ops.fully_connected_mve import fully_connected_mve_kernels
from tinygen.ops.pack import pack_vectors
from tinygen.ops.requantize import Requantization, fold_requantization, multipliers, requantize, vector_factors


@register("FULLY_CONNECTED")
@dataclass(frozen=True, kw_only=True)
class FullyConnected(Op):
    """Inputs: activation, weights, optional bias. The activation is read as consecutive vectors of C values.

    With `keep_dims` the output has the input's shape but for its last dimension, else it is [vectors, out channels].
    """

    kind: ClassVar[str] = "FULLY_CONNECTED"
    activation: Activation
    keep_dims: bool
    shuffled: bool
    """Weights in the schema's SHUFFLED4x16INT8 order, which is not supported."""

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(
            inputs=inputs,
            outputs=outputs,
            origin=origin,
            activation=Activation[options.enum("fused_activation_function")],
            keep_dims=options.boolean("keep_num_dims"),
            shuffled=options.enum("weights_format") != "DEFAULT",
        )

    def rows(self, graph: Graph) -> Rows:
        """Row by row where input and output have the same number of vectors in a row, else in a single step."""
        steps = geometry(self.input(graph, 0).shape)[0]
        if steps > 1 and self.keep_dims:
            return Rows(steps=steps, inputs=((0, SAME_ROW),))
        return Rows(steps=1, inputs=((0, WHOLE),), writes_row=False)

    def vectors(self, graph: Graph) -> int:
        """Vectors of one step."""
        return self.input(graph, 0).elements // self.input(graph, 1).shape[1] // self.rows(graph).steps

    def macs(self, graph: Graph) -> int:
        return self.output(graph).elements * self.input(graph, 1).shape[1]

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(2, 3):
            return iter(check.found)
        source = check.activation(0)
        weights = check.weights(1, rank=2, axis=0)
        output = check.output_activation()
        check.clamp(self.activation)
        if self.shuffled:
            check.report("TG204", "weights must be in DEFAULT format, found SHUFFLED4x16INT8")
        if source is None or weights is None or output is None:
            return iter(check.found)
        channels, depth = weights.shape
        check.bias(2, channels)
        if depth < 1 or source.elements % depth or source.elements == 0:
            check.report("TG203", f"input must be vectors of {depth} values, found {source.describe()}", source)
            return iter(check.found)
        if self.keep_dims and source.shape and source.shape[-1] == depth:
            check.shape(output, "output", (*source.shape[:-1], channels))
        elif self.keep_dims:
            message = f"input's last dimension must be {depth} to keep the others, found {source.describe()}"
            check.report("TG203", message, source)
        else:
            check.shape(output, "output", (source.elements // depth, channels))
        if check.clean and source.quant and weights.quant and output.quant:
            factors = vector_factors(source.quant, weights.quant, output.quant, channels)
            check_accumulators(check, weights, check.optional(2), source.quant, factors, axis=0)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        """As a matrix product in float64, exact for sums below 2**53; valid models do not overflow int32 either."""
        source, kernel, output = self.input(graph, 0).quant, self.input(graph, 1).quant, self.output(graph)
        x, weights, bias = inputs[0], inputs[1], inputs[2] if len(inputs) > 2 else None
        if x is None or weights is None or source is None or kernel is None or output.quant is None:
            raise ValueError("reference needs a verified operator")
        channels, depth = weights.shape
        vectors = x.reshape(-1, depth).astype(np.float64) - source.zero_point
        total = (vectors @ weights.T.astype(np.float64)).astype(np.int64)
        if bias is not None:
            total += bias.astype(np.int64).reshape(channels)
        multiplier, shift = multipliers(vector_factors(source, kernel, output.quant, channels))
        limits = activation_range(self.activation, output.quant, output.dtype)
        single = numerics is Numerics.LITERT
        result = requantize(total, multiplier, shift, output.quant.zero_point, limits, single_rounding=single)
        return (result.reshape(output.shape),)

    def requantization(self, graph: Graph, numerics: Numerics) -> Requantization:
        """From the accumulators of a verified operator to its outputs; LiteRT rounds once."""
        source, kernel, output = self.input(graph, 0).quant, self.input(graph, 1), self.output(graph)
        if source is None or kernel.quant is None or kernel.data is None or output.quant is None:
            raise ValueError("kernels need a verified operator")
        filters = kernel.data.astype(np.int8)
        bias = self.input(graph, 2).data if len(self.inputs) > 2 and self.inputs[2] >= 0 else None
        factors = multipliers(vector_factors(source, kernel.quant, output.quant, len(filters)))
        limits = activation_range(self.activation, output.quant, output.dtype)
        single, zero_point = numerics is Numerics.LITERT, output.quant.zero_point
        return fold_requantization(
            filters, bias, source.zero_point, factors, zero_point, limits, self.origin, single_rounding=single
        )

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        weights = self.input(graph, 1).data
        if weights is None:
            raise ValueError("kernels need a verified operator")
        filters = weights.astype(np.int8)
        channels, depth = filters.shape
        folded = self.requantization(graph, numerics)

        def call() -> Call:
            fields = (
                Field("vectors", self.vectors(graph)),
                Field("depth", depth),
                *folded.fields(),
                Field("weights", Constant("weights", pack_vectors(filters))),
            )
            symbol = "tg_fully_connected_s8" if numerics is Numerics.LITERT else "tg_fully_connected_double_s8"
            return Call(symbol, "fully_connected_s8.h", fields, params="tg_fully_connected_s8_params")

        instructions = self.output(graph).elements * (depth * 3 // 2 + 30)
        single = numerics is Numerics.LITERT
        vectors, steps = self.vectors(graph), self.rows(graph).steps
        return (
            Kernel("fully_connected_s8", instructions, channels * (depth + 9), 0, call),
            *fully_connected_mve_kernels(filters, folded, vectors, steps, single_rounding=single),
        )
