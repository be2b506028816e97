"""Tuning: candidates for the schedules of backend utvm, generated here, built and counted exactly by workers."""

from __future__ import annotations

import importlib.util
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tinygen.backends import settled
from tinygen.backends.options import CompileOptions
from tinygen.backends.utvm import BACKEND
from tinygen.backends.utvm.decision import Decision
from tinygen.backends.utvm.tuning import Target, Tuning, load_tuning, save_tuning
from tinygen.boards import Board
from tinygen.build.compiler import find_compiler
from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.errors import TinygenError, error
from tinygen.ir.graph import Graph
from tinygen.ir.interpret import interpret
from tinygen.ir.op import Op
from tinygen.ir.tensor import Array
from tinygen.passes.pipeline import run as run_passes
from tinygen.project import write_project
from tinygen.run import find_runner
from tinygen.run.unicorn import RUNNER
from tinygen.samples import random_sample
from tinygen.source_tree import SourceTree
from tinygen.target import for_board
from tinygen.tflite import read_model

_PREFIX = "layer"
_ANSWER = "10s"
"""How long a scheduler has to answer."""
_WAITING = 2
"""Trials for each worker that are generated ahead."""


@dataclass(frozen=True)
class TunedLayer:
    """A shape of the model, the operators that have it, and the best schedule found."""

    shape: str
    operators: tuple[int, ...]
    """Their indices in the model file."""
    decision: str
    instructions: int
    """Of one such operator."""
    untuned_instructions: int | None
    """Of one such operator with the schedule that is used without tuning; null where that could not be measured."""
    candidates: int
    """How many schedules were counted."""
    excluded: int
    """How many had a wrong output or did not fit the board."""


@dataclass(frozen=True)
class TuningResult:
    """A tuned model."""

    model: str
    board: str
    target: str
    """What the counts are for: core, compiler and optimisation level."""
    file: str
    measured: int
    """Candidates counted now."""
    reused: int
    """Candidates that the file had already."""
    instructions: int
    """Of all operators that were tuned."""
    untuned_instructions: int
    """Of the same operators with the schedules that are used without tuning."""
    layers: tuple[TunedLayer, ...]


@dataclass(frozen=True, eq=False)
class Trial:
    """A layer with one candidate as C, and what its output must be: all that a worker needs, which has no TVM."""

    tree: SourceTree
    board: Board
    inputs: tuple[Array, ...]
    expected: tuple[Array, ...]
    compiler: str | None
    optimize: str


@dataclass(frozen=True, eq=False)
class _Shape:
    """Layers of one shape; the first of them stands for all."""

    key: str
    graph: Graph
    default: Decision
    candidates: tuple[Decision, ...]
    operators: list[int] = field(default_factory=list)


def count(trial: Trial) -> int | None:
    """Instructions of one inference; None when its output is wrong or it does not fit the board.

    Raises:
        TinygenError: TG401, TG402, TG404 and TG5xx of build and run.
    """
    with TemporaryDirectory(prefix="tinygen-") as folder:
        project = write_project(trial.tree, trial.board, Path(folder) / "project")
        build = Path(folder) / "build"
        try:
            session = RUNNER.open(project, build, compiler=trial.compiler, optimize=trial.optimize)
        except TinygenError as problem:
            if problem.code == "TG301":
                return None
            raise
        with session:
            outputs = session.infer(trial.inputs)
            exact = all(np.array_equal(found, right) for found, right in zip(outputs, trial.expected, strict=True))
            return session.instructions if exact else None


