"""Benchmarks: one inference measured, checked against the oracle, and taken apart by layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tinygen import __version__, oracle
from tinygen.backends import settled
from tinygen.boards import Board
from tinygen.build.compiler import find_compiler
from tinygen.build.flags import CODE, DEFAULT_OPTIMIZATION
from tinygen.compile import CompileOptions, compile_graph
from tinygen.fit import measure_sizes
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.ir.tensor import Array
from tinygen.measurement import Measurement
from tinygen.project import write_project
from tinygen.run import find_runner
from tinygen.samples import Sample, random_sample
from tinygen.source_tree import SourceTree
from tinygen.tflite import read_model
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
    runner: str
    seed: int
    """Of the random input."""


@dataclass(frozen=True)
class Benchmark:
    """One model on one board."""

    model: str
    board: str
    runner: str
    kind: str
    """`measured` on silicon, `emulated` (instructions are exact), or `estimated`."""
    instructions: int | None
    """Of one inference, in the build without hooks; null where the runner counts cycles."""
    cycles: int | None
    """As instructions; null where the runner counts instructions."""
    seconds: float | None
    """Of one inference; null unless measured."""
    arena_bytes: int
    lower_bound_bytes: int
    """What no memory plan of this schedule can go below."""
    proof: str
    ram_bytes: int
    """Variables, arena and stack reserve of the minimal firmware, from its ELF: as `fit` has it."""
    ram_available_bytes: int
    flash_bytes: int
    """Code and constants of the minimal firmware, from its ELF."""
    flash_available_bytes: int
    constant_bytes: int
    """Weights, biases and tables, part of flash_bytes."""
    stack_bytes: int
    """The most stack that was used."""
    outputs_match: bool
    compared_with: str
    """The oracle, or the numpy reference where the oracle is not installed or rounds otherwise (--numerics tflm)."""
    layers: tuple[BenchLayer, ...]
    provenance: Provenance

    @property
    def counter(self) -> str:
        """What was counted: `instructions` or `cycles`."""
        return "cycles" if self.instructions is None else "instructions"


def bench(
    path: Path,
    options: CompileOptions,
    board: Board,
    runner: str,
    *,
    compiler: str | None = None,
    optimize: str = DEFAULT_OPTIMIZATION,
    seed: int = 0,
) -> tuple[Benchmark, SourceTree]:
    """Measures one inference of a random input; the tree is what was measured, for the report's memory map.

    Raises:
        TinygenError: TG1xx, TG2xx for the model; TG301 when it does not fit; TG401 to TG404 and TG5xx of build and run.
    """
    options = settled(options)
    graph = read_model(path)
    chosen = find_runner(runner)
    tree = compile_graph(graph, replace(options, features=frozenset(board.features)))
    inputs = random_sample(graph, seed, 0)
    with TemporaryDirectory(prefix="tinygen-") as folder:
        project = write_project(tree, board, Path(folder) / "project")
        sizes = measure_sizes(project, Path(folder) / "build", compiler=compiler, optimize=optimize).sizes
        with chosen.open(project, Path(folder) / "build", compiler=compiler, optimize=optimize) as session:
            measurement = session.measure(inputs)
    expected, compared_with = _expected(path, graph, inputs, options.rounding)
    pairs = zip(measurement.outputs, expected, strict=True)
    benchmark = Benchmark(
        model=graph.name,
        board=board.id,
        runner=runner,
        kind=measurement.kind,
        instructions=measurement.count if measurement.counter == "instructions" else None,
        cycles=measurement.count if measurement.counter == "cycles" else None,
        seconds=measurement.seconds,
        arena_bytes=tree.plan.arena_bytes,
        lower_bound_bytes=tree.plan.lower_bound,
        proof=tree.plan.proof,
        ram_bytes=sizes.ram_bytes,
        ram_available_bytes=sizes.ram_capacity,
        flash_bytes=sizes.flash_bytes,
        flash_available_bytes=sizes.flash_capacity,
        constant_bytes=tree.constant_bytes,
        stack_bytes=measurement.stack_bytes,
        outputs_match=all(compare(found, right)[0] == 0 for found, right in pairs),
        compared_with=compared_with,
        layers=_layers(tree, measurement),
        provenance=Provenance(
            tinygen=__version__,
            model_sha256=graph.sha256,
            backend=tree.backend,
            numerics=tree.numerics,
            compiler=measurement.compiler,
            flags=_flags(board, compiler, optimize),
            runner=runner,
            seed=seed,
        ),
    )
    return benchmark, tree


def _expected(path: Path, graph: Graph, inputs: Sample, numerics: Numerics) -> tuple[Sequence[Array], str]:
    without = numerics is Numerics.LITERT and not oracle.available()
    known = oracle.Reference(graph, numerics) if without else oracle.find_oracle(path, graph, numerics)
    return known.run(inputs), known.name


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
        )
        for layer in tree.layers
    )


def _flags(board: Board, compiler: str | None, optimize: str) -> tuple[str, ...]:
    found = find_compiler(board.core, compiler)
    core = board.core.zig_flags if found.name == "zig" else board.core.gcc_flags
    return (*core, *CODE, *found.optimize(optimize))
