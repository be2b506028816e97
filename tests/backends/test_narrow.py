"""Backend utvm's requantization: each of its forms against the numpy reference, at ties and at its limits."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.ops.strategies import examples
from tests.requirement import require
from tinygen.backends.utvm.narrow import narrow
from tinygen.build.host import build_host
from tinygen.ops.requantize import Requantization, requantize
from tinygen.paths import TEMPLATES

FULL = (-128, 127)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("cc")
    includes = [TEMPLATES / "utvm" / "kernels", TEMPLATES / "c" / "kernels"]
    out = tmp_path_factory.mktemp("narrow") / "narrow"
    return build_host([Path(__file__).with_name("narrow.c")], out, includes=includes, shared=False, sanitize=True)


def layer(multiplier: int, shift: int, zero_point: int, reach: int, limits: tuple[int, int] = FULL) -> Requantization:
    """A layer of one channel."""
    return Requantization(
        np.zeros(1, np.int32),
        np.array([multiplier], np.int32),
        np.array([shift], np.int8),
        zero_point,
        limits,
        reach,
    )


def sums(multiplier: int, shift: int, reach: int) -> NDArray[np.int64]:
    """The limits, all around zero, and those at which outputs change."""
    steps = np.arange(-300, 300) * 2.0 ** (30 - shift) / multiplier
    changes = [np.round(steps).astype(np.int64) + near for near in (-2, -1, 0, 1, 2)]
    spread = np.random.default_rng(1).integers(-reach, reach, 500)
    found = np.concatenate([*changes, spread, np.arange(-300, 300), [-reach, reach]])
    return found[np.abs(found) <= reach]


@examples(60)
@given(
    multiplier=st.integers(1 << 30, (1 << 31) - 1) | st.just(1 << 30),
    right=st.integers(0, 30),
    zero_point=st.sampled_from([-128, -127, 127, 0]) | st.integers(-128, 127),
    single=st.booleans(),
)
def test_every_form_rounds_as_the_reference(
    program: Path, multiplier: int, right: int, zero_point: int, single: bool
) -> None:
    made = layer(multiplier, -right, zero_point, (1 << 30) - 1)
    chosen = narrow(made, single_rounding=single)
    acc = sums(multiplier, -right, made.reach)
    words = [chosen.rounding, multiplier, chosen.shifts(made)[0], zero_point]
    done = subprocess.run(
        [program, *map(str, words)], input=acc.astype("<i4").tobytes(), stdout=subprocess.PIPE, check=True
    )
    right_ones = requantize(acc, multiplier, -right, zero_point, FULL, single_rounding=single)
    np.testing.assert_array_equal(np.frombuffer(done.stdout, np.int8), right_ones)


def test_forms_are_taken_where_they_are_exact() -> None:
    near, multiplier = (1 << 30) - 1, 1 << 30
    assert narrow(layer(multiplier, -5, -128, near)).rounding == "positive"
    assert narrow(layer(multiplier, -5, -127, near)).rounding == "fast"
    assert narrow(layer(multiplier, -5, -127, 1 << 30)).rounding == "double"
    assert narrow(layer(multiplier, -5, -127, near, (-128, 90))).rounding == "double"
    assert narrow(layer(multiplier, 0, -127, near)).rounding == "double"
    assert narrow(layer(multiplier, -23, -128, near)).rounding == "double"
    assert narrow(layer(multiplier, -2, -127, 1 << 31), single_rounding=True).rounding == "once"
    assert narrow(layer(multiplier, -1, -127, near), single_rounding=True).rounding == "single"
    assert narrow(layer(multiplier, -23, -127, near), single_rounding=True).rounding == "single"
