"""Benchmarks: inferences measured, checked against the oracle, and taken apart by layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tinygen import __version__, oracle
from tinygen.arena import settle_arenas, settled_trees
from tinygen.backends import settled
from tinygen.boards import Board
from tinygen.build.builder import model_flags
from tinygen.build.elf import Sizes
from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.compile import CompileOptions, compile_models, read_for
from tinygen.energy import Energy
from tinygen.errors import TinygenError
from tinygen.fit import MemoryUse, measure_sizes, memory_uses
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.measurement import Measurement
from tinygen.project import write_project
from tinygen.run import find_runner
from tinygen.samples import Sample, random_sample
from tinygen.source_tree import SourceTree
from tinygen.target import for_board
from tinygen.verify import compare


@dataclass(frozen=True)
class BenchLayer:
    """One layer. `index` is the operator's index in the model file, `name` its output's name."""

    index: int
    op: str
    name: str
    instructions: int | None
    """Of one inference, in the build with hooks; null where the runner counts cycles."""
    cycles: int | None
    """As instructions; null where the runner counts instructions."""
    macs: int
    """Multiply-adds."""
    constant_bytes: int
    output_shape: tuple[int, ...]
    kernel: str
    """What computes it: `tg_arm_...` calls CMSIS-NN, other `tg_...` are tinygen's; of tflite-micro it is a file."""

    @property
    def count(self) -> int:
        """Instructions or cycles."""
        return (self.cycles or 0) if self.instructions is None else self.instructions


@dataclass(frozen=True)
class Provenance:
    """What the numbers were made with, so that they can be made again."""

    tinygen: str
    model_sha256: str
    backend: str
    numerics: str
    compiler: str
    """With its version and optimisation level."""
    flags: tuple[str, ...]
    """Of the compiler, for the model's code; empty for a board, where what was flashed runs."""
    runner: str
    seed: int
    """Of the random input."""


@dataclass(frozen=True)
class Benchmark:
    """One model on one board by one runner."""

    model: str
    board: str
    runner: str
    kind: str
    """`measured` on silicon, `emulated` (instructions are exact), or `estimated`."""
    instructions: int | None
    """Of one inference, in the build without hooks, the median of the runs; null where the runner counts cycles."""
    cycles: int | None
    """As instructions; null where the runner counts instructions."""
    seconds: float | None
    """Of one inference; null unless measured."""
    runs: tuple[int, ...]
    """The count of each inference, all of the same inputs, in the order they ran."""
    arena_bytes: int
    state_bytes: int
    """Kept from one inference to the next; each inference counted is the first after a reset."""
    lower_bound_bytes: int
    """What no memory plan of this schedule can go below."""
    proof: str
    """`optimal`, or the gap in bytes between the plan and the best bound known."""
    schedule_exact: bool
    """All orders of the layers and all cuts were gone through for the schedule; false where the search was bounded."""
    excess_percent: float
    """Estimated instructions above what the objective chose, as only this schedule could be spread over the memories;
    0 where it is the objective's."""
    ram_bytes: int
    """Variables, arenas and stack reserve of the minimal firmware, all its models together, from its ELF: as `fit`."""
    ram_available_bytes: int
    memories: tuple[MemoryUse, ...]
    """Every memory that is part of ram_bytes, the main one with the variables first."""
    flash_bytes: int
    """Code and constants of the minimal firmware, all its models together, from its ELF."""
    flash_available_bytes: int
    constant_bytes: int
    """Weights, biases and tables of this model, part of flash_bytes."""
    stack_bytes: int
    """The most stack that was used."""
    outputs_match: bool
    compared_with: str
    """The oracle, or the numpy reference where the oracle is not installed or rounds otherwise (--numerics tflm)."""
    layers: tuple[BenchLayer, ...]
    energy: Energy | None
    """From a power analyser's recording that the user names; null without one."""
    provenance: Provenance

    @property
    def counter(self) -> str:
        """What was counted: `instructions` or `cycles`."""
        return "cycles" if self.instructions is None else "instructions"

    @property
    def count(self) -> int:
        """Instructions or cycles."""
        return (self.cycles or 0) if self.instructions is None else self.instructions


@dataclass(frozen=True)
class Case:
    """What is measured at once: the models of one firmware, as one backend generates it, by one runner on one board."""

    models: tuple[str, ...]
    board: str
    backend: str
    runner: str


@dataclass(frozen=True, eq=False)
class Measured:
    """A benchmark with what was measured: the model's source tree, the whole firmware's, the options and the file."""

    benchmark: Benchmark
    tree: SourceTree
    firmware: tuple[SourceTree, ...]
    path: Path
    options: CompileOptions


