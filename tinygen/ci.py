"""Golden inputs, outputs and an instruction budget for a project's CI: references computed, instructions counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tinygen.boards import Board
from tinygen.build.zig import zig_command, zig_version
from tinygen.errors import TinygenError, error
from tinygen.ir.interpret import interpret
from tinygen.ir.op import Numerics
from tinygen.ir.tensor import Array
from tinygen.project import Project, write_project
from tinygen.project.ci import Ci, Golden, GoldenSample
from tinygen.run import find_runner
from tinygen.samples import Sample, random_sample
from tinygen.source_tree import SourceTree
from tinygen.tflite.reader import read_model

SAMPLES = 3
MARGIN = 20
"""The budget is the count and a part in so many of it: emulators agree, but another release of zig may not."""

_COUNTERS = ("unicorn", "qemu")
"""Runners that count instructions, the quickest first."""


def continuous_integration(
    files: Sequence[Path], trees: Sequence[SourceTree], board: Board, *, instructions: int | None = None
) -> Ci:
    """What `write_project` needs for CI of the models in `files`, compiled to `trees` in the same order.

    `instructions` is the budget of every model; without it an inference is counted on an emulator, built with zig as
    the workflow does.

    Raises:
        TinygenError: TG401 without zig, TG419 when nothing here counts the board's instructions.
    """
    if zig_command() is None:
        hint = 'pip install "tinygen[emulate]" brings it'
        raise error("TG401", "zig is not installed, and the workflow's version is that of this computer", hints=(hint,))
    goldens = []
    samples = [_samples(file, tree) for file, tree in zip(files, trees, strict=True)]
    with TemporaryDirectory(prefix="tinygen-") as folder:
        project = write_project(trees, board, Path(folder) / "project") if instructions is None else None
        for tree, pairs in zip(trees, samples, strict=True):
            if project is None:
                budget = instructions or 0
            else:
                count = _count(project.select(tree.prefix), pairs[0][0], Path(folder) / "build")
                budget = count + count // MARGIN
            golden = tuple(GoldenSample(_bytes(inputs), _bytes(outputs)) for inputs, outputs in pairs)
            goldens.append(Golden(golden, budget))
    return Ci(tuple(goldens), zig_version())


def _samples(file: Path, tree: SourceTree) -> list[tuple[Sample, tuple[Array, ...]]]:
    """Random inputs with the reference's outputs, which generated code gives bit for bit."""
    graph = read_model(file)
    inputs = [random_sample(graph, 0, index) for index in range(SAMPLES)]
    return [(sample, interpret(graph, sample, Numerics(tree.numerics))) for sample in inputs]


def _count(project: Project, inputs: Sample, build: Path) -> int:
    """Instructions of an inference on the first runner that can be the board; TG419 when none can."""
    reasons = []
    for name in _COUNTERS:
        try:
            with find_runner(name).open(project, build, compiler="zig") as session:
                return session.measure(inputs).count
        except TinygenError as problem:
            if problem.code not in ("TG404", "TG411", "TG503", "TG520"):
                raise
            reasons.append(f"{name}: {problem.diagnostics[0].message}")
    hint = "--max-instructions N is the budget, for example of tinygen bench on the board"
    raise error("TG419", "\n".join(("nothing here counts instructions", *reasons)), hints=(hint,))


def _bytes(arrays: Sequence[Array]) -> tuple[bytes, ...]:
    """Arrays as they lie in the firmware's memory."""
    return tuple(np.ascontiguousarray(a).astype(a.dtype.newbyteorder("<")).tobytes() for a in arrays)
