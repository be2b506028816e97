"""UNIDIRECTIONAL_SEQUENCE_LSTM: int8 activations and int16 cells, a time step a row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import Diagnostic, Origin, error
from tinygen.fixedpoint import Int, multiply_double_rounding, quantize_multiplier, rounding_shift
from tinygen.ir.call import Call, Constant, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.rows import SAME_ROW, WHOLE, Rows
from tinygen.ir.tensor import Array, DType, Tensor
from tinygen.ops.accumulators import check_accumulators
from tinygen.ops.activation import Activation
from tinygen.ops.check import Check
from tinygen.ops.gates import MOST_INTEGER_BITS, sigmoid, tanh
from tinygen.ops.pack import interleave, pad_to
from tinygen.ops.rescale import single_product, single_ratio

GATES = ("input", "forget", "cell", "output")
_FROM_INPUT, _FROM_STATE, _BIAS = 1, 5, 12
"""Where the weights and biases of the four gates begin among the inputs."""
_OUTPUT_STATE, _CELL_STATE = 18, 19
_VARIANTS = {
    "peephole connections": range(9, 12),
    "a projection": range(16, 18),
    "layer normalization": range(20, 24),
}
_INPUTS = (20, 24)
_HIDDEN = 4
"""The position of the hidden state's quantization among the intermediate tensors."""
_GATE_BITS = 3
"""Integer bits of what sigmoid and tanh take."""


