"""Whether a model fits a board: measured on the linked firmware, or bounded where nothing can be linked."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tinygen.boards import Board, all_boards
from tinygen.build.builder import Built, build_project
from tinygen.build.compiler import find_compiler
from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.compile import CompileOptions, compile_graph
from tinygen.errors import TinygenError
from tinygen.plan.live import largest_at_peak
from tinygen.project import Project, write_project
from tinygen.schedule.choose import Objective
from tinygen.source_tree import SourceTree
from tinygen.tflite import read_model


@dataclass(frozen=True)
class BufferSize:
    """One of the arena's buffers."""

    name: str
    kind: str
    """`input`, `output`, `activation`, `scratch`, `accumulator` or `state`."""
    bytes: int


@dataclass(frozen=True)
class Fit:
    """The verdict for one board."""

    model: str
    board: str
    fits: bool | None
    """null when only a link could tell: the bound exceeds the board, the arena and the constants alone do not."""
    basis: str
    """`elf`: sizes of the linked firmware; `bound`: sizes it cannot exceed."""
    compiler: str | None
    """Name and version; null with basis `bound`."""
    arena_bytes: int
    lower_bound_bytes: int
    """What no memory plan of this schedule can go below."""
    proof: str
    """`optimal`, or the gap in bytes between the plan and the best bound known."""
    constant_bytes: int
    """Weights, biases and tables, part of flash_bytes."""
    stack_bytes: int
    """The stack's reserve, part of ram_bytes."""
    ram_bytes: int
    ram_available_bytes: int
    flash_bytes: int
    flash_available_bytes: int
    largest_buffers: tuple[BufferSize, ...]
    """The three largest buffers alive when the most bytes are alive."""
    remedy: str | None
    """Options with which the model fits this board, `--optimize ram`; null when it fits or none are known to help."""
    nearest: str | None
    """A board that has the memory needed; null when the model fits or no board has it."""


CODE_BYTES = 16 * 1024
"""More than start-up, the minimal main and compiler support need on any core."""
CODE_BYTES_PER_LAYER = 8 * 1024
"""More than a layer's kernel comes to on any core, specialised and unrolled, with its parameters and its alignment."""
VARIABLE_BYTES = 2 * 1024
"""More than the variables of the minimal firmware besides arena and stack, with alignment."""


def fit_model(
    path: Path,
    boards: Sequence[Board],
    options: CompileOptions,
    *,
    compiler: str | None = None,
    done: Callable[[int], None] = lambda count: None,
) -> tuple[Fit, ...]:
    """The verdict for each board, in their order; `done` is told how many are there.

    Raises:
        TinygenError: TG1xx and TG2xx for the model, TG401 when the `compiler` asked for is not installed, TG402.
    """
    graph = read_model(path)
    least = replace(options, optimize=Objective.RAM, ram_budget=None, keep_inputs=False)
    trees: dict[CompileOptions, SourceTree] = {}

    def compiled(chosen: CompileOptions, board: Board) -> SourceTree:
        key = replace(chosen, features=frozenset(board.features))
        if key not in trees:
            trees[key] = compile_graph(graph, key)
        return trees[key]

    verdicts: list[Fit] = []
    for board in boards:
        tree = compiled(options, board)
        verdict = fit_board(tree, board, compiler=compiler)
        if verdict.fits is False and verdict.ram_bytes > board.ram_capacity:
            smaller = compiled(least, board)
            helps = smaller.plan.arena_bytes < tree.plan.arena_bytes
            if helps and fit_board(smaller, board, compiler=compiler).fits:
                verdict = replace(verdict, remedy="--optimize ram")
        verdicts.append(verdict)
        done(len(verdicts))
    return tuple(verdicts)


def fit_board(tree: SourceTree, board: Board, *, compiler: str | None = None) -> Fit:
    """The verdict for one board; without an installed compiler or ELF reader, and none asked for, from the bound."""
    if compiler is not None or can_link(board):
        return _measured(tree, board, compiler)
    return bounded(tree, board)


def can_link(board: Board) -> bool:
    """Whether firmware for the board can be linked and its sizes read here."""
    return is_installed(board) and importlib.util.find_spec("elftools") is not None


def is_installed(board: Board, compiler: str | None = None) -> bool:
    """Whether there is a compiler (a certain one, or any) for the board."""
    try:
        find_compiler(board.core, compiler)
    except TinygenError as failure:
        if failure.code != "TG401":
            raise
        return False
    return True


def _measured(tree: SourceTree, board: Board, compiler: str | None) -> Fit:
    with TemporaryDirectory(prefix="tinygen-") as folder:
        project = write_project(tree, board, Path(folder) / "project")
        built = measure_sizes(project, Path(folder) / "build", compiler=compiler, must_fit=False)
    sizes = built.sizes
    return _fit(tree, board, sizes.fits, built.compiler, sizes.ram_bytes, sizes.flash_bytes, sizes.stack_bytes)


def measure_sizes(
    project: Project,
    build: Path,
    *,
    compiler: str | None = None,
    optimize: str = DEFAULT_OPTIMIZATION,
    must_fit: bool = True,
) -> Built:
    """The minimal firmware of a project, whose sizes are the model's: one inference and nothing else."""
    return build_project(project, build, compiler=compiler, optimize=optimize, program="minimal", must_fit=must_fit)


def bounded(tree: SourceTree, board: Board) -> Fit:
    """The verdict without a compiler: sizes the linked firmware cannot exceed, and unknown where that is too much.

    It is a no only where what is certain, the arena with the stack or the constants, exceeds the board by itself.
    """
    certain_ram = tree.plan.arena_bytes + board.stack_bytes
    ram = certain_ram + VARIABLE_BYTES
    flash = tree.constant_bytes + CODE_BYTES + CODE_BYTES_PER_LAYER * len(tree.layers)
    flash += board.boot.header_bytes
    fits: bool | None = None
    if certain_ram > board.ram_capacity or tree.constant_bytes > board.flash_capacity:
        fits = False
    elif ram <= board.ram_capacity and flash <= board.flash_capacity:
        fits = True
    return _fit(tree, board, fits, None, ram, flash, board.stack_bytes)


def _fit(
    tree: SourceTree, board: Board, fits: bool | None, compiler: str | None, ram: int, flash: int, stack: int
) -> Fit:
    return Fit(
        model=tree.model_name,
        board=board.id,
        fits=fits,
        basis="bound" if compiler is None else "elf",
        compiler=compiler,
        arena_bytes=tree.plan.arena_bytes,
        lower_bound_bytes=tree.plan.lower_bound,
        proof=tree.plan.proof,
        constant_bytes=tree.constant_bytes,
        stack_bytes=stack,
        ram_bytes=ram,
        ram_available_bytes=board.ram_capacity,
        flash_bytes=flash,
        flash_available_bytes=board.flash_capacity,
        largest_buffers=tuple(BufferSize(b.name, b.kind, b.size) for b in largest_at_peak(tree.plan, 3)),
        remedy=None,
        nearest=None if fits else _nearest(ram, flash),
    )


def _nearest(ram: int, flash: int) -> str | None:
    """The board with the least memory that has this much."""
    large_enough = [b for b in all_boards() if b.ram_capacity >= ram and b.flash_capacity >= flash]
    smallest = min(large_enough, key=lambda b: (b.ram_capacity, b.flash_capacity, b.id), default=None)
    return None if smallest is None else smallest.id
