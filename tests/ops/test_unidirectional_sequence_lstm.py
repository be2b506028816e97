"""UNIDIRECTIONAL_SEQUENCE_LSTM against LiteRT: any sizes, quantizations and cell scales, over sequences.

What follows tflite-micro is compared with the real library in tests/backends/test_tflm_states.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check, references
from tests.ops.strategies import BATCH, examples, generators, int8, scales, zero_points
from tinygen.compile import CompileOptions, compile_graph
from tinygen.errors import TinygenError
from tinygen.ir.op import Numerics
from tinygen.ops.lstm_cell import Gate
from tinygen.tflite import read_bytes

TANH = 4
"""The activation as the schema numbers it."""
FIRST_BIAS, OUTPUT_STATE, CELL_STATE = 12, 18, 19

Tensors = Mapping[int, TensorDef | None]


def lstm(
    tensors: Tensors,
    output: TensorDef,
    hidden: TensorDef,
    *,
    activation: int = TANH,
    cell_clip: float = 10.0,
    time_major: bool = False,
    count: int = 24,
) -> bytes:
    """The operator with `tensors` by their position among its inputs; `hidden` is the fifth intermediate tensor."""
    values = {"FusedActivationFunction": activation, "CellClip": cell_clip, "TimeMajor": time_major}
    options = Options("UnidirectionalSequenceLSTMOptions", values)
    inside = [TensorDef((0,), "float32")] * 4
    inputs = [tensors.get(i) for i in range(count)]
    return single_op_model("UNIDIRECTIONAL_SEQUENCE_LSTM", options, inputs, [output], [*inside, hidden])


def inner(scale: float, zero_point: int) -> TensorDef:
    return TensorDef((0,), "int8", (scale,), (zero_point,))


def parts(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    cells: int,
    quants: Sequence[tuple[float, int]] = ((0.01, -3), (2**-7, 0)),
    gain: Sequence[float] = (1.0, 1.0),
    cell_bits: int = 12,
) -> dict[int, TensorDef | None]:
    """Inputs of an operator; `quants` of input and output state, sums that are `gain` times what gates can take."""
    (scale, zero_point), (state_scale, state_zero_point) = quants
    depth = shape[2]
    found: dict[int, TensorDef | None] = {0: TensorDef.activation(shape, scale, zero_point)}
    for gate in range(4):
        for first, width, source, share in ((1, depth, scale, gain[0]), (5, cells, state_scale, gain[1])):
            weight = float(np.float32(share * 8 / (100 * 74 * width**0.5 * source)))
            found[first + gate] = TensorDef.constant(int8(rng, (cells, width)), (weight,))
        found[FIRST_BIAS + gate] = TensorDef.constant(rng.integers(-3000, 3000, cells, dtype=np.int32), (1e-4,))
    found[OUTPUT_STATE] = replace(TensorDef.activation((1, cells), state_scale, state_zero_point), variable=True)
    found[CELL_STATE] = TensorDef((1, cells), "int16", (2.0**-cell_bits,), (0,), variable=True)
    return found


def output(shape: tuple[int, int, int], cells: int) -> TensorDef:
    return TensorDef.activation((*shape[:2], cells), 2**-7)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Gates that are open, closed and in between; what the gates make of a cell may be quantized otherwise than it."""
    rng, time_major = draw(generators), draw(st.booleans())
    times, depth, cells = draw(st.integers(1, 4)), draw(st.integers(1, 13)), draw(st.integers(1, 9))
    shape = (times, 1, depth) if time_major else (1, times, depth)
    quants = [(draw(scales()), draw(zero_points)), (draw(scales(1e-3, 0.05)), draw(zero_points))]
    gain = [2.0 ** draw(st.floats(-4, 1)) for _ in range(2)]
    tensors = parts(rng, shape, cells, quants, gain, draw(st.integers(9, 15)))
    hidden = inner(draw(scales(1e-3, 0.05)), draw(zero_points)) if draw(st.booleans()) else inner(*quants[1])
    clip = draw(st.sampled_from((0.0, 10.0, 0.3)))
    model = lstm(tensors, output(shape, cells), hidden, cell_clip=clip, time_major=time_major, count=24)
    samples = [[int8(rng, shape)] for _ in range(6)]
    return Case(model, samples, resets=[i for i in range(1, 6) if rng.random() < 0.2])


@examples(3)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_lstm(batch: list[Case]) -> None:
    check(*batch, numerics=tuple(Numerics))


@pytest.mark.parametrize("cell_bits", range(9, 16))
def test_every_value_of_gates(cell_bits: int) -> None:
    """254 cells whose gates take 254 * x + 0 to 253, for each x: all there is but a few next to the ends."""
    rng, shape, cells = np.random.default_rng(cell_bits), (1, 1, 2), 254
    tensors = parts(rng, shape, cells, ((1.0, 0), (2**-7, 0)), cell_bits=cell_bits)
    for gate in range(4):
        tensors[1 + gate] = TensorDef.constant(np.full((cells, 2), 127, np.int8), (2**-12,))
        tensors[5 + gate] = TensorDef.constant(np.zeros((cells, cells), np.int8), (1e-3,))
        tensors[FIRST_BIAS + gate] = TensorDef.constant(rng.permutation(cells).astype(np.int32), (2**-12,))
    model = lstm(tensors, output(shape, cells), inner(2**-7, 0), cell_clip=0.0)
    samples = [[np.full(shape, x, np.int8)] for x in rng.permutation(256) - 128]
    check(Case(model, samples), numerics=tuple(Numerics))


