"""Models with state in a real tflite-micro: what it computes is what the numerics tflm say, and a reset forgets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.ops.builder import TensorDef
from tests.ops.harness import Case, references
from tests.ops.strategies import int8
from tests.ops.test_svdf import parts as svdf_parts
from tests.ops.test_svdf import svdf
from tests.ops.test_unidirectional_sequence_lstm import inner, lstm, output, parts
from tests.requirement import library, require
from tinygen.boards import load_board
from tinygen.compile import CompileOptions, compile_graph
from tinygen.ir.op import Numerics
from tinygen.project import write_project
from tinygen.run import find_runner
from tinygen.tflite import read_bytes

BOARD = load_board("mps2-an386")


def lstm_model(seed: int, *, cell_bits: int = 12, gain: float = 1.0, clip: float = 10.0) -> bytes:
    """Time steps of 7 numbers for 9 cells; what is added to each gate is up to `gain` times what it can take."""
    rng, shape = np.random.default_rng(seed), (1, 5, 7)
    tensors = parts(rng, shape, 9, ((0.013, -3), (0.011, 6)), (gain, gain), cell_bits)
    # tflite-micro quantizes the hidden state as the output state, whatever is said of it.
    return lstm(tensors, replace(output(shape, 9), scales=(0.011,), zero_points=(6,)), inner(2**-7, 0), cell_clip=clip)


def svdf_model(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    source = TensorDef.activation((1, 5), float(np.float32(0.02 * 2**seed)), -3)
    bias = TensorDef.constant(rng.integers(-5000, 5000, 3, dtype=np.int32), (2.0**-25,))
    return svdf(**svdf_parts() | {"source": source, "bias": bias}, rank=2)


MODELS = {
    "lstm": (lstm_model(0), (1, 5, 7)),
    "lstm whose gates saturate": (lstm_model(1, gain=4.0, cell_bits=9, clip=0.0), (1, 5, 7)),
    "lstm of small cells": (lstm_model(2, gain=0.1, cell_bits=15, clip=0.3), (1, 5, 7)),
    "lstm with a clip of less than a step": (lstm_model(3, clip=1e-5), (1, 5, 7)),
    "svdf": (svdf_model(0), (1, 5)),
    "svdf with large inputs": (svdf_model(6), (1, 5)),
}


@pytest.mark.parametrize(
    ("backend", "name"), [*(("tflm", name) for name in MODELS), ("tflm-cmsis-nn", "lstm"), ("tflm-cmsis-nn", "svdf")]
)
def test_sequences_and_a_reset(backend: str, name: str, tmp_path: Path) -> None:
    library("TFLM_DIR")
    if backend != "tflm":
        library("CMSIS_NN_DIR")
    require("cc")
    model, shape = MODELS[name]
    rng = np.random.default_rng(7)
    # The second sequence is the first one again, and goes on.
    once = [[int8(rng, shape)] for _ in range(8)]
    case = Case(model, [*once, *once, *once], resets=[len(once)])
    found = _outputs(case, backend, tmp_path)
    expected = [outputs[0] for outputs in references(read_bytes(model, "m.tflite"), case, Numerics.TFLM)]
    assert [i for i, (ours, theirs) in enumerate(zip(found, expected, strict=True)) if (ours != theirs).any()] == []
    first, second, third = (np.stack(found[i : i + len(once)]) for i in range(0, 3 * len(once), len(once)))
    assert np.array_equal(first, second)
    # With such a clip all cells are 0, and there is nothing to remember.
    assert np.array_equal(first, third) == (name == "lstm with a clip of less than a step")


def _outputs(case: Case, backend: str, folder: Path) -> Sequence[np.ndarray]:
    graph = read_bytes(case.model, "m.tflite", opaque=True)
    options = CompileOptions(backend=backend, numerics=Numerics.TFLM)
    project = write_project(compile_graph(graph, options), BOARD, folder / "project")
    found = []
    with find_runner("host").open(project, folder / "build") as session:
        for number, sample in enumerate(case.samples):
            if number in case.resets:
                session.reset()
            found.append(session.infer(sample)[0])
    return found