def tune(
    path: Path,
    board: Board,
    file: Path,
    options: CompileOptions,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    compiler: str | None = None,
    optimize: str = DEFAULT_OPTIMIZATION,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> TuningResult:
    """Counts every candidate that the tuning file does not have yet, and writes the file after each.

    `workers` are processes of this machine, or `scheduler` is the address of a Dask cluster's. `progress` is told how
    many of how many candidates are done.

    Raises:
        TinygenError: TG1xx and TG2xx for the model, TG404 for packages, TG430 for a damaged file, TG431 for one of
            another target, TG432 for a scheduler that does not answer, TG433 for a layer without a
            usable schedule, TG4xx and TG5xx of build and run.
    """
    find_runner(RUNNER.name)
    options = settled(for_board(replace(options, backend=BACKEND.name, tuning=None), board))
    graph = run_passes(read_model(path))
    found = find_compiler(board.core, compiler)
    target = Target(board.cpu, tuple(sorted(board.features)), found.version, optimize)
    tuning = _start(file, target)
    shapes = _shapes(graph, options)
    todo = [(shape, d) for shape in shapes for d in shape.candidates if d not in tuning.layers.get(shape.key, {})]
    total = sum(len(shape.candidates) for shape in shapes)
    done = total - len(todo)
    progress(done, total)

    def trials() -> Iterator[tuple[tuple[_Shape, Decision], Trial]]:
        for shape, decision in todo:
            one = Tuning(target).having(shape.key, decision, 1)
            tree = BACKEND.compile_tuned(shape.graph, options, _PREFIX, one)
            inputs = random_sample(shape.graph, seed, 0)
            right = interpret(shape.graph, inputs, options.rounding)
            yield (shape, decision), Trial(tree, board, tuple(inputs), tuple(right), compiler, optimize)

    with _executor(workers, scheduler) as (executor, width):
        for (shape, decision), instructions in _results(executor, trials(), _WAITING * width):
            tuning = tuning.having(shape.key, decision, instructions)
            save_tuning(tuning, file)
            done += 1
            progress(done, total)
    if not todo:
        save_tuning(tuning, file)
    layers = tuple(_tuned(shape, tuning) for shape in shapes)
    return TuningResult(
        model=graph.name,
        board=board.id,
        target=str(target),
        file=str(file),
        measured=len(todo),
        reused=total - len(todo),
        instructions=sum(layer.instructions * len(layer.operators) for layer in layers),
        untuned_instructions=sum(_untuned(layer) * len(layer.operators) for layer in layers),
        layers=layers,
    )


def _start(file: Path, target: Target) -> Tuning:
    """What the file has already."""
    if not file.exists():
        return Tuning(target)
    tuning = load_tuning(file)
    if tuning.target != target:
        message = f"{file} is for {tuning.target}, and this is {target}"
        raise error("TG431", message, hints=("give another file with --tuning",))
    return tuning


def _shapes(graph: Graph, options: CompileOptions) -> list[_Shape]:
    from tinygen.backends.utvm.operators import lowering

    shapes: dict[str, _Shape] = {}
    for op in graph.ops:
        found = None if op.alias else lowering(op, graph, options.rounding)
        if found is None or not found.candidates:
            continue
        default = found.default(options.features)
        candidates = _worthwhile([d for d in found.candidates if d.requires <= options.features])
        tried = tuple(sorted({default, *candidates}))
        shape = shapes.setdefault(found.key, _Shape(found.key, _alone(graph, op), default, tried))
        shape.operators.append(op.origin.op_index or 0)
    return list(shapes.values())


def _worthwhile(usable: Sequence[Decision]) -> Iterator[Decision]:
    """Without tiles of plain products that a dot product can compute: those take twice the instructions."""
    fast = {(d.pixels, d.channels) for d in usable if d.dot}
    return (d for d in usable if d.dot or (d.pixels, d.channels) not in fast)


def _alone(graph: Graph, op: Op) -> Graph:
    """The graph of a single operator."""
    used = [i for i in (*op.inputs, *op.outputs) if i >= 0]
    return replace(
        graph,
        tensors={i: graph.tensors[i] for i in used},
        ops=(op,),
        inputs=tuple(dict.fromkeys(i for i in op.inputs if i >= 0 and graph.tensors[i].data is None)),
        outputs=op.outputs,
    )


def _tuned(shape: _Shape, tuning: Tuning) -> TunedLayer:
    counts, best = tuning.layers.get(shape.key, {}), tuning.best(shape.key)
    instructions = None if best is None else counts[best]
    if best is None or instructions is None:
        message = f"no schedule of '{shape.key}' computes what it must and fits the board"
        raise error("TG433", message, hints=("tinygen fit says what the board lacks",))
    return TunedLayer(
        shape=shape.key,
        operators=tuple(shape.operators),
        decision=str(best),
        instructions=instructions,
        untuned_instructions=counts.get(shape.default),
        candidates=len(counts),
        excluded=sum(n is None for n in counts.values()),
    )


def _untuned(layer: TunedLayer) -> int:
    return layer.untuned_instructions or layer.instructions


def _results(
    executor: Executor, trials: Iterator[tuple[tuple[_Shape, Decision], Trial]], ahead: int
) -> Iterator[tuple[tuple[_Shape, Decision], int | None]]:
    """Counts as they come, while no more than `ahead` trials are under way."""
    waiting: dict[Future[int | None], tuple[_Shape, Decision]] = {}
    try:
        for name, trial in trials:
            waiting[executor.submit(count, trial)] = name
            if len(waiting) >= ahead:
                yield from _finished(waiting)
        while waiting:
            yield from _finished(waiting)
    finally:
        for future in waiting:
            future.cancel()


def _finished(waiting: dict[Future[int | None], tuple[_Shape, Decision]]) -> list[tuple[tuple[_Shape, Decision], Any]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    return [(waiting.pop(future), future.result()) for future in done]


@contextmanager
def _executor(workers: int, scheduler: str | None) -> Iterator[tuple[Executor, int]]:
    """What counts trials, and how many at a time."""
    if scheduler is not None:
        with _cluster(scheduler) as found:
            yield found
        return
    # Spawned: a fork would copy TVM's threads in the middle of what they do. Ctrl-C is for this process alone.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    try:
        yield pool, workers
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _cluster(scheduler: str) -> Iterator[tuple[Executor, int]]:
    if importlib.util.find_spec("distributed") is None:
        raise error("TG404", 'dask is not installed, pip install "tinygen[cluster]" brings it')
    from distributed import Client

    try:
        client = Client(scheduler, timeout=_ANSWER, set_as_default=False)
    except (OSError, ValueError) as problem:
        hints = ("dask scheduler prints its address, such as tcp://host:8786",)
        raise error("TG432", f"no scheduler answers at {scheduler}: {problem}", hints=hints) from problem
    with client:
        yield client.get_executor(), max(1, sum(client.ncores().values()))
