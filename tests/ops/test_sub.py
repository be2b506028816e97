"""SUB: LiteRT BUILTIN_REF, numpy reference and compiled C on any broadcast, quantization and fused activation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.binary import BINARY_SHAPES, binary_cases, binary_model
from tests.ops.builder import TensorDef
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples, samples

ACTIVATION = TensorDef.activation


@examples(2)
@given(st.lists(binary_cases("SUB"), min_size=BATCH, max_size=BATCH))
def test_equals_litert(cases: list[Case]) -> None:
    check(*cases)


@pytest.mark.parametrize("constant", [None, 0, 1])
def test_every_broadcast(constant: int | None) -> None:
    """In either order: the operand that is repeated is subtracted, and subtracted from."""
    cases = []
    for shapes in (*BINARY_SHAPES, *(shapes[::-1] for shapes in BINARY_SHAPES)):
        a, b = shapes
        tensors = [ACTIVATION(a, 0.03, 5), ACTIVATION(b, 0.05, -7), ACTIVATION(np.broadcast_shapes(a, b), 0.07, 3)]
        model, inputs = binary_model("SUB", *tensors, constant=constant)
        cases.append(Case(model, samples(np.random.default_rng(2), *(t.shape for t in inputs))))
    check(*cases)
