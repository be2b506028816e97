"""The same inputs everywhere: `python -m benchmarks.emulators` fails unless all runners agree on outputs and counts.

Outputs of this machine and of every emulated board are compared with LiteRT's reference kernels, and the instructions
that several emulators counted on one board with each other. A model that a board has no room for is shown as such.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import model_file, table
from tinygen.boards import Board, load_board
from tinygen.compile import CompileOptions, compile_model
from tinygen.errors import TinygenError
from tinygen.oracle import Oracle
from tinygen.project import write_project
from tinygen.run import find_runner, runners
from tinygen.run.emulator.session import EmulatedSession
from tinygen.samples import Sample, random_sample
from tinygen.tflite import read_model
from tinygen.verify import Tally

MODELS = ("kws", "ic", "vww", "person_detect", "ad")
EMULATORS = ("unicorn", "qemu", "renode")
BOARDS = (
    "mps2-an386",
    "mps2-an500",
    "mps3-an547",
    "qemu-riscv32-virt",
    "stm32f4-discovery",
    "stm32f746g-disco",
    "arduino-nano-33-ble",
    "hifive1-revb",
)
NO_ROOM = "TG301"
NOT_HERE = ("TG404", "TG411", "TG412", "TG503")


@dataclass(frozen=True)
class Run:
    """A model on a board by a runner; `instructions` is None where it could not run, and `why` the error's code."""

    model: str
    board: str
    runner: str
    mismatches: int
    instructions: int | None
    why: str = ""

    @property
    def text(self) -> str:
        if self.why:
            return "does not fit" if self.why == NO_ROOM else self.why
        counted = "" if self.instructions is None else f"{self.instructions:,}"
        return f"{counted} DIFFERS" if self.mismatches else counted or "match"


def run(model: str, path: Path, board: Board, runner: str, samples: int, folder: Path) -> Run:
    """Some samples on one board; the instructions are those of the last."""
    graph = read_model(path)
    inputs: list[Sample] = [random_sample(graph, 0, index) for index in range(samples)]
    oracle, tally = Oracle(path), Tally()
    instructions: int | None = None
    try:
        tree = compile_model(path, CompileOptions(features=frozenset(board.features)))
        project = write_project(tree, board, folder / f"{model}-{board.id}")
        with find_runner(runner).open(project, project.path / "build") as session:
            for sample in inputs:
                tally.add(session.infer(sample), oracle.run(sample))
            if isinstance(session, EmulatedSession):
                instructions = session.instructions
    except TinygenError as problem:
        if problem.code not in (NO_ROOM, *NOT_HERE):
            raise
        return Run(model, board.id, runner, 0, None, problem.code)
    return Run(model, board.id, runner, tally.mismatches, instructions)


def broken(found: Sequence[Run]) -> Iterator[str]:
    """What differs."""
    for one in found:
        if one.mismatches:
            yield f"{one.model} on {one.board}, {one.runner}: {one.mismatches} samples differ from LiteRT"
    for model, board in dict.fromkeys((one.model, one.board) for one in found):
        counts = {
            one.runner: one.instructions
            for one in found
            if (one.model, one.board) == (model, board) and one.instructions is not None
        }
        if len(set(counts.values())) > 1:
            yield f"{model} on {board}: counts differ, {counts}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--samples", type=int, default=2)
    arguments = parser.parse_args()
    here = [name for name in EMULATORS if runners()[name].available() is None]
    found: list[Run] = []
    with TemporaryDirectory(prefix="tinygen-") as folder:
        for model in arguments.models:
            path = model_file(model)
            if path is None:
                sys.exit(f"there is no model {model}")
            found.append(run(model, path, load_board(BOARDS[0]), "host", arguments.samples, Path(folder)))
            for board in BOARDS:
                found += [run(model, path, load_board(board), name, arguments.samples, Path(folder)) for name in here]
    rows = []
    for board, runner in dict.fromkeys((one.board, one.runner) for one in found):
        cells = [one.text for one in found if (one.board, one.runner) == (board, runner)]
        rows.append(("host" if runner == "host" else f"{board}, {runner}", *cells))
    print(table(("instructions", *arguments.models), rows))
    failures = list(broken(found))
    print(*failures, sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
