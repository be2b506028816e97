"""Damaged models end in a TinygenError or a verified graph: no other exception, memory in proportion to the file."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tflite.mutate import KINDS, Mutation, mutate, seeds
from tinygen.errors import TinygenError
from tinygen.passes.pipeline import run
from tinygen.tflite import read_bytes

_NUMBERS = st.integers(0, 2**32 - 1)
_MUTATIONS = st.lists(st.builds(Mutation, st.sampled_from(KINDS), _NUMBERS, _NUMBERS), min_size=1, max_size=4)


@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, len(seeds()) - 1), mutations=_MUTATIONS)
def test_damaged_models(seed: int, mutations: list[Mutation]) -> None:
    data = mutate(seed, tuple(mutations))
    tracemalloc.start()
    with suppress(TinygenError):
        run(read_bytes(data, "damaged.tflite"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 48 * len(data) + (1 << 20)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(data=st.binary(max_size=400))
def test_noise(data: bytes) -> None:
    with pytest.raises(TinygenError, match=r"error\[TG1"):
        read_bytes(data[:4] + b"TFL3" + data[4:], "noise.tflite")
