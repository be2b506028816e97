"""Verification: generated code and the oracle run the same samples, and every output element is compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tinygen.backends import settled
from tinygen.boards import Board, load_board
from tinygen.compile import CompileOptions, compile_models, read_for
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import Array
from tinygen.oracle import find_oracle
from tinygen.project import write_project
from tinygen.run import find_runner
from tinygen.samples import Sample, random_sample
from tinygen.target import for_board

NEUTRAL_BOARD = "mps2-an386"
"""Whose project is built when no board is asked for: a Cortex-M4 with ample memory, which every emulator has."""

SEQUENCE = 50
"""Random samples that follow one another without a reset: more than models remember."""


@dataclass(frozen=True)
class Verification:
    """The outcome of `samples` comparisons."""

    model: str
    board: str | None
    """null: the host runner compiles the portable kernels, no board is involved."""
    runner: str
    oracle: str
    """What the outputs were compared with: `LiteRT <version> BUILTIN_REF`; with numerics tflm the numpy reference."""
    samples: int
    mismatches: int
    """Samples with any differing output element."""
    max_abs_diff: float | None
    """The largest difference of two elements; null when an output is not a finite number."""
    differing_elements: int
    elements: int
    """Output elements compared, of all samples."""
    first_mismatch: int | None
    """The number of the first sample that differs."""
    seed: int | None
    """Of the random samples; null when the samples came from a file."""
    sequence: int | None = None
    """For a model that keeps state: samples after which both sides are reset; null for a model without."""


@dataclass(frozen=True)
class VerificationSet:
    """The outcome for several models in one firmware."""

    verifications: tuple[Verification, ...]


def verify(
    path: Path,
    options: CompileOptions,
    *,
    board: Board | None = None,
    runner: str = "host",
    samples: int | Sequence[Sample] = 100,
    seed: int = 0,
    compiler: str | None = None,
    done: Callable[[int], None] = lambda count: None,
) -> Verification:
    """Compares random samples (their number) or given ones; `done` is told how many are compared.

    Raises:
        TinygenError: TG1xx, TG2xx for the model; TG404 without oracle or runner; TG401, TG402, TG5xx of the run.
    """
    (found,) = verify_models(
        (path,), options, board=board, runner=runner, samples=samples, seed=seed, compiler=compiler, done=done
    )
    return found


def verify_models(
    paths: Sequence[Path],
    options: CompileOptions,
    *,
    separate_arenas: bool = False,
    board: Board | None = None,
    runner: str = "host",
    samples: int | Sequence[Sample] = 100,
    seed: int = 0,
    compiler: str | None = None,
    done: Callable[[int], None] = lambda count: None,
) -> tuple[Verification, ...]:
    """Compares the models of one firmware one after the other; before each inference the others run once.

    Given samples are of the only model. `done` is told how many samples of all models are compared. Raises what
    `verify` does, and TG406 when two models would have the same names.
    """
    options = settled(options)
    graphs = [read_for(path, options) for path in paths]
    oracles = [find_oracle(path, graph, options.rounding) for path, graph in zip(paths, graphs, strict=True)]
    chosen = find_runner(runner)
    target = board if board is not None else load_board(NEUTRAL_BOARD)
    needs_board = board is not None or runner != "host"
    wanted = for_board(options, target) if needs_board else replace(options, memories=())
    trees = compile_models(paths, wanted, separate_arenas=separate_arenas)
    count = samples if isinstance(samples, int) else len(samples)
    found: list[Verification] = []
    with TemporaryDirectory(prefix="tinygen-") as folder:
        project = write_project(trees, target, Path(folder) / "project")
        for graph, oracle, tree in zip(graphs, oracles, trees, strict=True):
            given: Iterable[Sample] = samples if not isinstance(samples, int) else _random_samples(graph, seed, count)
            # Samples of a file are one sequence, in the order in which the user has them.
            sequence = SEQUENCE if isinstance(samples, int) else max(count, 1)
            tally = Tally()
            build = Path(folder) / f"build-{tree.prefix}"
            with chosen.open(project.select(tree.prefix), build, compiler=compiler) as session:
                for number, inputs in enumerate(given):
                    if number % sequence == 0:
                        session.reset()
                        oracle.reset()
                    tally.add(session.infer(inputs), oracle.run(inputs))
                    done(len(found) * count + tally.samples)
            found.append(
                Verification(
                    model=graph.name,
                    board=target.id if needs_board else None,
                    runner=runner,
                    oracle=oracle.name,
                    samples=count,
                    mismatches=tally.mismatches,
                    max_abs_diff=tally.max_abs_diff if math.isfinite(tally.max_abs_diff) else None,
                    differing_elements=tally.differing,
                    elements=tally.elements,
                    first_mismatch=tally.first_mismatch,
                    seed=seed if isinstance(samples, int) else None,
                    sequence=sequence if tree.state_bytes else None,
                )
            )
    return tuple(found)


def _random_samples(graph: Graph, seed: int, count: int) -> Iterator[Sample]:
    return (random_sample(graph, seed, i) for i in range(count))


class Tally:
    """Adds up comparisons of outputs."""

    def __init__(self) -> None:
        self.samples = self.mismatches = self.differing = self.elements = 0
        self.max_abs_diff = 0.0
        self.first_mismatch: int | None = None

    def add(self, found: Sequence[Array], expected: Sequence[Array]) -> None:
        """One sample's outputs."""
        differing = 0
        for ours, theirs in zip(found, expected, strict=True):
            count, largest = compare(ours, theirs)
            differing += count
            self.elements += theirs.size
            self.max_abs_diff = max(self.max_abs_diff, largest)
        if differing:
            self.mismatches += 1
            self.first_mismatch = self.samples if self.first_mismatch is None else self.first_mismatch
        self.differing += differing
        self.samples += 1


def compare(found: Array, expected: Array) -> tuple[int, float]:
    """How many elements differ and by how much at most, infinitely where only one is a number.

    Raises:
        ValueError: the arrays are of different shapes or types, which no pair of correct runs can produce.
    """
    if found.shape != expected.shape or found.dtype != expected.dtype:
        raise ValueError(f"{found.dtype} {found.shape} cannot be compared with {expected.dtype} {expected.shape}")
    if found.dtype.kind != "f":
        difference = np.abs(found.astype(np.int64) - expected.astype(np.int64))
        return int(np.count_nonzero(difference)), float(difference.max(initial=0))
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        apart = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    difference = np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
    return int(np.count_nonzero(~same)), float(difference.max(initial=0.0))
