"""`tinygen tune`: schedules for backend utvm by exact counts."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tinygen.boards import load_board
from tinygen.cli import _options as options
from tinygen.cli._output import EXIT, Output
from tinygen.compile import CompileOptions
from tinygen.tune import TuningResult, tune

DOCUMENT = TuningResult


@click.command("tune")
@options.model
@options.board(required=True)
@click.option(
    "--tuning",
    "file",
    type=options.FILE,
    metavar="FILE",
    help="What was counted already, and where it is written.  [default: MODEL-BOARD.tuning.json]",
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes.  [default: the machine's cores]")
@click.option("--scheduler", metavar="ADDRESS", help="Count on a Dask cluster instead, such as tcp://host:8786.")
@options.compiler
@options.level
@options.seed
@options.common
def command(
    output: Output,
    model: Path,
    board: str,
    file: Path | None,
    workers: int | None,
    scheduler: str | None,
    compiler: str | None,
    level: str,
    seed: int,
) -> int:
    """Search schedules for backend utvm's layers.

    Every candidate is compiled, run on the emulated board, compared with the reference and counted. The file has all
    counts: it can be committed, an interrupted search goes on from it, and generate, verify, fit and bench take it with
    --tuning.
    """
    if workers is not None and scheduler is not None:
        raise click.UsageError("--workers and --scheduler exclude each other.")
    target = load_board(board)
    where = file or Path(f"{model.stem}-{target.id}.tuning.json")
    with output.steps("counting") as progress:
        found = tune(
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
    output.result(found, lambda: _show(output, found, model))
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