def bench(
    paths: Sequence[Path],
    options: CompileOptions,
    board: Board,
    runners: Sequence[str],
    *,
    separate_arenas: bool = False,
    compiler: str | None = None,
    optimize: str = DEFAULT_OPTIMIZATION,
    seed: int = 0,
    runs: int = 1,
) -> Iterator[tuple[Case, tuple[Measured, ...] | TinygenError]]:
    """Measures the firmware of these models by each runner: `runs` inferences of each model, of one random input.

    Yields each case with a measurement for each model, or with the error that prevented it: TG1xx, TG2xx for the
    models; TG301 when they do not fit; TG4xx and TG5xx of build and run.
    """
    options = for_board(options, board)
    cases = [Case(tuple(path.name for path in paths), board.id, options.backend, runner) for runner in runners]
    with TemporaryDirectory(prefix="tinygen-") as folder:
        try:
            options = settled(options)
            trees = compile_models(paths, options, separate_arenas=separate_arenas)
            project = write_project(trees, board, Path(folder) / "project")
            project, arenas = settle_arenas(project, Path(folder) / "arena", compiler=compiler, optimize=optimize)
            trees = settled_trees(trees, arenas)
            sizes = measure_sizes(project, Path(folder) / "build", compiler=compiler, optimize=optimize).sizes
        except TinygenError as problem:
            yield from ((case, problem) for case in cases)
            return
        for case in cases:
            found = []
            try:
                for path, tree in zip(paths, trees, strict=True):
                    graph = read_for(path, options)
                    inputs = random_sample(graph, seed, 0)
                    selected = project.select(tree.prefix)
                    build = Path(folder) / f"build-{tree.prefix}"
                    with find_runner(case.runner).open(
                        selected, build, compiler=compiler, optimize=optimize
                    ) as session:
                        measurement = session.measure(inputs, runs)
                    matches, compared_with = _check(path, graph, inputs, measurement, options.rounding)
                    provenance = _provenance(tree, board, measurement, case.runner, seed, compiler, optimize)
                    benchmark = _benchmark(tree, trees, sizes, measurement, matches, compared_with, provenance)
                    found.append(Measured(benchmark, tree, trees, path, options))
            except TinygenError as problem:
                yield case, problem
            else:
                yield case, tuple(found)


def _benchmark(
    tree: SourceTree,
    firmware: Sequence[SourceTree],
    sizes: Sizes,
    measurement: Measurement,
    matches: bool,
    compared_with: str,
    provenance: Provenance,
) -> Benchmark:
    return Benchmark(
        model=tree.model_name,
        board=measurement.board,
        runner=provenance.runner,
        kind=measurement.kind,
        instructions=measurement.count if measurement.counter == "instructions" else None,
        cycles=measurement.count if measurement.counter == "cycles" else None,
        seconds=measurement.seconds,
        runs=measurement.runs,
        arena_bytes=tree.plan.arena_bytes,
        state_bytes=tree.state_bytes,
        lower_bound_bytes=tree.plan.lower_bound,
        proof=tree.plan.proof,
        schedule_exact=tree.schedule_exact,
        excess_percent=tree.excess_percent,
        ram_bytes=sizes.ram_bytes,
        ram_available_bytes=sizes.ram_capacity,
        memories=memory_uses(firmware, sizes),
        flash_bytes=sizes.flash_bytes,
        flash_available_bytes=sizes.flash_capacity,
        constant_bytes=tree.constant_bytes,
        stack_bytes=measurement.stack_bytes,
        outputs_match=matches,
        compared_with=compared_with,
        layers=_layers(tree, measurement),
        energy=None,
        provenance=provenance,
    )


def _check(path: Path, graph: Graph, inputs: Sample, measurement: Measurement, numerics: Numerics) -> tuple[bool, str]:
    """Whether the outputs are right, and what says so."""
    without = numerics is Numerics.LITERT and not oracle.available()
    known = oracle.Reference(graph, numerics) if without else oracle.find_oracle(path, graph, numerics)
    pairs = zip(measurement.outputs, known.run(inputs), strict=True)
    return all(compare(found, right)[0] == 0 for found, right in pairs), known.name


def _provenance(
    tree: SourceTree,
    board: Board,
    measurement: Measurement,
    runner: str,
    seed: int,
    compiler: str | None,
    optimize: str,
) -> Provenance:
    return Provenance(
        tinygen=__version__,
        model_sha256=tree.model_sha256,
        backend=tree.backend,
        numerics=tree.numerics,
        compiler=measurement.compiler,
        # What counts cycles is a board: it runs what was flashed.
        flags=() if measurement.counter == "cycles" else model_flags(board.core, tree.libraries, compiler, optimize),
        runner=runner,
        seed=seed,
    )


def _layers(tree: SourceTree, measurement: Measurement) -> tuple[BenchLayer, ...]:
    counts = {layer.index: layer.count for layer in measurement.layers}
    in_instructions = measurement.counter == "instructions"
    return tuple(
        BenchLayer(
            index=layer.index,
            op=layer.op,
            name=layer.name,
            instructions=counts[layer.index] if in_instructions else None,
            cycles=None if in_instructions else counts[layer.index],
            macs=layer.macs,
            constant_bytes=layer.constant_bytes,
            output_shape=layer.output_shape,
            kernel=layer.kernel,
        )
        for layer in tree.layers
        if layer.index in counts
    )
