"""The oracle lives in a process of its own, and its end is an error, not ours."""

from pathlib import Path

import numpy as np
import pytest

from tests.ops.test_svdf import parts, svdf
from tests.requirement import require
from tinygen.errors import TinygenError
from tinygen.oracle import Oracle
from tinygen.paths import EXAMPLES

DIGITS = EXAMPLES / "digits.tflite"


@pytest.fixture
def oracle() -> Oracle:
    require("litert")
    return Oracle(DIGITS)


def test_outputs_repeat(oracle: Oracle) -> None:
    image = np.arange(64, dtype=np.int8).reshape(1, 8, 8, 1)
    first, second = oracle.run([image]), oracle.run([image])
    assert first[0].shape == (1, 10)
    assert np.array_equal(first[0], second[0])


def test_state_goes_on_until_it_is_reset(tmp_path: Path) -> None:
    require("litert")
    (tmp_path / "svdf.tflite").write_bytes(svdf(**parts(), rank=2))
    oracle = Oracle(tmp_path / "svdf.tflite")
    x = np.full((1, 5), 100, np.int8)
    first, second = oracle.run([x])[0], oracle.run([x])[0]
    oracle.reset()
    assert np.array_equal(oracle.run([x])[0], first)
    assert not np.array_equal(first, second)


def test_a_dead_oracle_is_an_error(oracle: Oracle) -> None:
    oracle._process.kill()
    oracle._process.join()
    with pytest.raises(TinygenError) as caught:
        oracle.run([np.zeros((1, 8, 8, 1), np.int8)])
    assert caught.value.code == "TG507"


def test_a_model_that_litert_refuses(tmp_path: Path) -> None:
    require("litert")
    damaged = bytearray(DIGITS.read_bytes())
    damaged[4:8] = b"XXXX"
    (tmp_path / "model.tflite").write_bytes(damaged)
    with pytest.raises(TinygenError) as caught:
        Oracle(tmp_path / "model.tflite")
    assert caught.value.code == "TG105"
