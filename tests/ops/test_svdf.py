"""SVDF against LiteRT: shapes, ranks and memories of any size, over sequences with and without reset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check, references
from tests.ops.strategies import BATCH, examples, generators, int8, samples, scales, zero_points
from tinygen.errors import TinygenError
from tinygen.ir.op import Numerics
from tinygen.tflite import read_bytes


def tensor(data: np.ndarray, scale: float) -> TensorDef:
    return TensorDef.constant(data, (scale,))


def state(filters: int, memory: int, scale: float = 2**-10) -> TensorDef:
    return TensorDef((1, filters * memory), "int16", (scale,), (0,), variable=True)


def svdf(
    source: TensorDef,
    features: TensorDef,
    times: TensorDef,
    bias: TensorDef | None,
    kept: TensorDef,
    output: TensorDef,
    rank: int = 1,
    activation: int = 1,
) -> bytes:
    options = Options("SVDFOptions", {"Rank": rank, "FusedActivationFunction": activation})
    return single_op_model("SVDF", options, [source, features, times, bias, kept], [output])


def parts(rank: int = 2, units: int = 3, depth: int = 5, memory: int = 4) -> dict[str, TensorDef]:
    """The tensors of a small operator, by the names of svdf's parameters."""
    rng, filters = np.random.default_rng(0), rank * units
    return {
        "source": TensorDef.activation((1, depth), 0.05, -3),
        "features": tensor(int8(rng, (filters, depth)), 0.01),
        "times": tensor(int16(rng, (filters, memory)), 2**-15),
        "bias": tensor(rng.integers(-5000, 5000, units, dtype=np.int32), 2**-25),
        "kept": state(filters, memory),
        "output": TensorDef.activation((1, units), 0.05, 4),
    }


def int16(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(-32768, 32768, shape, dtype=np.int16)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any sizes; outputs over their whole range, or saturated; sequences longer than the memory, with resets."""
    rng = draw(generators)
    rank, units = draw(st.integers(1, 4)), draw(st.integers(1, 9))
    filters, depth, memory = rank * units, draw(st.integers(1, 21)), draw(st.integers(1, 12))
    source = TensorDef.activation((1, depth), draw(scales()), draw(zero_points))
    features = tensor(int8(rng, (filters, depth)), draw(scales(1e-4, 0.05)))
    # Sums over the input reach a share of int16, or leave it.
    largest = 100 * depth**0.5 * 74 * source.scales[0] * features.scales[0]
    kept = state(filters, memory, float(np.float32(largest / 32768 * 2 ** draw(st.floats(-2, 3)))))
    times = tensor(int16(rng, (filters, memory)), draw(scales(1e-6, 1e-4)))
    reach = 6000 * 18900 * (rank * memory) ** 0.5 * kept.scales[0] * times.scales[0]
    output = TensorDef.activation(
        (1, units), float(np.float32(reach / 128 * 2 ** draw(st.floats(-1, 2)))), draw(zero_points)
    )
    bias = None
    if draw(st.booleans()):
        bias = tensor(rng.integers(-(2**30), 2**30, units, dtype=np.int32), 1e-6)
    model = svdf(source, features, times, bias, kept, output, rank)
    count = draw(st.integers(1, memory + 8))
    values = [s for _ in range(count) for s in samples(rng, (1, depth))][:count]
    resets = [i for i in range(1, count) if rng.random() < 0.1]
    return Case(model, values, resets=resets)


@examples(3)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_svdf(batch: list[Case]) -> None:
    check(*batch, numerics=tuple(Numerics))


def test_sums_over_time_wrap_as_in_litert() -> None:
    rng = np.random.default_rng(1)
    given = parts(rank=3, units=2, memory=10) | {"bias": tensor(np.int32([2**31 - 1, -(2**31)]), 2**-25)}
    given["times"] = tensor(rng.choice(np.int16([-32768, 32767]), (6, 10)), 2**-15)
    given["source"] = TensorDef.activation((1, 5), 20.0, -3)
    check(Case(svdf(**given, rank=3), [[x] for s in range(9) for (x,) in samples(rng, (1, 5))]))


def test_sequences_go_on_until_they_are_reset() -> None:
    """The same input twice gives different outputs, and the first one again after a reset."""
    x = [np.full((1, 5), 100, np.int8)]
    case = Case(svdf(**parts(), rank=2), [x, x, x, x], resets=[2])
    check(case)
    found = [outputs[0].tolist() for outputs in references(read_bytes(case.model, "m.tflite"), case)]
    assert found[:2] == found[2:]
    assert found[0] != found[1]


WRONG = {
    "no state": ({"kept": None}, "TG203", "state is required, found none"),
    "state is an input": ({"kept": replace(state(6, 4), variable=False)}, "TG111", "which is no variable tensor"),
    "state of another size": ({"kept": state(6, 5)}, "TG203", r"state must have shape \[1x24\], found int16 \[1x30\]"),
    "state of another type": (
        {"kept": TensorDef((1, 24), "int8", (0.1,), (0,), variable=True)},
        "TG202",
        r"state must be int16, found int8 \[1x24\]",
    ),
    "state with a zero point": (
        {"kept": TensorDef((1, 24), "int16", (0.1,), (7,), variable=True)},
        "TG205",
        "zero point of the state must be 0, found 7",
    ),
    "rank": ({"rank": 4}, "TG203", "filters must be a multiple of the rank 4, found 6"),
    "no rank": ({"rank": 0}, "TG204", "rank must be at least 1, found 0"),
    "activation": ({"activation": 0}, "TG204", "fused activation must be RELU, found NONE"),
    "float": ({"source": TensorDef((1, 5), "float32")}, "TG202", r"input must be int8, found float32"),
    "batch": ({"source": TensorDef.activation((2, 5))}, "TG203", "input must have batch size 1"),
    "depth": ({"source": TensorDef.activation((1, 6))}, "TG203", r"input must have shape \[1x5\]"),
    "units": ({"output": TensorDef.activation((1, 6))}, "TG203", r"output must have shape \[1x3\]"),
    "time weights": (
        {"times": tensor(np.zeros((5, 4), np.int16), 0.1)},
        "TG203",
        r"weights over time must be 6 filters, found int16 \[5x4\]",
    ),
    "variable weights": (
        {"times": TensorDef((6, 4), "int16", (0.1,), (0,), variable=True)},
        "TG111",
        "SVDF reads the variable tensor 't2', which it would not keep",
    ),
    "sums over the input": ({"kept": state(6, 4, 1e-12)}, "TG205", "accumulators must stay within 32 bits"),
    "sums over time": ({"output": TensorDef.activation((1, 3), 1e-12)}, "TG205", "accumulators must stay within"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused(case: str) -> None:
    change, code, message = WRONG[case]
    with pytest.raises(TinygenError, match=message) as caught:
        read_bytes(svdf(**{"rank": 2, **parts(), **change}), "m.tflite")
    assert code in {d.code for d in caught.value.diagnostics}
