"""Whether `fit` is ever wrong: every model on every board with every compiler, `python -m benchmarks.fit_matrix`.

The verdict with basis `elf` is compared with linking the same project for the board's real memories, and the bound with
the ELF: it must never be smaller, and never say fits where the ELF does not. `--odd N` adds N made-up boards for each
model. All of it takes long, so it can be done in pieces: `--models`, `--boards` and `--compilers` choose, and with
`--record FILE` what is in the file is not done again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import COMPILERS, model_file, table
from benchmarks.odd_boards import odd_board
from tinygen.boards import Board, all_boards, load_board
from tinygen.build.builder import build_project
from tinygen.build.objects import ObjectCache
from tinygen.compile import CompileOptions, compile_graph
from tinygen.errors import TinygenError
from tinygen.fit import Fit, bounded, fit_board, is_installed
from tinygen.fit.bound import stack_bytes
from tinygen.fit.workbench import Workbench
from tinygen.ir.graph import Graph
from tinygen.project import write_project
from tinygen.schedule.choose import Objective
from tinygen.source_tree import SourceTree
from tinygen.tflite import read_model

MODELS = (
    *("kws", "ic", "person_detect", "vww", "ad", "mcunet_vww", "micro_speech", "hello_world_int8"),
    *("svdf_keyword", "lstm_int8", "digits", "zoo"),
)


@dataclass(frozen=True)
class Case:
    """One model on one board with one compiler."""

    compiler: str
    elf: Fit
    bound: Fit
    stack: int | None
    """What the stack's bound without a compiler is."""
    links: bool
    """Whether the firmware links for the board's memories."""

    def wrong(self) -> Iterator[str]:
        """What the verdicts say and the ELF does not."""
        elf, bound = self.elf, self.bound
        where = f"{elf.model} on {elf.board} with {self.compiler}"
        runs = self.links and (elf.stack_bound_bytes or 0) <= elf.stack_bytes
        if elf.fits is not runs:
            yield f"{where}: the verdict is {elf.fits}, linking it and its stack say {runs}"
        if bound.fits is True and not runs:
            yield f"{where}: the bound says it fits"
        if bound.fits is False and runs:
            yield f"{where}: the bound says it does not fit"
        for name, most, least in (
            ("RAM", bound.ram_bytes, elf.ram_bytes),
            ("flash", bound.flash_bytes, elf.flash_bytes),
            ("the stack", self.stack, elf.stack_bound_bytes),
        ):
            if most is not None and least is not None and most < least:
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
    return Case(compiler, elf, bounded(tree, board), stack_bytes((tree,)), links)


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


def odd_boards(graph: Graph, boards: Sequence[Board], count: int) -> Iterator[Board]:
    """Boards made up around what the model needs, with the cores of `boards`; the same ones each time."""
    needs: dict[str, Fit] = {}
    for seed in range(count):
        base = boards[seed % len(boards)]
        if not is_installed(base):
            continue
        if base.id not in needs:
            tree = compile_graph(graph, CompileOptions(features=frozenset(base.features)))
            needs[base.id] = fit_board(tree, base)
        need = needs[base.id]
        yield odd_board(base, seed, need.ram_bytes - need.stack_bytes, need.flash_bytes)


def cases(
    paths: Sequence[Path],
    boards: Sequence[Board],
    compilers: Sequence[str],
    *,
    edges: bool = False,
    odd: int = 0,
    done: Collection[tuple[str, str, str]] = (),
) -> Iterator[Case]:
    """Every combination for which a compiler is installed, compiled as `tinygen fit` does.

    `edges` adds boards that just suffice or just do not, `odd` so many that are made up. Combinations in `done`, as
    model, board and compiler, are left out.
    """
    options = CompileOptions(optimize=Objective.BALANCED)
    for path in paths:
        graph = read_model(path)
        with TemporaryDirectory(prefix="tinygen-") as folder:
            workbench = Workbench([graph], options, None, Path(folder))
            objects = ObjectCache(Path(folder) / "compared")
            for board, compiler in product((*boards, *odd_boards(graph, boards, odd)), compilers):
                if (graph.name, board.id, compiler) in done or not is_installed(board, compiler):
                    continue
                (tree,) = workbench.compiled(options, board)
                case = measure(tree, board, compiler, objects)
                yield case
                if edges:
                    yield from at_the_edge(case, tree, board, compiler, objects)


