"""What is promised of every model, measured: `python -m benchmarks.acceptance` prints it and fails where it is broken.

Arena bytes of every objective against the limits below, instructions of every build, and samples that differ from
LiteRT on this machine and on emulated cores.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import COMPILERS, OPTIMIZATIONS, OWN_MODELS, model_file, table
from tinygen.boards import load_board
from tinygen.compile import CompileOptions, compile_graph
from tinygen.oracle import Oracle
from tinygen.project import write_project
from tinygen.report.layered import layered_plan
from tinygen.run.unicorn import RUNNER
from tinygen.samples import random_sample
from tinygen.schedule.choose import Objective
from tinygen.source_tree import SourceTree
from tinygen.tflite import read_model
from tinygen.verify import Tally, verify

LIMITS: Mapping[str, tuple[int, int]] = {
    "kws": (5_000, 4_500),
    "ic": (14_000, 12_700),
    "person_detect": (13_500, 12_900),
    "vww": (31_000, 29_500),
    "ad": (800, 768),
    "mcunet_vww": (84_000, 80_000),
}
"""Arena bytes at most for `balanced` and for `ram`, kernel scratch, input and output included, input consumed."""
MODELS = (*LIMITS, "micro_speech", "hello_world_int8", "digits", "zoo")
BALANCED_FACTOR = 1.05
"""Instructions of `balanced` at most, in those of `speed`."""
COUNTED = {"M4": "mps2-an386", "M7": "mps2-an500"}
COMPARED = {**COUNTED, "M33": "nucleo-u575zi-q", "M0+": "rpi-pico", "RV32": "esp32-c3"}
HOST_SAMPLES = 1000
SAMPLES = 3


@dataclass(frozen=True)
class Arena:
    """Arena bytes of a model, with the kernels of a core."""

    balanced: int
    ram: int
    speed: int
    layered: int
    """Layer by layer."""
    layered_bound: int
    """The most bytes that layer by layer has alive at once."""

    def broken(self, model: str) -> Iterator[str]:
        """What is promised and not kept."""
        for name, found, limit in zip(
            ("balanced", "ram"), (self.balanced, self.ram), LIMITS.get(model, ()), strict=False
        ):
            if found > limit:
                yield f"{model}: arena of {name} is {found:,}, promised {limit:,}"
        for name, found in (("balanced", self.balanced), ("ram", self.ram), ("speed", self.speed)):
            if found > self.layered:
                yield f"{model}: arena of {name} is {found:,}, layer by layer {self.layered:,}"
        if self.layered != self.layered_bound:
            yield f"{model}: arena layer by layer is {self.layered:,}, its bound {self.layered_bound:,}"


def arena(path: Path, features: frozenset[str]) -> Arena:
    """The arenas of every objective."""
    graph = read_model(path)
    found = {o: compile_graph(graph, CompileOptions(optimize=o, features=features)).plan.arena_bytes for o in Objective}
    layered = layered_plan(path, CompileOptions(features=features))
    return Arena(
        balanced=found[Objective.BALANCED],
        ram=found[Objective.RAM],
        speed=found[Objective.SPEED],
        layered=layered.arena_bytes,
        layered_bound=layered.lower_bound,
    )


@dataclass(frozen=True)
class Emulated:
    """Random samples of seed 0 on an emulated board."""

    instructions: int
    """Of the first."""
    mismatches: int


def emulate(
    path: Path,
    tree: SourceTree,
    board: str,
    folder: Path,
    *,
    compiler: str,
    optimize: str = "-O2",
    samples: int = SAMPLES,
) -> Emulated:
    """Runs samples and compares them with LiteRT's reference kernels; none needs no LiteRT."""
    graph = read_model(path)
    project = write_project(tree, load_board(board), folder / f"{tree.prefix}-{board}")
    tally = Tally()
    oracle = Oracle(path) if samples else None
    with RUNNER.open(project, folder / "build", compiler=compiler, optimize=optimize) as session:
        outputs = session.infer(random_sample(graph, 0, 0))
        instructions = session.instructions
        for index in range(samples):
            inputs = random_sample(graph, 0, index)
            outputs = session.infer(inputs)
            assert oracle is not None
            tally.add(outputs, oracle.run(inputs))
    return Emulated(instructions, tally.mismatches)


