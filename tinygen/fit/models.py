"""Whether models fit boards, and what would help where they do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tinygen.boards import Board
from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.compile import CompileOptions, read_for
from tinygen.fit.remedy import find_remedy
from tinygen.fit.verdict import Fit
from tinygen.fit.workbench import Workbench
from tinygen.source_tree import arena_bytes


def fit_models(
    paths: Sequence[Path],
    boards: Sequence[Board],
    options: CompileOptions,
    *,
    separate_arenas: bool = False,
    compiler: str | None = None,
    level: str = DEFAULT_OPTIMIZATION,
    done: Callable[[int], None] = lambda count: None,
) -> tuple[Fit, ...]:
    """The verdict on one model, or several in one firmware, for each board; `done` is told how many are there.

    What several models are called does not matter here, so their files' names may be the same.

    Raises:
        TinygenError: TG1xx and TG2xx for the model, TG401 when the `compiler` asked for is not installed, TG402.
    """
    graphs = [read_for(path, options) for path in paths]
    options = replace(options, shared_arena=len(graphs) > 1 and not separate_arenas)
    verdicts: list[Fit] = []
    with TemporaryDirectory(prefix="tinygen-") as folder:
        workbench = Workbench(graphs, options, compiler, Path(folder))
        for board in boards:
            verdict = workbench.fit(options, board, level)
            if options.keep_inputs:
                consumed = workbench.compiled(replace(options, keep_inputs=False), board)
                verdict = replace(verdict, keep_inputs_bytes=verdict.arena_bytes - arena_bytes(consumed))
            if verdict.fits is False:
                remedy = find_remedy(workbench, options, board, level, verdict)
                separate = " --separate-arenas" if separate_arenas and remedy is not None else ""
                verdict = replace(verdict, remedy=None if remedy is None else remedy + separate)
            verdicts.append(verdict)
            done(len(verdicts))
    return tuple(verdicts)