@dataclass(frozen=True)
class Row:
    """What is recorded of a case."""

    model: str
    board: str
    compiler: str
    elf: str
    """`fits`, `no` or `unknown`."""
    links: str
    bound: str
    ram: int
    ram_bound: int
    flash: int
    flash_bound: int
    stack: int | None
    wrong: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.model, self.board, self.compiler

    def cells(self) -> tuple[str, ...]:
        sizes = (self.ram, self.ram_bound, self.flash, self.flash_bound)
        stack = "-" if self.stack is None else f"{self.stack:,}"
        return (*self.key, self.elf, self.links, self.bound, *(f"{size:,}" for size in sizes), stack)


HEADER = ("model", "board", "compiler", "elf", "links", "bound", "RAM", "at most", "flash", "at most", "stack")


def row(case: Case) -> Row:
    e, b = case.elf, case.bound
    elf, links, bound = ({True: "fits", False: "no", None: "unknown"}[fits] for fits in (e.fits, case.links, b.fits))
    return Row(
        model=e.model,
        board=e.board,
        compiler=case.compiler,
        elf=elf,
        links=links,
        bound=bound,
        ram=e.ram_bytes,
        ram_bound=b.ram_bytes,
        flash=e.flash_bytes,
        flash_bound=b.flash_bytes,
        stack=e.stack_bound_bytes,
        wrong=tuple(case.wrong()),
    )


def summary(rows: Sequence[Row]) -> str:
    """How many verdicts there are of each kind for each compiler, and every wrong one."""
    counts = Counter((r.compiler, r.links, r.elf, r.bound) for r in rows)
    header = ("compiler", "links", "elf says", "bound says", "cases")
    lines = [table(header, [(*kind, str(count)) for kind, count in sorted(counts.items())])]
    wrong = [line for r in rows for line in r.wrong]
    return "\n".join([*lines, "", *(wrong or [f"{len(rows)} verdicts, none is wrong"])])


def recorded(path: Path) -> list[Row]:
    """The rows of a record; none where there is no file yet."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [Row(**{**entry, "wrong": tuple(entry["wrong"])}) for entry in map(json.loads, lines)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS), help="names or files, by default %(default)s")
    parser.add_argument("--boards", help="names or files, by default all")
    parser.add_argument("--compilers", default=",".join(COMPILERS), help="by default %(default)s")
    parser.add_argument("--odd", type=int, default=0, metavar="N", help="made-up boards for each model")
    parser.add_argument("--record", type=Path, metavar="FILE", help="go on with this record; it is made if need be")
    arguments = parser.parse_args()
    found = {name: model_file(name) for name in arguments.models.split(",")}
    for name in (name for name, path in found.items() if path is None):
        print(f"{name}: left out, its file is not here", file=sys.stderr)
    boards = all_boards() if arguments.boards is None else [load_board(name) for name in arguments.boards.split(",")]
    rows = recorded(arguments.record) if arguments.record else []
    paths = [path for path in found.values() if path is not None]
    compilers, done = arguments.compilers.split(","), {r.key for r in rows}
    for case in cases(paths, boards, compilers, odd=arguments.odd, done=done):
        rows.append(row(case))
        print(" ".join(rows[-1].cells()), file=sys.stderr, flush=True)
        if arguments.record:
            with arguments.record.open("a", encoding="utf-8") as record:
                record.write(json.dumps(asdict(rows[-1])) + "\n")
    print(table(HEADER, [r.cells() for r in rows]))
    print(summary(rows))
    return 1 if any(r.wrong for r in rows) or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
