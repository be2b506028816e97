"""QUANTIZE and DEQUANTIZE between float32, int8, uint8 and int16."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import TensorDef, single_op_model
from tests.ops.harness import Case, check, run_c
from tests.ops.strategies import BATCH, examples, generators, scales
from tinygen.compile import CompileOptions
from tinygen.errors import TinygenError
from tinygen.ir.interpret import interpret
from tinygen.ir.op import Numerics
from tinygen.tflite import read_bytes

SHAPE = (1, 4, 8, 8)
RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767), "int32": (-(1 << 30), 1 << 30)}
FORMS = (
    ("int8", "int8"),
    ("int8", "uint8"),
    ("uint8", "int8"),
    ("int16", "int8"),
    ("int16", "int16"),
    ("int16", "int32"),
)


def quantized(dtype: str, scale: float, zero_point: int, shape: tuple[int, ...] = SHAPE) -> TensorDef:
    return TensorDef(shape, dtype, (scale,), (zero_point,))


def quantize_model(source: TensorDef, result: TensorDef) -> bytes:
    return single_op_model("QUANTIZE", None, [source], [result])


@st.composite
def float_cases(draw: st.DrawFn) -> Case:
    """Normal values, exact ties and their neighbours, and values far outside the range."""
    scale, zero_point, rng = draw(scales(1e-4, 2.0)), draw(st.integers(-128, 127)), draw(generators)
    ties = ((rng.integers(-260, 260, 256) + 0.5) * scale).astype(np.float32)
    neighbours = np.nextafter(ties, rng.choice(np.array([-np.inf, np.inf], np.float32), 256))
    values = [rng.normal(0, 80 * scale, 256), ties, neighbours, rng.normal(0, 1e6 * scale, 256)]
    model = quantize_model(TensorDef(SHAPE, "float32"), quantized("int8", scale, zero_point))
    return Case(model, [[v.astype(np.float32).reshape(SHAPE)] for v in values])


@st.composite
def integer_cases(draw: st.DrawFn) -> Case:
    form = draw(st.sampled_from(FORMS))
    ranges = RANGES | {"int16": (0, 0)} if form == ("int16", "int16") else RANGES
    source, result = (quantized(d, draw(scales()), draw(st.integers(*ranges[d]))) for d in form)
    return Case(quantize_model(source, result), [[_values(form[0], draw(generators))]])


@examples(3)
@given(st.lists(float_cases(), min_size=BATCH, max_size=BATCH))
def test_float_equals_litert(cases: list[Case]) -> None:
    check(*cases)


@examples(3)
@given(st.lists(integer_cases(), min_size=BATCH, max_size=BATCH))
def test_integers_equal_litert(cases: list[Case]) -> None:
    check(*cases)


def test_halves_round_away_from_zero() -> None:
    values = np.array([[0.5, -0.5, 1.5, -2.5, 0.49999997, -0.49999997, 126.5, 127.5, -128.5, -0.0]], np.float32)
    model = quantize_model(TensorDef(values.shape, "float32"), quantized("int8", 1.0, 0, values.shape))
    check(Case(model, [[values]]))
    (found,) = interpret(read_bytes(model, "m.tflite"), [values])
    assert found.tolist() == [[1, -1, 2, -3, 0, 0, 127, 127, -128, 0]]


def test_scales_at_the_edges() -> None:
    """Same scale with zero points 128 apart (only the top bit changes), the largest factors, and one that is zero."""
    quants = [(0.1, 0.1), (800.0, 0.1), (819.2, 0.1), (1e-12, 1.0)]
    cases = []
    for source, result in FORMS:
        zero_points = {"uint8": 128}
        for a, b in quants:
            tensors = [quantized(d, s, zero_points.get(d, 0)) for d, s in ((source, a), (result, b))]
            cases.append(Case(quantize_model(*tensors), [[_values(source, np.random.default_rng(0))]]))
    check(*cases)


def test_what_litert_leaves_undefined() -> None:
    """Values beyond int32 saturate and NaN becomes -128, whatever the processor's conversion would make of them."""
    values = np.array([[np.nan, np.inf, -np.inf, 1e30, -1e30, 3e38, -3e38, 1e-45]], np.float32)
    model = quantize_model(TensorDef(values.shape, "float32"), quantized("int8", 1e-3, -5, values.shape))
    graph = read_bytes(model, "m.tflite")
    (found,) = interpret(graph, [values])
    assert found.tolist() == [[-128, 127, -128, 127, -128, 127, -128, -5]]
    ((outputs,),) = run_c([graph], [Case(model, [[values]])], Numerics.LITERT, CompileOptions())
    assert np.array_equal(outputs[0], found)


def test_dequantize_equals_litert() -> None:
    cases = []
    for scale, zero_point in ((0.1468784660100937, 1), (1e-3, -128), (0.3, 127), (1 / 256, -128), (1e-40, 3)):
        model = single_op_model(
            "DEQUANTIZE", None, [quantized("int8", scale, zero_point)], [TensorDef(SHAPE, "float32")]
        )
        cases.append(Case(model, [[_values("int8", np.random.default_rng(0))]]))
    check(*cases)


@pytest.mark.parametrize(
    ("kind", "source", "result", "code", "text"),
    [
        ("QUANTIZE", TensorDef(SHAPE, "int32"), quantized("int8", 1.0, 0), "TG202", "found int32"),
        ("QUANTIZE", TensorDef(SHAPE, "float32"), quantized("int16", 1.0, 0), "TG202", "must be int8, found int16"),
        ("QUANTIZE", TensorDef(SHAPE, "float32"), TensorDef(SHAPE), "TG205", "no quantization"),
        ("QUANTIZE", quantized("int16", 1.0, 0), quantized("int32", 1.0, (1 << 30) + 1), "TG205", "found 1073741825"),
        ("QUANTIZE", quantized("int16", 1.0, 5), quantized("int16", 1.0, 0), "TG205", "must be 0, found 5 and 0"),
        ("QUANTIZE", quantized("int16", 9000.0, 0), quantized("int8", 1.0, 0), "TG205", "found a factor of 9000"),
        ("DEQUANTIZE", quantized("uint8", 1.0, 0), TensorDef(SHAPE, "float32"), "TG202", "found uint8"),
        ("DEQUANTIZE", quantized("int8", 1.0, 0), quantized("int8", 1.0, 0), "TG202", "must be float32, found int8"),
        ("DEQUANTIZE", TensorDef(SHAPE), TensorDef(SHAPE, "float32"), "TG205", "no quantization"),
    ],
)
def test_what_is_refused(kind: str, source: TensorDef, result: TensorDef, code: str, text: str) -> None:
    with pytest.raises(TinygenError, match=text) as caught:
        read_bytes(single_op_model(kind, None, [source], [result]), "m.tflite")
    assert caught.value.code == code


def _values(dtype: str, rng: np.random.Generator) -> np.ndarray:
    """All values of an 8-bit type; 256 of int16, both extremes included."""
    low, high = RANGES[dtype]
    values = np.linspace(low, high, 256) if dtype != "int16" else rng.integers(low, high, 256, endpoint=True)
    values[[0, -1]] = low, high
    return values.astype(dtype).reshape(SHAPE)
