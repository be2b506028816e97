"""Measurements: what contradicts itself cannot be made, and what was emulated says so."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tinygen.measurement import LayerCount, Measurement, from_json, to_json

EMULATED = Measurement(
    runner="unicorn",
    board="mps2-an386",
    kind="emulated",
    counter="instructions",
    compiler="zig 0.17.0 -O2",
    runs=(5, 3, 4, 9),
    layers=(LayerCount(0, "CONV_2D", "a", 3), LayerCount(2, "SOFTMAX", "b", 1)),
    outputs=(np.array([[1, -2]], np.int8),),
    stack_bytes=80,
    clock_hz=None,
)
MEASURED = replace(EMULATED, kind="measured", counter="cycles", clock_hz=1000)


def test_headline_is_the_median_and_its_kind() -> None:
    assert EMULATED.count == 5
    assert EMULATED.headline() == "5 instructions (emulated, not measured on a board)"
    assert MEASURED.headline() == "5 cycles (measured on the board)"
    estimated = replace(EMULATED, kind="estimated", counter="cycles")
    assert estimated.headline() == "5 cycles (estimated, not measured on a board)"


def test_only_a_board_has_time() -> None:
    assert EMULATED.seconds is None
    assert MEASURED.seconds == 0.005


@pytest.mark.parametrize(
    "change",
    [
        {"counter": "cycles"},
        {"kind": "estimated"},
        {"kind": "measured"},
        {"clock_hz": 16_000_000},
        {"runs": ()},
    ],
)
def test_contradictions(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"emulator|estimated|clock|run"):
        replace(EMULATED, **change)


@pytest.mark.parametrize("measurement", [EMULATED, MEASURED])
def test_json_reads_back(measurement: Measurement) -> None:
    value = json.loads(json.dumps(to_json(measurement)))
    assert measurement.counter in value
    back = from_json(value)
    np.testing.assert_array_equal(back.outputs[0], measurement.outputs[0])
    assert back.outputs[0].dtype == np.int8
    assert replace(back, outputs=()).__dict__ == replace(measurement, outputs=()).__dict__