@register("UNIDIRECTIONAL_SEQUENCE_LSTM")
@dataclass(frozen=True, kw_only=True)
class UnidirectionalSequenceLstm(Op):
    """Inputs: activation, weights of four gates from input and from output state, biases, output state, cell state.

    Source: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory", with the forget gates of Gers et al. 2000.
    tflite-micro computes sigmoid and tanh from tables, and is not followed.
    """

    kind: ClassVar[str] = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    states: ClassVar[tuple[int, ...]] = (_OUTPUT_STATE, _CELL_STATE)
    numerics: ClassVar[tuple[Numerics, ...]] = (Numerics.LITERT,)
    activation: Activation
    cell_clip: float
    time_major: bool
    hidden: tuple[float, int]
    """Scale and zero point of what the gates make of a cell, the output state follows from it; scale 0 if unknown."""

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        inside = options.intermediates
        quant = inside[_HIDDEN] if len(inside) > _HIDDEN else None
        return cls(
            inputs=inputs,
            outputs=outputs,
            origin=origin,
            activation=Activation[options.enum("fused_activation_function")],
            cell_clip=options.real("cell_clip"),
            time_major=options.boolean("time_major"),
            hidden=(0.0, 0) if quant is None or quant.axis is not None else (quant.scale, quant.zero_point),
        )

    def rows(self, graph: Graph) -> Rows:
        """A step for each time step, which come in order; with time first in memory all of them in one."""
        if self.time_major:
            return Rows(steps=1, inputs=((0, WHOLE),), writes_row=False)
        return Rows(steps=self.input(graph, 0).shape[1], inputs=((0, SAME_ROW),))

    def macs(self, graph: Graph) -> int:
        weights = (self.input(graph, i) for first in (_FROM_INPUT, _FROM_STATE) for i in range(first, first + 4))
        return self._times(graph) * sum(tensor.elements for tensor in weights)

    def _times(self, graph: Graph) -> int:
        return self.input(graph, 0).shape[0 if self.time_major else 1]

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(*_INPUTS):
            return iter(check.found)
        for name, positions in _VARIANTS.items():
            if any(check.optional(i) is not None for i in positions if i < len(self.inputs)):
                check.report("TG204", f"{name} of an LSTM is not supported, accepted: none")
        if self.activation is not Activation.TANH:
            check.report("TG204", f"fused activation must be TANH, found {self.activation.name}")
        if not (math.isfinite(self.cell_clip) and self.cell_clip >= 0):
            check.report("TG204", f"cell_clip must be finite and not negative, found {self.cell_clip}")
        if not self.hidden[0] > 2.0**-30:
            check.report(
                "TG205", f"the hidden state must have a scale above 2^-30 and a zero point, found {self.hidden}"
            )
        source, output = check.activation(0, "input", 3), check.output_activation()
        state, cell = check.activation(_OUTPUT_STATE, "output state"), check.input(_CELL_STATE, "cell state")
        weights = [check.weights(i, rank=2, axis=0) for i in (*range(1, 5), *range(5, 9))]
        biases = [check.input(i, "bias") for i in range(_BIAS, _BIAS + 4)]
        if cell is None or not check.clean or source is None or output is None or state is None:
            return iter(check.found)
        cells = state.elements
        _check_cell(check, cell, cells)
        times, depth = self._times(graph), source.shape[2]
        check.shape(source, "input", (times, 1, depth) if self.time_major else (1, times, depth))
        check.shape(output, "output", (*source.shape[:2], cells))
        for position, (tensor, width) in enumerate(zip(weights, (depth,) * 4 + (cells,) * 4, strict=True)):
            assert tensor is not None
            check.shape(tensor, "weights", (cells, width))
            if tensor.quant is not None and len(tensor.quant.scales) != 1:
                check.report("TG205", "weights must be quantized per tensor", tensor)
            if position < 4:
                check.bias(_BIAS + position, cells)
        if check.clean and source.quant is not None and state.quant is not None:
            for gate in range(4):
                from_input, from_state = self._factors(graph, gate)
                first, second = weights[gate], weights[4 + gate]
                assert first is not None
                assert second is not None
                check_accumulators(check, first, biases[gate], source.quant, (from_input,) * cells, axis=0)
                check_accumulators(check, second, None, state.quant, (from_state,) * cells, axis=0)
        return iter(check.found)

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        if numerics not in self.numerics:
            raise error("TG507", f"tinygen has no reference of {self.kind} with numerics tflm", origin=self.origin)
        x, state, cell = inputs[0], inputs[_OUTPUT_STATE], inputs[_CELL_STATE]
        output = self.output(graph)
        if x is None or state is None or cell is None:
            raise ValueError("reference needs a verified operator")
        gates = [self._gate(graph, gate) for gate in range(4)]
        hidden, cells = state.astype(np.int64).reshape(-1), cell.astype(np.int64).reshape(-1)
        results = []
        for values in x.astype(np.int64).reshape(self._times(graph), -1):
            taken = [gate.value(values, hidden) for gate in gates]
            hidden, cells = self._step(graph, taken, cells)
            results.append(hidden.astype(np.int8))
        new = hidden.astype(np.int8).reshape(state.shape), cells.astype(np.int16).reshape(cell.shape)
        return np.concatenate(results).reshape(output.shape), *new

    def _step(self, graph: Graph, taken: Sequence[Int], cells: Int) -> tuple[Int, Int]:
        """New hidden state and cells from what the gates take."""
        shift, clip = self._cell_shift(graph), self._quantized_clip(graph)
        enter, keep, leave = (sigmoid(taken[i], _GATE_BITS) for i in (0, 1, 3))
        entering = rounding_shift(enter * tanh(taken[2], _GATE_BITS), 30 - shift)
        cells = np.clip(rounding_shift(keep * cells, 15) + entering, -32768, 32767)
        if clip > 0:
            cells = np.clip(cells, -clip, clip)
        product = leave * tanh(cells, 15 - shift)
        hidden = multiply_double_rounding(product, *quantize_multiplier(self._hidden_factor())) + self.hidden[1]
        return np.clip(hidden, -128, 127), cells

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        gates = [self._gate(graph, gate) for gate in range(4)]
        cells, depth = gates[0].from_input.shape
        rows = self.rows(graph).steps
        multiplier, shift = quantize_multiplier(self._hidden_factor())
        fields = (
            Field("times", self._times(graph) // rows, "time steps of a call"),
            Field("depth", depth, "values of a time step"),
            Field("cells", cells),
            Field("cell_shift", self._cell_shift(graph), "fractional bits of a cell"),
            Field("cell_clip", self._quantized_clip(graph) or 32768, "in magnitude"),
            Field("hidden_multiplier", multiplier, f"of {self._hidden_factor():.9g}"),
            Field("hidden_shift", shift),
            Field("hidden_zero_point", self.hidden[1]),
            Field("input_multiplier", Constant("input_multipliers", _ints([g.input_factor[0] for g in gates]))),
            Field("input_shift", Constant("input_shifts", _ints([g.input_factor[1] for g in gates]))),
            Field("state_multiplier", Constant("state_multipliers", _ints([g.state_factor[0] for g in gates]))),
            Field("state_shift", Constant("state_shifts", _ints([g.state_factor[1] for g in gates]))),
            Field("input_bias", Constant("input_bias", _ints(np.stack([g.input_bias for g in gates], axis=1)))),
            Field("state_bias", Constant("state_bias", _ints(np.stack([g.state_bias for g in gates], axis=1)))),
            Field("input_weights", Constant("input_weights", _packed([g.from_input for g in gates]))),
            Field("state_weights", Constant("state_weights", _packed([g.from_state for g in gates]))),
        )
        symbol = "tg_lstm_fast_s8" if all(gate.fast for gate in gates) else "tg_lstm_s8"
        kernel = Kernel(
            name="lstm_s8",
            instructions=self._times(graph) * cells * (6 * (depth + cells) + 700),
            flash_bytes=4 * cells * (depth + cells + 8),
            scratch_bytes=0,
            call=lambda: Call(symbol, "lstm_s8.h", fields, ("rows", "out", "states"), params="tg_lstm_s8_params"),
        )
        return (kernel,)

    def _gate(self, graph: Graph, gate: int) -> _Gate:
        source, state = self.input(graph, 0).quant, self.input(graph, _OUTPUT_STATE).quant
        first, second = self.input(graph, _FROM_INPUT + gate).data, self.input(graph, _FROM_STATE + gate).data
        bias = self.input(graph, _BIAS + gate).data
        if source is None or state is None or first is None or second is None or bias is None:
            raise ValueError("gates need a verified operator")
        from_input, from_state = (quantize_multiplier(factor) for factor in self._factors(graph, gate))
        return _Gate(
            from_input=first.astype(np.int64),
            from_state=second.astype(np.int64),
            input_bias=bias.astype(np.int64).reshape(-1) - source.zero_point * first.astype(np.int64).sum(axis=1),
            state_bias=-state.zero_point * second.astype(np.int64).sum(axis=1),
            input_factor=from_input,
            state_factor=from_state,
        )

    def _factors(self, graph: Graph, gate: int) -> tuple[float, float]:
        """From sums over the input and over the output state to what a gate takes, in float32 as LiteRT has it."""
        pairs = ((0, _FROM_INPUT + gate), (_OUTPUT_STATE, _FROM_STATE + gate))
        first, second = (_factor(self.input(graph, a), self.input(graph, b)) for a, b in pairs)
        return first, second

    def _hidden_factor(self) -> float:
        return float(np.float32(2.0**-15 / self.hidden[0] * 2.0**-15))

    def _cell_shift(self, graph: Graph) -> int:
        """Fractional bits of a cell, whose scale is a power of two."""
        quant = self.input(graph, _CELL_STATE).quant
        if quant is None:
            raise ValueError("cells need a verified operator")
        return 1 - math.frexp(quant.scale)[1]

    def _quantized_clip(self, graph: Graph) -> int:
        """The most that a cell holds, 0 for no limit."""
        quant = self.input(graph, _CELL_STATE).quant
        if quant is None:
            raise ValueError("cells need a verified operator")
        return int(min(single_ratio(self.cell_clip, quant.scale), 32767.0))


@dataclass(frozen=True, eq=False)
class _Gate:
    """Weights and factors of a gate, zero points folded into the biases."""

    from_input: Int
    from_state: Int
    input_bias: Int
    state_bias: Int
    input_factor: tuple[int, int]
    state_factor: tuple[int, int]

    @property
    def fast(self) -> bool:
        """The case that templates/c/kernels/lstm_s8.h calls fast."""
        sums = ((self.from_input, self.input_bias), (self.from_state, self.state_bias))
        reach = max(int((np.abs(bias) + 128 * np.abs(w).sum(axis=1)).max()) for w, bias in sums)
        return reach < 1 << 30 and max(self.input_factor[1], self.state_factor[1]) <= 0

    def value(self, x: Int, hidden: Int) -> Int:
        """What the gate's sigmoid or tanh takes, saturated once for the input and once for the sum."""
        first = multiply_double_rounding(self.from_input @ x + self.input_bias, *self.input_factor)
        second = multiply_double_rounding(self.from_state @ hidden + self.state_bias, *self.state_factor)
        return np.asarray(np.clip(np.clip(first, -32768, 32767) + second, -32768, 32767), np.int64)


def _check_cell(check: Check, cell: Tensor, cells: int) -> None:
    """int16, as many as there are output states, and a power of two as the scale."""
    if not check.dtype(cell, "cell state", DType.INT16) or (quant := check.per_tensor(cell, "cell state")) is None:
        return
    if cell.elements != cells:
        check.report("TG203", f"cell state must have {cells} values, found {cell.describe()}", cell)
    mantissa, exponent = math.frexp(quant.scale)
    if mantissa != 0.5 or not 0 <= exponent - 1 + 15 <= MOST_INTEGER_BITS or quant.zero_point != 0:
        accepted = f"a power of two from 2^-15 to 2^{MOST_INTEGER_BITS - 15} and zero point 0"
        check.report("TG205", f"cell state must have {accepted}, found {quant.scale:g} and {quant.zero_point}", cell)


def _factor(source: Tensor, weights: Tensor) -> float:
    if source.quant is None or weights.quant is None:
        raise ValueError("factors need a verified operator")
    return single_ratio(single_product(weights.quant.scale, source.quant.scale), 2.0 ** (_GATE_BITS - 15))


def _ints(values: Sequence[int] | Int) -> NDArray[np.int32]:
    return np.asarray(values, np.int32)


def _packed(gates: Sequence[Int]) -> NDArray[np.int8]:
    """[4 gates][cells, depth] as [cells][depth / 4][4 gates][4], depth padded to a multiple of four."""
    filters = np.stack(gates, axis=1).reshape(-1, gates[0].shape[1]).astype(np.int8)
    return interleave(pad_to(filters, 1, 4), 4)
