"""UNIDIRECTIONAL_SEQUENCE_LSTM: int8 activations and int16 cells, a time step a row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import Diagnostic, Origin
from tinygen.fixedpoint import Int, quantize_multiplier
from tinygen.ir.call import Call, Constant, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.rows import SAME_ROW, WHOLE, Rows
from tinygen.ir.tensor import Array, DType, Tensor
from tinygen.ops.accumulators import check_accumulators
from tinygen.ops.activation import Activation
from tinygen.ops.check import Check
from tinygen.ops.gate_table import tanh_table
from tinygen.ops.gates import MOST_INTEGER_BITS
from tinygen.ops.lstm_cell import GATE_BITS, Cell, Gate
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


@register("UNIDIRECTIONAL_SEQUENCE_LSTM")
@dataclass(frozen=True, kw_only=True)
class UnidirectionalSequenceLstm(Op):
    """Inputs: activation, weights of four gates from input and from output state, biases, output state, cell state.

    Source: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory", with the forget gates of Gers et al. 2000.
    LiteRT computes sigmoid and tanh in fixed point, tflite-micro interpolates a table.
    """

    kind: ClassVar[str] = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    states: ClassVar[tuple[int, ...]] = (_OUTPUT_STATE, _CELL_STATE)
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
        if state.quant is not None and not state.quant.scale > 2.0**-30:
            check.report("TG205", f"output state must have a scale above 2^-30, found {state.quant.scale}", state)
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
        x, state, cell = inputs[0], inputs[_OUTPUT_STATE], inputs[_CELL_STATE]
        output = self.output(graph)
        if x is None or state is None or cell is None:
            raise ValueError("reference needs a verified operator")
        gates, one = [self._gate(graph, gate) for gate in range(4)], self._cell(graph, numerics)
        hidden, cells = state.astype(np.int64).reshape(-1), cell.astype(np.int64).reshape(-1)
        results = []
        for values in x.astype(np.int64).reshape(self._times(graph), -1):
            taken = [gate.value(values, hidden, numerics) for gate in gates]
            hidden, cells = one.step(taken, cells, numerics)
            results.append(hidden.astype(np.int8))
        new = hidden.astype(np.int8).reshape(state.shape), cells.astype(np.int16).reshape(cell.shape)
        return np.concatenate(results).reshape(output.shape), *new

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        gates = [self._gate(graph, gate) for gate in range(4)]
        cells, depth = gates[0].from_input.shape
        rows = self.rows(graph).steps
        cell = self._cell(graph, numerics)
        multiplier, shift = quantize_multiplier(cell.hidden_factor)
        fields: tuple[Field, ...] = (
            Field("times", self._times(graph) // rows, "time steps of a call"),
            Field("depth", depth, "values of a time step"),
            Field("cells", cells),
            Field("cell_shift", cell.shift, "fractional bits of a cell"),
            Field("cell_clip", cell.limit, "in magnitude"),
            Field("hidden_multiplier", multiplier, f"of {cell.hidden_factor:.9g}"),
            Field("hidden_shift", shift),
            Field("hidden_zero_point", cell.hidden_zero_point),
            Field("input_multiplier", Constant("input_multipliers", _ints([g.input_factor[0] for g in gates]))),
            Field("input_shift", Constant("input_shifts", _ints([g.input_factor[1] for g in gates]))),
            Field("state_multiplier", Constant("state_multipliers", _ints([g.state_factor[0] for g in gates]))),
            Field("state_shift", Constant("state_shifts", _ints([g.state_factor[1] for g in gates]))),
            Field("input_bias", Constant("input_bias", _ints(np.stack([g.input_bias for g in gates], axis=1)))),
            Field("state_bias", Constant("state_bias", _ints(np.stack([g.state_bias for g in gates], axis=1)))),
            Field("input_weights", Constant("input_weights", _packed([g.from_input for g in gates]))),
            Field("state_weights", Constant("state_weights", _packed([g.from_state for g in gates]))),
        )
        header, params, flash, instructions = "lstm_s8.h", "tg_lstm_s8_params", 4 * cells * (depth + cells + 8), 700
        symbol = "tg_lstm_fast_s8" if all(gate.fast for gate in gates) else "tg_lstm_s8"
        if numerics is Numerics.TFLM:
            table = Constant("tanh_table", tanh_table(), "tanh(i / 48)")
            fields = (Field("lstm", fields), Field("tanh_table", table))
            symbol, header, params = "tg_lstm_table_s8", "lstm_table_s8.h", "tg_lstm_table_s8_params"
            flash, instructions = flash + table.data.nbytes, 350
        kernel = Kernel(
            name="lstm_s8",
            instructions=self._times(graph) * cells * (6 * (depth + cells) + instructions),
            flash_bytes=flash,
            scratch_bytes=0,
            call=lambda: Call(symbol, header, fields, ("rows", "out", "states"), params=params),
        )
        return (kernel,)

    def _gate(self, graph: Graph, gate: int) -> Gate:
        source, state = self.input(graph, 0).quant, self.input(graph, _OUTPUT_STATE).quant
        first, second = self.input(graph, _FROM_INPUT + gate).data, self.input(graph, _FROM_STATE + gate).data
        bias = self.input(graph, _BIAS + gate).data
        if source is None or state is None or first is None or second is None or bias is None:
            raise ValueError("gates need a verified operator")
        from_input, from_state = (quantize_multiplier(factor) for factor in self._factors(graph, gate))
        return Gate(
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

    def _cell(self, graph: Graph, numerics: Numerics) -> Cell:
        quant, state = self.input(graph, _CELL_STATE).quant, self.input(graph, _OUTPUT_STATE).quant
        if quant is None or state is None:
            raise ValueError("cells need a verified operator")
        limit = int(min(single_ratio(self.cell_clip, quant.scale), 32767.0))
        if numerics is Numerics.TFLM:
            # Which takes the hidden state to be quantized as the output state is, and a clip that rounds to 0 for one.
            factor, zero_point = math.ldexp(1 / state.scale, -30), state.zero_point
            limited = self.cell_clip > 0
        else:
            factor, zero_point = float(np.float32(2.0**-15 / self.hidden[0] * 2.0**-15)), self.hidden[1]
            limited = limit > 0
        # The scale is a power of two.
        shift = 1 - math.frexp(quant.scale)[1]
        return Cell(shift, limit if limited else 32768, factor, zero_point)


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
    return single_ratio(single_product(weights.quant.scale, source.quant.scale), 2.0 ** (GATE_BITS - 15))


def _ints(values: Sequence[int] | Int) -> NDArray[np.int32]:
    return np.asarray(values, np.int32)


def _packed(gates: Sequence[Int]) -> NDArray[np.int8]:
    """[4 gates][cells, depth] as [cells][depth / 4][4 gates][4], depth padded to a multiple of four."""
    filters = np.stack(gates, axis=1).reshape(-1, gates[0].shape[1]).astype(np.int8)
    return interleave(pad_to(filters, 1, 4), 4)
