"""Estimates of instructions against counts, `python -m benchmarks.estimates`: what `balanced` really costs.

Random networks and the named models are compiled for `speed` and `balanced` and counted on an emulated core. Estimates
decide which kernels and schedules `balanced` may take, so their error must be on the safe side: no more than 5 % of
instructions are added by the same build.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.acceptance import BALANCED_FACTOR, COUNTED
from benchmarks.figures import COMPILERS, OWN_MODELS, model_file, table
from benchmarks.nets import network
from tinygen.backends import settled
from tinygen.backends.c import portable_kernels
from tinygen.backends.options import CompileOptions
from tinygen.boards import load_board
from tinygen.compile import compile_graph
from tinygen.ir.graph import Graph
from tinygen.passes.pipeline import run as run_passes
from tinygen.project import write_project
from tinygen.run.unicorn import RUNNER
from tinygen.samples import random_sample
from tinygen.schedule.choose import Objective, choose
from tinygen.source_tree import SourceTree
from tinygen.tflite import read_model

SEEDS = 20


@dataclass(frozen=True)
class Compared:
    """A model built for `speed` and `balanced` by one compiler for one core."""

    model: str
    core: str
    compiler: str
    arenas: tuple[int, int]
    estimated: tuple[float, float]
    counted: tuple[int, int]

    @property
    def factor(self) -> float:
        """Instructions of `balanced` in those of `speed`."""
        return self.counted[1] / self.counted[0]

    def cells(self) -> tuple[str, ...]:
        estimate = self.estimated[1] / self.estimated[0]
        shares = [f"{e / n:.2f}" for e, n in zip(self.estimated, self.counted, strict=True)]
        names = (self.model, self.core, self.compiler)
        return (
            *names,
            *(f"{n:,}" for n in (*self.arenas, *self.counted)),
            *shares,
            f"{estimate:.3f}",
            f"{self.factor:.3f}",
        )


HEADER = (
    *("model", "core", "compiler", "arena", "balanced", "instructions", "balanced", "estimated", "balanced"),
    *("estimated factor", "factor"),
)


def estimate(graph: Graph, options: CompileOptions) -> float:
    """Instructions of what is chosen, by the kernels' formulas."""
    graph = run_passes(graph)
    offers = [portable_kernels(op, graph, options) for op in graph.ops]
    return choose(graph, offers, options.optimize).instructions


def count(graph: Graph, tree: SourceTree, board: str, folder: Path, compiler: str) -> int:
    """Instructions of one inference on an emulated board."""
    project = write_project(tree, load_board(board), folder / "project")
    with RUNNER.open(project, folder / "build", compiler=compiler) as session:
        session.infer(random_sample(graph, 0, 0))
        return session.instructions


def compare(name: str, graph: Graph, core: str, compilers: list[str], folder: Path) -> Iterator[Compared]:
    """The graph by every compiler for a core."""
    features = frozenset(load_board(COUNTED[core]).features)
    chosen = [settled(CompileOptions(optimize=o, features=features)) for o in (Objective.SPEED, Objective.BALANCED)]
    trees = [compile_graph(graph, options) for options in chosen]
    speed, balanced = (estimate(graph, options) for options in chosen)
    for compiler in compilers:
        counts = [
            count(graph, tree, COUNTED[core], folder / f"{compiler}-{i}", compiler) for i, tree in enumerate(trees)
        ]
        arenas = (trees[0].plan.arena_bytes, trees[1].plan.arena_bytes)
        yield Compared(name, core, compiler, arenas, (speed, balanced), (counts[0], counts[1]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="besides the random networks")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="random networks, by default %(default)s")
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--cores", default=",".join(COUNTED))
    parser.add_argument("--compilers", default=",".join(COMPILERS))
    arguments = parser.parse_args()
    graphs = {f"net {seed}": network(seed) for seed in range(arguments.first, arguments.first + arguments.seeds)}
    for name in arguments.models:
        path = model_file(name)
        if path is None:
            print(f"{name}: left out, not in {OWN_MODELS} and there are no other models", file=sys.stderr)
        else:
            graphs[name] = read_model(path)
    found = []
    for name, graph in graphs.items():
        for core in arguments.cores.split(","):
            with TemporaryDirectory(prefix="tinygen-") as folder:
                for case in compare(name, graph, core, arguments.compilers.split(","), Path(folder)):
                    found.append(case)
                    print(" | ".join(case.cells()), file=sys.stderr, flush=True)
    print(table(HEADER, [case.cells() for case in found]))
    broken = [case for case in found if case.factor > BALANCED_FACTOR]
    for case in broken:
        print(f"{case.model} on {case.core} with {case.compiler}: balanced costs {case.factor:.3f} of speed")
    return 1 if broken or not found else 0


if __name__ == "__main__":
    sys.exit(main())
