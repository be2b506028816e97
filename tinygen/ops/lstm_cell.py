"""What the gates of an LSTM take and what a cell makes of it, as LiteRT and as tflite-micro compute it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinygen.fixedpoint import Int, multiply_double_rounding, quantize_multiplier, rounding_shift
from tinygen.ir.op import Numerics
from tinygen.ops import gate_table, gates

GATE_BITS = 3
"""Integer bits of what sigmoid and tanh take."""


@dataclass(frozen=True, eq=False)
class Gate:
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

    def value(self, x: Int, hidden: Int, numerics: Numerics) -> Int:
        """What the gate's sigmoid or tanh takes.

        Saturated for the input and again for the sum; tflite-micro saturates the state's part, too.
        """
        first = _int16(multiply_double_rounding(self.from_input @ x + self.input_bias, *self.input_factor))
        second = multiply_double_rounding(self.from_state @ hidden + self.state_bias, *self.state_factor)
        return _int16(first + (_int16(second) if numerics is Numerics.TFLM else second))


@dataclass(frozen=True)
class Cell:
    """How a cell is quantized, and the output state that follows from it."""

    shift: int
    """Fractional bits of a cell."""
    limit: int
    """The most that a cell holds, in magnitude."""
    hidden_factor: float
    """From a product of 30 fractional bits to the output state."""
    hidden_zero_point: int

    def step(self, taken: Sequence[Int], cells: Int, numerics: Numerics) -> tuple[Int, Int]:
        """New output state and cells from what the input, forget, cell and output gates take."""
        updated = self._interpolated if numerics is Numerics.TFLM else self._computed
        product, cells = updated(taken, cells)
        hidden = multiply_double_rounding(product, *quantize_multiplier(self.hidden_factor)) + self.hidden_zero_point
        return np.clip(hidden, -128, 127), cells

    def _computed(self, taken: Sequence[Int], cells: Int) -> tuple[Int, Int]:
        """As LiteRT: sums of products are saturated once."""
        enter, keep, leave = (gates.sigmoid(taken[i], GATE_BITS) for i in (0, 1, 3))
        entering = rounding_shift(enter * gates.tanh(taken[2], GATE_BITS), 30 - self.shift)
        cells = self._limited(_int16(rounding_shift(keep * cells, 15) + entering))
        return leave * gates.tanh(cells, 15 - self.shift), cells

    def _interpolated(self, taken: Sequence[Int], cells: Int) -> tuple[Int, Int]:
        """As tflite-micro: each product is rounded twice and saturated, and so is their sum."""
        enter, keep, leave = (gate_table.sigmoid(taken[i]) for i in (0, 1, 3))
        kept = multiply_double_rounding(keep * cells, *quantize_multiplier(2.0**-15))
        entering = enter * gate_table.tanh(taken[2], GATE_BITS)
        entering = multiply_double_rounding(entering, *quantize_multiplier(2.0 ** (self.shift - 30)))
        cells = self._limited(_int16(_int16(kept) + _int16(entering)))
        return leave * gate_table.tanh(cells, 15 - self.shift), cells

    def _limited(self, cells: Int) -> Int:
        return np.clip(cells, -self.limit, self.limit)


def _int16(x: Int) -> Int:
    return np.asarray(np.clip(x, -32768, 32767), np.int64)
