"""`tinygen tune`: schedules for backend utvm by exact counts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import click

from tinygen.boards import load_board
from tinygen.cli import _options as options
from tinygen.cli._output import EXIT, Output
from tinygen.compile import CompileOptions
from tinygen.tune import TuningResult, tune


@dataclass(frozen=True)
class TuningSet:
    """`tinygen tune` of several models or boards."""

    tunings: tuple[TuningResult, ...]


DOCUMENT = TuningResult | TuningSet


@click.command("tune")
@options.models
@click.option(
    "--board", "boards", required=True, metavar="ID[,ID...]", callback=options.names, help="See `tinygen boards`."
)
@click.option(
    "--tuning",
    "file",
    type=options.FILE,
    metavar="FILE",
    help="What was counted already, and where it is written, for one board.  "
    "[default: MODEL-BOARD.tuning.json, of several models BOARD.tuning.json]",
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes.  [default: the machine's cores]")
@click.option("--scheduler", metavar="ADDRESS", help="Count on a Dask cluster instead, such as tcp://host:8786.")
@options.compiler
@options.level
@options.seed
@options.common
def command(
    output: Output,
    models: tuple[Path, ...],
    boards: tuple[str, ...],
    file: Path | None,
    workers: int | None,
    scheduler: str | None,
    compiler: str | None,
    level: str,
    seed: int,
) -> int:
    """Search schedules for backend utvm's layers.

    Every candidate is compiled, run on the emulated board, compared with the reference and counted. The file has all
    counts of a board: it can be committed, an interrupted search goes on from it, and generate, verify, fit and bench
    take it with --tuning. Models share what they have in common.
    """
    if workers is not None and scheduler is not None:
        raise click.UsageError("--workers and --scheduler exclude each other.")
    if file is not None and len(boards) > 1:
        raise click.UsageError("--tuning is of one board.")
    targets = [load_board(board) for board in boards]
    found: list[TuningResult] = []
    for target, model in product(targets, models):
        several = f" {model.stem} for {target.id}" if len(targets) * len(models) > 1 else ""
        where = file or Path(f"{target.id if len(models) > 1 else f'{model.stem}-{target.id}'}.tuning.json")
        try:
            with output.steps(f"counting{several}") as progress:
                tuned = tune(
                    model,
                    target,
                    where,
                    CompileOptions(),
                    workers=workers or os.cpu_count() or 1,
                    scheduler=scheduler,
                    compiler=compiler,
                    optimize=level,
                    seed=seed,
                    progress=progress,
                )
        except KeyboardInterrupt:
            if where.exists():
                output.note(f"{where} has what was counted so far, and the same command goes on from there")
            raise
        found.append(tuned)
        if not output.json:
            if len(found) > 1:
                output.line()
            _show(output, tuned, model)
    if output.json:
        output.document(found[0] if len(found) == 1 else TuningSet(tuple(found)))
    return EXIT.OK


def _show(output: Output, found: TuningResult, model: Path) -> None:
    output.line(f"{found.model} for {found.target}: {found.measured} candidates counted, {found.reused} were there")
    output.line()
    header = ("layers", "shape", "schedule", "instructions", "untuned", "saved")
    rows = []
    for layer in found.layers:
        before = layer.untuned_instructions or layer.instructions
        saved = f"{100 * (1 - layer.instructions / before):.0f} %"
        names = ", ".join(map(str, layer.operators))
        rows.append((names, layer.shape, layer.decision, f"{layer.instructions:,}", f"{before:,}", saved))
    output.table(header, rows, right=("instructions", "untuned", "saved"))
    output.line()
    output.line(f"layers    {found.untuned_instructions:,} to {found.instructions:,} instructions")
    output.line(f"next: tinygen bench {model} --backend utvm --tuning {found.file} --board {found.board} --on unicorn")
