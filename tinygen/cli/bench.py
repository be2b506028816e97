"""`tinygen bench`: what a model costs on a board."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from tinygen.bench import Benchmark, bench
from tinygen.boards import load_board
from tinygen.cli import _options as options
from tinygen.cli._output import EXIT, Output
from tinygen.compile import CompileOptions
from tinygen.errors import Diagnostic, Origin, error
from tinygen.plan.model import Plan
from tinygen.report.html import page
from tinygen.report.layered import layered_plan
from tinygen.report.terminal import headline, layer_table
from tinygen.source_tree import SourceTree

DOCUMENT = Benchmark


@click.command("bench")
@options.model
@options.board(required=True)
@options.runner
@options.compiler
@options.level
@options.compiling
@options.seed
@click.option("--report", type=options.FILE, metavar="X.html", help="Write one self-contained page.")
@options.common
def command(
    output: Output,
    model: Path,
    board: str,
    runner: str,
    compiler: str | None,
    level: str,
    seed: int,
    report: Path | None,
    chosen: CompileOptions,
) -> int:
    """Count what an inference costs, in all and by layer.

    Instructions (or cycles), RAM, flash and stack. The whole inference is counted in the firmware as it ships, its
    layers in a build with hooks around them. Exits with 1 when the outputs are wrong.
    """
    if report is not None and (report.is_dir() or not report.absolute().parent.is_dir()):
        raise error("TG403", f"{report} cannot be written, accepted: a file in a folder that exists")
    target = load_board(board)
    with output.status("building and measuring"):
        found, tree = bench(model, chosen, target, runner, compiler=compiler, optimize=level, seed=seed)
    if report is not None:
        layered = layered_plan(model, replace(chosen, features=frozenset(target.features)))
        write_report(report, found, tree, layered)
    output.result(found, lambda: _show(output, found, report))
    if not found.outputs_match:
        if not output.json:
            message = f"the outputs differ from {found.compared_with}"
            hint = f"tinygen verify {model} --board {board} --on {runner} says by how much"
            output.diagnostics((Diagnostic("TG504", message, Origin(model.name), (hint,)),))
        return EXIT.ERROR
    return EXIT.OK


def write_report(path: Path, found: Benchmark, tree: SourceTree, layered: Plan) -> None:
    """Writes the page of a benchmark; `layered` is the layer-by-layer plan to compare with.

    Raises:
        TinygenError: TG403 when the file cannot be written.
    """
    try:
        path.write_text(page(found, tree, layered), encoding="utf-8")
    except OSError as problem:
        raise error("TG403", f"cannot write {path}: {problem}") from problem


def _show(output: Output, found: Benchmark, report: Path | None) -> None:
    for line in headline(found):
        output.line(line)
    output.line()
    output.table(*layer_table(found))
    if report is not None:
        output.line(f"report: {report}")
