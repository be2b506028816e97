"""Estimates of instructions against counts, `python -m benchmarks.estimates`: what `balanced` really costs.

Random networks and the named models are compiled layer by layer and for `speed` and `balanced`, and counted on an
emulated core. Estimates decide which kernels and schedules `balanced` may take, so their error must be on the safe
side: of the same build it may add no more than 5 % to the instructions of either other.
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
from benchmarks.layered import compile_layered
from benchmarks.nets import network
from tinygen.backends import settled
from tinygen.backends.c import portable_kernels
from tinygen.backends.options import CompileOptions
from tinygen.boards import load_board
from tinygen.compile import compile_graph
from tinygen.ir.graph import Graph
from tinygen.passes.pipeline import run as run_passes
from tinygen.project import write_project
from tinygen.run import find_runner
from tinygen.run.emulator.session import EmulatedSession
from tinygen.samples import random_sample
from tinygen.schedule.choose import Objective, choose
from tinygen.source_tree import SourceTree
from tinygen.tflite import read_model

SEEDS = 20
CORES = {**COUNTED, "M55": "mps3-an547"}
"""By default without those that need QEMU."""


@dataclass(frozen=True)
class Compared:
    """A model built by one compiler for one core: layer by layer, for `speed`, and for `balanced`."""

    model: str
    core: str
    compiler: str
    arenas: tuple[int, int, int]
    estimated: tuple[float, float]
    """Instructions of `speed` and `balanced`."""
    counted: tuple[int, int, int]

    @property
    def factor(self) -> float:
        """Instructions of `balanced` in those of the fastest other."""
        return self.counted[2] / min(self.counted[:2])

    def cells(self) -> tuple[str, ...]:
        names = (self.model, self.core, self.compiler)
        estimate = self.estimated[1] / self.estimated[0]
        shares = [f"{e / n:.2f}" for e, n in zip(self.estimated, self.counted[1:], strict=True)]
        factors = (estimate, *(self.counted[2] / n for n in self.counted[:2]))
        return (
            *names,
            *(f"{n:,}" for n in (*self.arenas, *self.counted)),
            *shares,
            *(f"{factor:.3f}" for factor in factors),
        )


HEADER = (
    *("model", "core", "compiler", "arena by layers", "speed", "balanced"),
    *("instructions by layers", "speed", "balanced", "estimated speed", "balanced"),
    *("estimated factor", "to layers", "to speed"),
)


def estimate(graph: Graph, options: CompileOptions) -> float:
    """Instructions of what is chosen, by the kernels' formulas."""
    graph = run_passes(graph)
    offers = [portable_kernels(op, graph, options) for op in graph.ops]
    return choose(graph, offers, options.optimize).instructions


def count(graph: Graph, tree: SourceTree, board: str, folder: Path, compiler: str) -> int:
    """Instructions of one inference on an emulated board."""
    project = write_project(tree, load_board(board), folder / "project")
    runner = find_runner(next(name for name in ("unicorn", "qemu") if name in project.board.verified))
    with runner.open(project, folder / "build", compiler=compiler) as session:
        assert isinstance(session, EmulatedSession)
        session.infer(random_sample(graph, 0, 0))
        return session.instructions


def compare(name: str, graph: Graph, core: str, compilers: list[str], folder: Path) -> Iterator[Compared]:
    """The graph by every compiler for a core."""
    features = frozenset(load_board(CORES[core]).features)
    chosen = [settled(CompileOptions(optimize=o, features=features)) for o in (Objective.SPEED, Objective.BALANCED)]
    trees = [compile_layered(graph, chosen[0]), *(compile_graph(graph, options) for options in chosen)]
    speed, balanced = (estimate(graph, options) for options in chosen)
    for compiler in compilers:
        counts = [count(graph, tree, CORES[core], folder / f"{compiler}-{i}", compiler) for i, tree in enumerate(trees)]
        layers, fast, least = (tree.plan.arena_bytes for tree in trees)
        yield Compared(name, core, compiler, (layers, fast, least), (speed, balanced), (counts[0], *counts[1:]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="besides the random networks")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="random networks, by default %(default)s")
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--cores", default=",".join(COUNTED), help=f"of {', '.join(CORES)}; by default %(default)s")
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
        print(f"{case.model} on {case.core} with {case.compiler}: balanced costs {case.factor:.3f}")
    return 1 if broken or not found else 0


if __name__ == "__main__":
    sys.exit(main())
