"""Functions of one int8 that are tables: all 256 inputs on many scales, against LiteRT's own table."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.oracle import litert_outputs
from tinygen.errors import TinygenError
from tinygen.ir.interpret import interpret
from tinygen.tflite import read_bytes

SHAPE = (1, 4, 8, 8)
EVERY_VALUE = np.arange(-128, 128, dtype=np.int8).reshape(SHAPE)
GELU = {exact: Options("GeluOptions", {"Approximate": not exact}) for exact in (True, False)}
KINDS = (
    ("ABS", None),
    ("EXP", None),
    ("GELU", GELU[True]),
    ("GELU", GELU[False]),
    ("LOG", None),
    ("RSQRT", None),
    ("SQRT", None),
)
ROOTS = ("RSQRT", "SQRT")
SCALES = 250


def model(kind: str, options: Options | None, source: tuple[float, int], result: tuple[float, int]) -> bytes:
    tensors = [TensorDef.activation(SHAPE, *quant) for quant in (source, result)]
    return single_op_model(kind, options, tensors[:1], tensors[1:])


def drawn(kind: str, rng: np.random.Generator) -> tuple[tuple[float, int], tuple[float, int]]:
    """Quantizations of input and output; roots are of numbers that are not negative."""
    scale, result = (float(np.float32(10.0 ** rng.uniform(low, high))) for low, high in ((-4, -0.7), (-3.5, 0)))
    zero_point = -128 if kind in ROOTS else int(rng.integers(-128, 128))
    return (scale, zero_point), (result, int(rng.integers(-128, 128)))


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_table_equals_litert(kind: str, options: Options | None) -> None:
    rng = np.random.default_rng(1)
    for _ in range(SCALES):
        quants = drawn(kind, rng)
        made = model(kind, options, *quants)
        ((expected,),) = litert_outputs(made, [[EVERY_VALUE]])
        (found,) = interpret(read_bytes(made, "m.tflite"), [EVERY_VALUE])
        assert np.array_equal(found, expected), quants


def test_c_equals_litert() -> None:
    rng = np.random.default_rng(2)
    check(*(Case(model(kind, options, *drawn(kind, rng)), [[EVERY_VALUE]]) for kind, options in KINDS))


def test_elu_is_the_identity_and_an_exponential() -> None:
    """LiteRT has no reference kernel of ELU; its other kernel fills a table as this one."""
    graph = read_bytes(model("ELU", None, (1 / 32, 0), (1 / 32, 0)), "m.tflite")
    (found,) = interpret(graph, [EVERY_VALUE])
    x = EVERY_VALUE / 32
    expected = np.where(x < 0, np.round(32 * np.expm1(x)), EVERY_VALUE)
    assert np.array_equal(found, expected)


def test_what_is_refused() -> None:
    for kind, source, result, text in (
        ("ABS", (1.0, 0), (1e-5, 0), "at most 8192, found a factor of 100000"),
        ("RSQRT", (1e-10, -128), (1e-6, -128), "found 1e\\+11"),
        ("SQRT", (1.0, -128), (1e-9, 0), "roots must be below"),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(model(kind, None, source, result), "m.tflite")
        assert caught.value.code == "TG205"
