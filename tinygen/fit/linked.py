"""The verdict on the linked firmware, and on its bound where nothing can be linked."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from tempfile import TemporaryDirectory

from tinygen.boards import Board
from tinygen.build.builder import Built, build_project
from tinygen.build.compiler import find_compiler
from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.build.objects import ObjectCache
from tinygen.build.stack import stack_bound
from tinygen.errors import TinygenError
from tinygen.fit.bound import bounded
from tinygen.fit.verdict import Fit, verdict
from tinygen.project import Project, write_project
from tinygen.source_tree import Models, SourceTree, trees_of


def fit_board(
    models: Models,
    board: Board,
    *,
    compiler: str | None = None,
    level: str = DEFAULT_OPTIMIZATION,
    objects: ObjectCache | None = None,
) -> Fit:
    """The verdict for one board; without an installed compiler or ELF reader, and none asked for, from the bound.

    The model's compiled code is taken from and left in `objects`.
    """
    if compiler is not None or can_link(board):
        return _measured(trees_of(models), board, compiler, level, objects)
    return bounded(models, board)


def can_link(board: Board) -> bool:
    """Whether firmware for the board can be linked and its sizes read here."""
    readers = ("elftools", "capstone")
    return is_installed(board) and all(importlib.util.find_spec(reader) is not None for reader in readers)


def is_installed(board: Board, compiler: str | None = None) -> bool:
    """Whether there is a compiler (a certain one, or any) for the board."""
    try:
        find_compiler(board.core, compiler)
    except TinygenError as failure:
        if failure.code != "TG401":
            raise
        return False
    return True


def _measured(
    trees: tuple[SourceTree, ...], board: Board, compiler: str | None, level: str, objects: ObjectCache | None
) -> Fit:
    with TemporaryDirectory(prefix="tinygen-") as folder:
        project = write_project(trees, board, Path(folder) / "project")
        built = build_project(
            project,
            Path(folder) / "build",
            compiler=compiler,
            optimize=level,
            program="minimal",
            must_fit=False,
            objects=objects,
        )
        stack = stack_bound(built.elf).bytes
    sizes = built.sizes
    fits: bool | None = sizes.fits and (stack is None or stack <= sizes.stack_bytes)
    if fits and stack is None:
        fits = None
    return verdict(trees, board, fits, built.compiler, sizes, stack)


def measure_sizes(
    project: Project,
    build: Path,
    *,
    compiler: str | None = None,
    optimize: str = DEFAULT_OPTIMIZATION,
    must_fit: bool = True,
) -> Built:
    """The minimal firmware of a project, whose sizes are the models': one inference of each and nothing else."""
    return build_project(project, build, compiler=compiler, optimize=optimize, program="minimal", must_fit=must_fit)
