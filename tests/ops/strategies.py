"""Hypothesis strategies that every operator test draws from: quantizations, activations, and data made from a seed."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.ops.builder import TensorDef

BATCH = 24
"""Models compiled into one C program; most of its cost is the kernels, which they share."""

activation_functions = st.integers(0, 3)
"""NONE, RELU, RELU_N1_TO_1, RELU6 as the schema numbers them."""

zero_points = st.sampled_from((-128, 0, 127)) | st.integers(-128, 127)


def examples(count: int) -> settings:
    """Settings of a test that compares `count` batches of models.

    There is no shrinking: it would start a compiler hundreds of times, and a failure names one small model anyway.
    """
    slow = (HealthCheck.too_slow, HealthCheck.data_too_large)
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        print_blob=True,
        suppress_health_check=slow,
        phases=(Phase.explicit, Phase.generate),
    )


def scales(low: float = 1e-3, high: float = 0.5) -> st.SearchStrategy[float]:
    """Scales as files have them, float32 values."""
    return st.floats(low, high).map(lambda x: float(np.float32(x)))


generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)
"""Random generators; data made by them is reproduced by their seed."""


@st.composite
def activations(draw: st.DrawFn, shape: tuple[int, ...], low: float = 1e-3, high: float = 0.5) -> TensorDef:
    """An int8 activation with any scale and zero point."""
    return TensorDef.activation(shape, draw(scales(low, high)), draw(zero_points))


def int8(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Any int8, both extremes included."""
    return rng.integers(-128, 128, shape, dtype=np.int8)


def samples(rng: np.random.Generator, *shapes: tuple[int, ...]) -> list[list[np.ndarray]]:
    """Three samples: any values, extremes only, nearly constant."""
    extremes = [rng.choice(np.array([-128, 127], np.int8), shape) for shape in shapes]
    level = int(rng.integers(-128, 126))
    nearly = [rng.integers(level, level + 3, shape, dtype=np.int8) for shape in shapes]
    return [[int8(rng, shape) for shape in shapes], extremes, nearly]