@dataclass(frozen=True)
class Row:
    """Everything about a model."""

    model: str
    arena: Arena
    counts: Mapping[tuple[str, str, str], int]
    """Instructions by core, compiler and optimisation level."""
    speed: int
    """Instructions of `speed` on Cortex-M4, first compiler and level."""
    host: int
    """Samples that differ on this machine, of HOST_SAMPLES."""
    emulated: Mapping[str, int]
    """Samples that differ on a core, of all builds for it."""

    @property
    def factor(self) -> float:
        """Instructions of `balanced` in those of `speed`."""
        return self.counts["M4", COMPILERS[0], OPTIMIZATIONS[0]] / self.speed

    def broken(self) -> Iterator[str]:
        """What is promised and not kept."""
        yield from self.arena.broken(self.model)
        if self.factor > BALANCED_FACTOR:
            yield f"{self.model}: balanced takes {self.factor:.3f} times the instructions of speed"
        for where, wrong in (("this machine", self.host), *self.emulated.items()):
            if wrong:
                yield f"{self.model}: {wrong} samples differ on {where}"


def measure(name: str, path: Path, folder: Path) -> Row:
    """Everything about one model; several minutes for the largest."""
    graph = read_model(path)

    def compiled(board: str, objective: Objective = Objective.BALANCED) -> SourceTree:
        features = frozenset(load_board(board).features)
        return compile_graph(graph, CompileOptions(optimize=objective, features=features))

    counts, wrong = {}, {}
    for core, board in COMPARED.items():
        tree = compiled(board)
        wrong[core] = 0
        for compiler, level in (
            product(COMPILERS, OPTIMIZATIONS) if core in COUNTED else [(COMPILERS[0], OPTIMIZATIONS[0])]
        ):
            found = emulate(path, tree, board, folder / "balanced", compiler=compiler, optimize=level)
            counts[core, compiler, level] = found.instructions
            wrong[core] += found.mismatches
    m4 = COUNTED["M4"]
    fast = emulate(path, compiled(m4, Objective.SPEED), m4, folder / "speed", compiler=COMPILERS[0], samples=0)
    return Row(
        model=name,
        arena=arena(path, frozenset(load_board(m4).features)),
        counts=counts,
        speed=fast.instructions,
        host=verify(path, CompileOptions(), samples=HOST_SAMPLES).mismatches,
        emulated=wrong,
    )


def show(rows: Sequence[Row]) -> str:
    """The figures as Markdown tables."""
    a = ("arena of", "balanced", "at most", "ram", "at most", "speed", "layer by layer", "its bound")
    arenas = []
    for row in rows:
        x, limits = row.arena, [f"{n:,}" for n in LIMITS.get(row.model, ())] or ["", ""]
        cells = (f"{x.balanced:,}", limits[0], f"{x.ram:,}", limits[1], f"{x.speed:,}")
        arenas.append((row.model, *cells, f"{x.layered:,}", f"{x.layered_bound:,}"))
    builds = list(product(COUNTED, COMPILERS, OPTIMIZATIONS))
    b = ("instructions", *(" ".join(build) for build in builds), "balanced/speed")
    counted = [(r.model, *(f"{r.counts[build]:,}" for build in builds), f"{r.factor:.3f}") for r in rows]
    c = ("samples that differ", f"host, of {HOST_SAMPLES}", *(f"{core}, of {_runs(core)}" for core in COMPARED))
    compared = [(r.model, str(r.host), *(str(r.emulated[core]) for core in COMPARED)) for r in rows]
    return "\n\n".join(table(header, body) for header, body in ((a, arenas), (b, counted), (c, compared)))


def _runs(core: str) -> int:
    return SAMPLES * (len(COMPILERS) * len(OPTIMIZATIONS) if core in COUNTED else 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(MODELS)}; all by default")
    rows = []
    for name in parser.parse_args().models or MODELS:
        path = model_file(name)
        if path is None:
            print(f"{name}: left out, not in {OWN_MODELS} and there are no other models", file=sys.stderr)
            continue
        with TemporaryDirectory(prefix="tinygen-") as folder:
            rows.append(measure(name, path, Path(folder)))
        print(f"{name}: measured", file=sys.stderr, flush=True)
    print(show(rows))
    broken = [line for row in rows for line in row.broken()]
    print("\n".join(broken))
    return 1 if broken or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
