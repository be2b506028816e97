"""What is promised of every model: arena bytes, instructions, and outputs equal to LiteRT's reference kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.acceptance import BALANCED_FACTOR, COMPARED, COUNTED, MODELS, SAMPLES, arena, emulate
from benchmarks.figures import OTHER_MODELS, model_file
from tests.requirement import require
from tinygen.boards import load_board
from tinygen.compile import CompileOptions, compile_model
from tinygen.schedule.choose import Objective
from tinygen.source_tree import SourceTree
from tinygen.verify import verify

HOST_SAMPLES = 200
EMULATED = ("kws", "digits")
"""Of these every core here; `python -m benchmarks.acceptance` has all models."""


def found(model: str) -> Path:
    path = model_file(model)
    if path is None:
        pytest.skip(f"{model}.tflite is not in {OTHER_MODELS}")
    return path


def compiled(path: Path, board: str, objective: Objective = Objective.BALANCED) -> SourceTree:
    return compile_model(path, CompileOptions(optimize=objective, features=frozenset(load_board(board).features)))


@pytest.mark.parametrize("model", MODELS)
def test_arenas_are_as_small_as_promised(model: str) -> None:
    assert list(arena(found(model), frozenset(load_board(COUNTED["M4"]).features)).broken(model)) == []


@pytest.mark.parametrize("model", MODELS)
def test_outputs_are_those_of_the_reference_kernels(model: str) -> None:
    require("litert", "cc")
    path = found(model)
    assert verify(path, CompileOptions(), samples=HOST_SAMPLES).mismatches == 0


@pytest.mark.parametrize("core", COMPARED)
@pytest.mark.parametrize("model", EMULATED)
def test_emulated_outputs_are_those_of_the_reference_kernels(model: str, core: str, tmp_path: Path) -> None:
    require("litert", "unicorn", "zig")
    path, board = found(model), COMPARED[core]
    assert emulate(path, compiled(path, board), board, tmp_path, compiler="zig", samples=SAMPLES).mismatches == 0


@pytest.mark.parametrize("model", EMULATED)
def test_balanced_costs_little_time(model: str, tmp_path: Path) -> None:
    require("unicorn", "zig")
    path, board = found(model), COUNTED["M4"]
    counts = {}
    for objective in (Objective.BALANCED, Objective.SPEED):
        tree = compiled(path, board, objective)
        folder = tmp_path / objective.value
        counts[objective] = emulate(path, tree, board, folder, compiler="zig", samples=0).instructions
    assert counts[Objective.BALANCED] <= BALANCED_FACTOR * counts[Objective.SPEED]
