"""Whether `fit` is ever wrong: every model on every board with every compiler, `python -m benchmarks.fit_matrix`.

The verdict with basis `elf` is compared with linking the same project for the board's real memories, and the bound with
the ELF: it must never be smaller, and never say fits where the ELF does not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import COMPILERS, model_file, table
from tinygen.boards import Board, all_boards
from tinygen.build.builder import build_project
from tinygen.build.objects import ObjectCache
from tinygen.compile import CompileOptions, compile_graph
from tinygen.errors import TinygenError
from tinygen.fit import Fit, bounded, fit_board, is_installed
from tinygen.project import write_project
from tinygen.schedule.choose import Objective
from tinygen.source_tree import SourceTree
from tinygen.tflite import read_model

MODELS = ("kws", "ic", "person_detect", "vww", "ad", "mcunet_vww", "micro_speech", "hello_world_int8", "digits", "zoo")


@dataclass(frozen=True)
class Case:
    """One model on one board with one compiler."""

    compiler: str
    elf: Fit
    bound: Fit
    links: bool
    """Whether the firmware links for the board's memories."""

    def wrong(self) -> Iterator[str]:
        """What the verdicts say and the ELF does not."""
        elf, bound = self.elf, self.bound
        where = f"{elf.model} on {elf.board} with {self.compiler}"
        if elf.fits is not self.links:
            yield f"{where}: the verdict is {elf.fits}, linking it says {self.links}"
        if bound.fits is True and not self.links:
            yield f"{where}: the bound says it fits"
        if bound.fits is False and self.links:
            yield f"{where}: the bound says it does not fit"
        for name, most, least in (
            ("RAM", bound.ram_bytes, elf.ram_bytes),
            ("flash", bound.flash_bytes, elf.flash_bytes),
        ):
            if most < least:
                yield f"{where}: the bound of {name} is {most:,}, the ELF has {least:,}"
        if elf.stack_bound_bytes is None:
            yield f"{where}: no bound of the stack"


def measure(tree: SourceTree, board: Board, compiler: str, objects: ObjectCache) -> Case:
    """The verdicts, and a link for the board as it is."""
    elf = fit_board(tree, board, compiler=compiler, objects=objects)
    with TemporaryDirectory(prefix="tinygen-") as folder:
        project = write_project(tree, board, Path(folder) / "project")
        try:
            build_project(project, Path(folder) / "build", compiler=compiler, program="minimal", objects=objects)
        except TinygenError as failure:
            if failure.code != "TG301":
                raise
            links = False
        else:
            links = True
    return Case(compiler, elf, bounded(tree, board), links)


def shrunk(board: Board, ram: int, flash: int) -> Board:
    """The board with exactly these capacities, in a single RAM."""
    assert not board.stack.use or board.stack in board.data
    data = replace(board.data[0], size=ram, use=("data", "stack"))
    code = replace(board.code, size=flash + board.boot.application_offset)
    return replace(board, memories=tuple(sorted((code, data), key=lambda m: m.address)))


def at_the_edge(case: Case, tree: SourceTree, board: Board, compiler: str, objects: ObjectCache) -> Iterator[Case]:
    """The case on boards that have just enough, and four bytes too little, of RAM or of flash."""
    if board.stack not in board.data:
        return
    for ram, flash in product((0, 4), (0, 4)):
        small = shrunk(board, case.elf.ram_bytes - ram, case.elf.flash_bytes - flash)
        yield measure(tree, small, compiler, objects)


def cases(
    paths: Sequence[Path], boards: Sequence[Board], compilers: Sequence[str], *, edges: bool = False
) -> Iterator[Case]:
    """Every combination for which a compiler is installed; `edges` adds boards that just suffice or just do not."""
    for path in paths:
        graph = read_model(path)
        trees: dict[frozenset[str], SourceTree] = {}
        with TemporaryDirectory(prefix="tinygen-") as folder:
            objects = ObjectCache(Path(folder))
            for board, compiler in product(boards, compilers):
                if not is_installed(board, compiler):
                    continue
                features = frozenset(board.features) & {"dsp", "mve"}
                if features not in trees:
                    trees[features] = compile_graph(
                        graph, CompileOptions(optimize=Objective.BALANCED, features=features)
                    )
                case = measure(trees[features], board, compiler, objects)
                yield case
                if edges:
                    yield from at_the_edge(case, trees[features], board, compiler, objects)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(MODELS)}; all by default")
    names = parser.parse_args().models or MODELS
    found = {name: model_file(name) for name in names}
    for name in (name for name, path in found.items() if path is None):
        print(f"{name}: left out, its file is not here", file=sys.stderr)
    rows, wrong = [], []
    for case in cases([path for path in found.values() if path is not None], all_boards(), COMPILERS):
        e, b = case.elf, case.bound
        verdicts = [{True: "fits", False: "no", None: "unknown"}[fits] for fits in (e.fits, case.links, b.fits)]
        stack = "-" if e.stack_bound_bytes is None else f"{e.stack_bound_bytes:,}"
        sizes = (e.ram_bytes, b.ram_bytes, e.flash_bytes, b.flash_bytes)
        rows.append((e.model, e.board, case.compiler, *verdicts, *(f"{size:,}" for size in sizes), stack))
        print(" ".join(rows[-1]), file=sys.stderr, flush=True)
        wrong += case.wrong()
    header = ("model", "board", "compiler", "elf", "links", "bound", "RAM", "at most", "flash", "at most", "stack")
    print(table(header, rows))
    print("\n".join(wrong) or f"{len(rows)} verdicts, none is wrong")
    return 1 if wrong or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
