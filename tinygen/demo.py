"""The demo's model, a classifier of handwritten digits, and what it is right about wherever it runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinygen import oracle
from tinygen.ir.interpret import interpret
from tinygen.ir.tensor import Array
from tinygen.paths import EXAMPLES
from tinygen.project.model import Project
from tinygen.run import find_runner
from tinygen.samples import Sample
from tinygen.tflite import read_model
from tinygen.verify import Tally

MODEL = EXAMPLES / "digits.tflite"
BOARD = "nucleo-l4r5zi"
"""A Cortex-M4 of the size people buy; MLPerf Tiny's results are on it."""

REFERENCE = "tinygen's numpy reference"

Outputs = tuple[Array, ...]


@dataclass(frozen=True)
class HeldOut:
    """Images the model has not seen in training, and how many it was right about when it was made."""

    samples: tuple[Sample, ...]
    labels: tuple[int, ...]
    float_correct: int
    """Before quantization."""
    int8_correct: int
    """After, with LiteRT's reference kernels: what generated code has to reach exactly."""


@dataclass(frozen=True)
class Accuracy:
    """The held-out images classified by generated code."""

    runner: str
    samples: int
    correct: int
    mismatches: int
    """Images for which an output element differs from the comparison's."""


def held_out() -> HeldOut:
    """The images and facts committed with the model."""
    facts = json.loads((EXAMPLES / "digits.json").read_text(encoding="utf-8"))
    with np.load(EXAMPLES / "digits_test.npz", allow_pickle=False) as data:
        samples = tuple((image,) for image in data["inputs"])
        labels = tuple(map(int, data["labels"]))
    return HeldOut(samples, labels, facts["float_correct"], facts["int8_correct"])


def expected_outputs(samples: Sequence[Sample]) -> tuple[tuple[Outputs, ...], str]:
    """The right outputs and whose they are: LiteRT's, or without LiteRT those of our own numpy reference."""
    if oracle.available():
        litert = oracle.Oracle(MODEL)
        return tuple(map(litert.run, samples)), litert.name
    graph = read_model(MODEL)
    return tuple(interpret(graph, sample) for sample in samples), REFERENCE


def classify(
    project: Project,
    runner: str,
    data: HeldOut,
    expected: Sequence[Outputs],
    done: Callable[[int], None] = lambda count: None,
) -> Accuracy:
    """Runs all images on a runner; `done` is told how many are through. Raises what opening and running raise."""
    tally, correct = Tally(), 0
    with find_runner(runner).open(project, project.path / "build") as session:
        for sample, label, right in zip(data.samples, data.labels, expected, strict=True):
            outputs = session.infer(sample)
            tally.add(outputs, right)
            correct += int(np.argmax(outputs[0])) == label
            done(tally.samples)
    return Accuracy(runner, tally.samples, correct, tally.mismatches)
