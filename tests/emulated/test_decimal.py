"""Real numbers as the firmware prints them: digit for digit what printf's %.3f makes of the same float."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.requirement import require
from tinygen.build.host import build_host
from tinygen.paths import FIRMWARE

COMMON = FIRMWARE / "common"


@pytest.fixture(scope="module")
def printer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("cc")
    folder = tmp_path_factory.mktemp("decimal")
    (folder / "tinygen_board.h").touch()
    sources = [Path(__file__).with_name("print_reals.c"), COMMON / "decimal.c", COMMON / "protocol.c"]
    return build_host(sources, folder / "print", includes=[COMMON, folder], shared=False, sanitize=True)


def _printed(printer: Path, values: np.ndarray) -> list[str]:
    done = subprocess.run([printer], input=values.astype("<f4").tobytes(), capture_output=True, check=True)
    return done.stdout.decode("ascii").splitlines()


def _expected(values: np.ndarray) -> list[str]:
    return [f"{float(value):.3f}" for value in values]


def test_ties_limits_and_what_is_no_number(printer: Path) -> None:
    ties = [0.0625, 0.1875, 0.3125, -0.0625, 0.0005, 0.9995, 0.99951171875]
    limits = [0.0, -0.0, 1e-45, 1e-30, 8388607.5, 8388608.0, 16777216.0, 33554432.0, 4294967296.0, 1e10, 3.4028235e38]
    values = np.array([*ties, *limits, 1.0, 123456.789, -3.4028235e38], np.float32)
    assert _printed(printer, values) == _expected(values)
    assert _printed(printer, np.array([np.inf, -np.inf, np.nan], np.float32)) == ["inf", "-inf", "nan"]


def test_every_exponent(printer: Path) -> None:
    generator = np.random.default_rng(3)
    bits = generator.integers(0, 1 << 32, 20_000, dtype=np.uint64).astype(np.uint32)
    values = bits.view(np.float32)
    values = values[np.isfinite(values)]
    assert _printed(printer, values) == _expected(values)


@given(st.lists(st.integers(-(1 << 20), 1 << 20), min_size=200, max_size=200))
def test_sixteenths_of_thousandths_and_their_ties(printer: Path, numbers: list[int]) -> None:
    values = np.array(numbers, np.float32) / np.float32(1 << 13)
    assert _printed(printer, values) == _expected(values)
