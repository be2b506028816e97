"""Models of one operator with two operands that broadcast, for the tests of ADD, SUB and MUL."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case
from tests.ops.strategies import activation_functions, activations, generators, int8, samples, scales, zero_points

Shape = tuple[int, ...]

BINARY_SHAPES: tuple[tuple[Shape, Shape], ...] = (
    ((1, 5, 4, 3), (1, 5, 4, 3)),
    ((1, 5, 4, 3), (1, 1, 1, 3)),
    ((1, 1, 4, 1), (1, 5, 4, 3)),
    ((1, 5, 4, 3), (1, 5, 1, 1)),
    ((1, 5, 1, 3), (1, 1, 4, 3)),
    ((1, 5, 1, 3), (1, 5, 4, 1)),
    ((1, 5, 4, 3), (3,)),
    ((4, 3), (1, 5, 4, 3)),
    ((1, 5, 4, 3), (1, 4, 3)),
    ((1, 5, 4, 3), (5, 4, 3)),
    ((5, 1, 3), (1, 1, 4, 3)),
    ((1, 5, 4, 3), ()),
    ((1, 5, 4, 3), (1,)),
    ((1, 7, 3), (1, 7, 3)),
    ((1, 7, 3), (7, 1)),
    ((1, 1, 3), (1, 7, 1)),
    ((2, 3, 4), (2, 1, 4)),
    ((2, 1, 4), (1, 3, 1)),
    ((1, 10), (1, 10)),
    ((1, 10), (1, 1)),
    ((6, 1), (1, 5)),
    ((9,), (9,)),
    ((1, 1, 1, 1), (1, 1, 1, 1)),
    ((1, 1, 4, 3), (1, 1, 1, 3)),
)
"""Shapes of both operands: every way of repeating rows, columns and channels, and of leaving dimensions out."""


def binary_model(
    kind: str,
    a: TensorDef,
    b: TensorDef,
    output: TensorDef,
    *,
    constant: int | None = None,
    options: Options | None = None,
) -> tuple[bytes, list[TensorDef]]:
    """The model and what it takes as inputs; operand `constant` becomes a constant with random contents."""
    operands = [a, b]
    if constant is not None:
        data = int8(np.random.default_rng(1), operands[constant].shape)
        operands[constant] = replace(operands[constant], data=data)
    options = options or Options(f"{kind.capitalize()}Options")
    return single_op_model(kind, options, operands, [output]), [t for t in operands if t.data is None]


@st.composite
def binary_cases(draw: st.DrawFn, kind: str) -> Case:
    """A model with any shapes, quantizations and fused activation; the output's range is about what operands fill."""
    a_shape, b_shape = draw(st.sampled_from(BINARY_SHAPES))
    if draw(st.booleans()):
        a_shape, b_shape = b_shape, a_shape
    a, b = draw(activations(a_shape)), draw(activations(b_shape))
    natural = max(a.scales[0], b.scales[0]) if kind != "MUL" else 100 * a.scales[0] * b.scales[0]
    scale = natural * draw(scales(0.2, 4.0))
    output = TensorDef.activation(np.broadcast_shapes(a_shape, b_shape), scale, draw(zero_points))
    options = Options(f"{kind.capitalize()}Options", {"FusedActivationFunction": draw(activation_functions)})
    constant = draw(st.sampled_from((None, None, 0, 1)))
    model, inputs = binary_model(kind, a, b, output, constant=constant, options=options)
    return Case(model, samples(draw(generators), *(t.shape for t in inputs)))