def test_twenty_inputs_are_the_same() -> None:
    rng = np.random.default_rng(0)
    tensors = parts(rng, (1, 3, 5), 4)
    sample = [int8(rng, (1, 3, 5))]
    case, other = (
        Case(lstm(tensors, output((1, 3, 5), 4), inner(2**-7, 0), count=count), [sample]) for count in (24, 20)
    )
    (first,), (second,) = (list(references(read_bytes(c.model, "m.tflite"), c)) for c in (case, other))
    assert np.array_equal(first[0], second[0])


def test_a_reset_brings_the_zero_point_back() -> None:
    """LiteRT's int8 variables start as their zero point: the first output after a reset is that of the start."""
    rng, shape = np.random.default_rng(1), (1, 2, 3)
    tensors = parts(rng, shape, 4, ((0.02, 5), (0.01, -40)))
    x = [int8(rng, shape)]
    case = Case(lstm(tensors, output(shape, 4), inner(0.01, -40)), [x, x, x, x], resets=[2])
    check(case)
    found = [outputs[0].tolist() for outputs in references(read_bytes(case.model, "m.tflite"), case)]
    assert found[:2] == found[2:]
    assert found[0] != found[1]


def test_a_time_step_is_a_row() -> None:
    rng, shape = np.random.default_rng(2), (1, 6, 3)
    model = lstm(parts(rng, shape, 4), output(shape, 4), inner(2**-7, 0))
    tree = compile_graph(read_bytes(model, "m.tflite"), CompileOptions(prefix="m"))
    assert "for (int32_t y = first_row; y < end_row; y++)" in tree.files["src/m.c"]


def test_tflite_micro_saturates_what_the_state_gives_to_a_gate() -> None:
    """A sum of -32768 and 40000 is 7232, or with the second saturated -1."""
    gate = lstm_gate(-(1 << 15), 40_000)
    assert [int(gate.value(np.zeros(1, np.int64), np.zeros(1, np.int64), each)[0]) for each in Numerics] == [7232, -1]


def lstm_gate(first: int, second: int) -> Gate:
    """A gate whose sums are these numbers, whatever it is given."""
    none = np.zeros((1, 1), np.int64)
    return Gate(none, none, np.array([first]), np.array([second]), (1 << 30, 1), (1 << 30, 1))


def _changed(position: int, tensor: TensorDef | None) -> bytes:
    shape = (1, 2, 3)
    tensors = {**parts(np.random.default_rng(4), shape, 4), position: tensor}
    return lstm(tensors, output(shape, 4), inner(2**-7, 0))


def _option(**options: float) -> bytes:
    shape = (1, 2, 3)
    return lstm(parts(np.random.default_rng(4), shape, 4), output(shape, 4), inner(2**-7, 0), **options)  # type: ignore[arg-type]


def _int16(scale: float, zero_point: int = 0, cells: int = 4) -> TensorDef:
    return TensorDef((1, cells), "int16", (scale,), (zero_point,), variable=True)


WRONG = {
    "peephole": (_changed(9, TensorDef.constant(np.ones(4, np.int16), (0.1,))), "TG204", "peephole connections of an"),
    "projection": (_changed(16, TensorDef.constant(np.ones((4, 4), np.int8), (0.1,))), "TG204", "a projection of an"),
    "layer norm": (
        _changed(21, TensorDef.constant(np.ones(4, np.int16), (0.1,))),
        "TG204",
        "layer normalization of an",
    ),
    "coupled gates": (_changed(1, None), "TG203", "weights is required, found none"),
    "no bias": (_changed(FIRST_BIAS, None), "TG203", "bias is required, found none"),
    "activation": (_option(activation=1), "TG204", "fused activation must be TANH, found RELU"),
    "clip": (_option(cell_clip=-1.0), "TG204", "cell_clip must be finite and not negative"),
    "batch": (_changed(0, TensorDef.activation((2, 2, 3))), "TG203", r"input must have shape \[1x2x3\]"),
    "weights": (
        _changed(2, TensorDef.constant(np.ones((4, 5), np.int8), (0.1,))),
        "TG203",
        r"weights must have shape \[4x3\], found int8 \[4x5\]",
    ),
    "cells of another type": (
        _changed(CELL_STATE, TensorDef((1, 4), "int8", (0.1,), (0,), variable=True)),
        "TG202",
        "cell state must be int16",
    ),
    "number of cells": (_changed(CELL_STATE, _int16(2**-12, cells=5)), "TG203", "cell state must have 4 values"),
    "scale of cells": (
        _changed(CELL_STATE, _int16(0.001)),
        "TG205",
        "a power of two from 2.-15 to 2.-9 and zero point",
    ),
    "range of cells": (
        _changed(CELL_STATE, _int16(2**-8)),
        "TG205",
        "a power of two from 2.-15 to 2.-9 and zero point",
    ),
    "scale of the output state": (
        _changed(OUTPUT_STATE, replace(TensorDef.activation((1, 4), 1e-10), variable=True)),
        "TG205",
        "output state must have a scale above 2.-30",
    ),
    "a state that is none": (
        _changed(OUTPUT_STATE, TensorDef.activation((1, 4))),
        "TG111",
        "which is no variable tensor",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused(case: str) -> None:
    model, code, message = WRONG[case]
    with pytest.raises(TinygenError, match=message) as caught:
        read_bytes(model, "m.tflite")
    assert code in {d.code for d in caught.value.diagnostics}
