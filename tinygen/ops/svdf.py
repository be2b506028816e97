"""SVDF: filters over the last inferences, each a product of weights over the input and weights over time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import Diagnostic, Origin
from tinygen.fixedpoint import Int, multiply_double_rounding, quantize_multiplier
from tinygen.ir.call import Call, Constant, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.rows import WHOLE, Rows
from tinygen.ir.tensor import Array, DType, Tensor
from tinygen.ops.accumulators import check_accumulators
from tinygen.ops.activation import Activation
from tinygen.ops.check import Check
from tinygen.ops.pack import pack_vectors
from tinygen.ops.rescale import single_product, single_ratio

_INPUTS = 5
_FEATURE_WEIGHTS, _TIME_WEIGHTS, _BIAS, _STATE = range(1, _INPUTS)


@register("SVDF")
@dataclass(frozen=True, kw_only=True)
class Svdf(Op):
    """Inputs: activation, weights over the input, weights over time, optional bias, state.

    Source: Nakkiran et al. 2015, "Compressing Deep Neural Networks using a Rank-Constrained Topology". LiteRT takes the
    fused activation RELU only, and leaves it to the range of the output's quantization.
    """

    kind: ClassVar[str] = "SVDF"
    states: ClassVar[tuple[int, ...]] = (_STATE,)
    rank: int
    activation: Activation

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(
            inputs=inputs,
            outputs=outputs,
            origin=origin,
            rank=options.integer("rank"),
            activation=Activation[options.enum("fused_activation_function")],
        )

    def rows(self, graph: Graph) -> Rows:
        return Rows(steps=1, inputs=((0, WHOLE),), writes_row=False)

    def macs(self, graph: Graph) -> int:
        """Products with weights over the input and over time."""
        return self.input(graph, _FEATURE_WEIGHTS).elements + self.input(graph, _TIME_WEIGHTS).elements

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(_INPUTS):
            return iter(check.found)
        source, output = check.activation(0, "input", 2), check.output_activation()
        features = check.weights(_FEATURE_WEIGHTS, rank=2, axis=0)
        times = _int16(check, check.input(_TIME_WEIGHTS, "weights over time"), "weights over time")
        state = _int16(check, check.input(_STATE, "state"), "state")
        check.positive("rank", (self.rank,))
        if self.activation is not Activation.RELU:
            check.report("TG204", f"fused activation must be RELU, found {self.activation.name}")
        if None in (source, output, features, times, state) or not check.clean:
            return iter(check.found)
        assert source is not None
        assert output is not None
        assert features is not None
        assert times is not None
        assert state is not None
        filters, depth = features.shape
        check.constant(times, "weights over time")
        check.batch(source, "input")
        check.shape(source, "input", (1, depth))
        if len(times.shape) != 2 or times.shape[0] != filters:
            check.report("TG203", f"weights over time must be {filters} filters, found {times.describe()}", times)
        elif filters % self.rank:
            check.report("TG203", f"filters must be a multiple of the rank {self.rank}, found {filters}", features)
        else:
            check.shape(output, "output", (1, filters // self.rank))
            check.shape(state, "state", (1, times.elements))
            check.bias(_BIAS, filters // self.rank)
        if features.quant is not None and len(features.quant.scales) != 1:
            check.report("TG205", "weights must be quantized per tensor", features)
        if check.clean and source.quant is not None:
            factor, result = self._factors(graph)
            check_accumulators(check, features, None, source.quant, (factor,) * filters, axis=0)
            self._check_sums(check, graph, result)
        return iter(check.found)

    def _check_sums(self, check: Check, graph: Graph, factor: float) -> None:
        """Sums may wrap, but LiteRT's arithmetic must not overflow when it shifts them left for a large factor."""
        left = max(math.frexp(factor)[1], 0) if math.isfinite(factor) else 32
        weights, bias = self.input(graph, _TIME_WEIGHTS).data, check.optional(_BIAS)
        if left == 0 or weights is None:
            return
        reach = 32768 * np.abs(weights.astype(np.int64)).reshape(-1, self.rank * weights.shape[1]).sum(axis=1)
        if bias is not None and bias.data is not None:
            reach = reach + np.abs(bias.data.astype(np.int64)).reshape(-1)
        if left >= 32 or int(reach.max()) << left >= 1 << 31:
            found = f"found {reach.max()} times a factor of {factor:.6g}"
            check.report("TG205", f"accumulators must stay within 32 bits when requantized, {found}")

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        x, features, times, bias, state = inputs
        source, output = self.input(graph, 0).quant, self.output(graph)
        if x is None or features is None or times is None or state is None or source is None or output.quant is None:
            raise ValueError("reference needs a verified operator")
        factor, result = (quantize_multiplier(f) for f in self._factors(graph))
        sums = features.astype(np.int64) @ (x.astype(np.int64).reshape(-1) - source.zero_point)
        newest = np.clip(multiply_double_rounding(sums, *factor), -32768, 32767)
        remembered = state.astype(np.int64).reshape(times.shape)
        remembered = np.concatenate([remembered[:, 1:], newest[:, np.newaxis]], axis=1)
        total = (remembered * times.astype(np.int64)).reshape(-1, self.rank * times.shape[1]).sum(axis=1)
        total = _wrapped(total if bias is None else total + bias.astype(np.int64).reshape(-1))
        y = np.clip(multiply_double_rounding(total, *result) + output.quant.zero_point, -128, 127)
        return y.astype(np.int8).reshape(output.shape), remembered.astype(np.int16).reshape(state.shape)

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        features, times, source = (self.input(graph, i) for i in (_FEATURE_WEIGHTS, _TIME_WEIGHTS, 0))
        output, bias = self.output(graph), self.inputs[_BIAS]
        if features.data is None or times.data is None or source.quant is None or output.quant is None:
            raise ValueError("kernels need a verified operator")
        (filters, depth), memory = features.shape, times.shape[1]
        weights = features.data.astype(np.int8)
        folded = -source.quant.zero_point * weights.astype(np.int64).sum(axis=1)
        given = graph.tensors[bias].data if bias >= 0 else None
        start = np.zeros(filters // self.rank, np.int32) if given is None else given.reshape(-1)
        factors = self._factors(graph)
        (multiplier, shift), (result, result_shift) = (quantize_multiplier(f) for f in factors)
        fields = (
            Field("depth", depth, "values of the input"),
            Field("filters", filters),
            Field("rank", self.rank, "filters of an output"),
            Field("memory", memory, "inferences that a filter remembers, this one included"),
            Field("feature_multiplier", multiplier, f"of {factors[0]:.9g}"),
            Field("feature_shift", shift),
            Field("output_multiplier", result, f"of {factors[1]:.9g}"),
            Field("output_shift", result_shift),
            Field("output_zero_point", output.quant.zero_point),
            Field("feature_bias", Constant("feature_bias", folded.astype(np.int32))),
            Field("feature_weights", Constant("feature_weights", pack_vectors(weights))),
            Field("time_weights", Constant("time_weights", times.data)),
            Field("bias", Constant("bias", start)),
        )
        kernel = Kernel(
            name="svdf_s8",
            instructions=filters * (60 + depth * 3 // 2 + 4 * memory),
            flash_bytes=filters * (depth + 4 + 2 * memory) + start.nbytes,
            scratch_bytes=0,
            call=lambda: Call("tg_svdf_s8", "svdf_s8.h", fields, ("rows", "out", "states")),
        )
        return (kernel,)

    def _factors(self, graph: Graph) -> tuple[float, float]:
        """From sums over the input to state and from sums over time to the output, in float32 as LiteRT has it."""
        tensors = (self.input(graph, 0), self.input(graph, _FEATURE_WEIGHTS), self.input(graph, _STATE))
        first = _factor(*tensors)
        return first, _factor(tensors[2], self.input(graph, _TIME_WEIGHTS), self.output(graph))


def _factor(source: Tensor, weights: Tensor, result: Tensor) -> float:
    if source.quant is None or weights.quant is None or result.quant is None:
        raise ValueError("factors need a verified operator")
    return single_ratio(single_product(source.quant.scale, weights.quant.scale), result.quant.scale)


def _int16(check: Check, tensor: Tensor | None, role: str) -> Tensor | None:
    """The tensor when it is int16, quantized per tensor with zero point 0."""
    if tensor is None or not check.dtype(tensor, role, DType.INT16):
        return None
    quant = check.per_tensor(tensor, role)
    if quant is not None and quant.zero_point != 0:
        check.report("TG205", f"zero point of the {role} must be 0, found {quant.zero_point}", tensor)
    return tensor if quant is not None else None


def _wrapped(values: Int) -> NDArray[np.int64]:
    """The values as int32 holds them."""
    return values.astype(np.int32).astype(np.int64)
