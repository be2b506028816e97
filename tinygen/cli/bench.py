"""`tinygen bench`: what models cost on boards, by runner and backend, and what has changed since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from tinygen.bench import Benchmark, Case, Measured, bench
from tinygen.boards import Board, load_board
from tinygen.build.tuned import tuning_findings
from tinygen.cli import _options as options
from tinygen.cli._output import EXIT, Diagnosis, Output, diagnosis
from tinygen.compile import CompileOptions
from tinygen.energy import Trace, energy, read_trace
from tinygen.errors import Diagnostic, Origin, TinygenError, error
from tinygen.regression import Regression, read_benchmarks, regression
from tinygen.report.html import page
from tinygen.report.terminal import (
    changes_table,
    headline,
    layer_changes_table,
    layer_table,
    layers_beside,
    overview_table,
    regression_lines,
)


@dataclass(frozen=True)
class UnmeasuredCase:
    """What could not be measured, and why."""

    models: tuple[str, ...]
    board: str
    runner: str
    backend: str
    errors: tuple[Diagnosis, ...]


@dataclass(frozen=True)
class BenchmarkSet:
    """`tinygen bench` of more than one case, or with --compare."""

    benchmarks: tuple[Benchmark, ...]
    unmeasured: tuple[UnmeasuredCase, ...]
    regression: Regression | None
    """Against the file that --compare names; null without."""


DOCUMENT = Benchmark | BenchmarkSet


@dataclass(frozen=True)
class _Recording:
    """What the user says of a power analyser's recording."""

    trace: Trace
    inferences: int | None
    accuracy: float | None


def _percent(ctx: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """`2%`, or `2`."""
    if value is None:
        return None
    try:
        percent = float(value.removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent < float("inf"):
        raise click.BadParameter(f"found '{value}', accepted: a share such as 2% or 0%.")
    return percent


@click.command("bench")
@options.models
@click.option(
    "--board", "boards", required=True, metavar="ID[,ID...]", callback=options.names, help="See `tinygen boards`."
)
@click.option(
    "--on",
    "runners",
    required=True,
    metavar="RUNNER[,...]",
    callback=options.names,
    help="Where to run; see `tinygen doctor`.",
)
@click.option("--runs", type=click.IntRange(min=1), default=1, show_default=True, help="Inferences of each model.")
@options.compiler
@options.level
@options.compiling
@options.separate_arenas
@options.seed
@click.option("--report", type=options.FILE, metavar="X.html", help="Write one self-contained page.")
@click.option("--compare", type=options.FILE, metavar="OLD.json", help="Show what changed since an older --json.")
@click.option(
    "--max-regression",
    metavar="PERCENT",
    callback=_percent,
    help="With --compare: exit with 1 when a figure is more than this share above the older one.",
)
@click.option("--energy", "trace", type=options.FILE, metavar="X.csv", help="A power analyser's recording of the run.")
@click.option("--voltage", type=float, metavar="VOLTS", help="Supply, where the recording has none.")
@click.option("--trigger", metavar="COLUMN", help="The recording's column that is high during an inference.")
@click.option("--inferences", type=click.IntRange(min=1), help="In a recording without a trigger.")
@click.option("--accuracy", type=click.FloatRange(0, 1), help="Of the model, for the Edge Score.")
@options.common
def command(
    output: Output,
    models: tuple[Path, ...],
    boards: tuple[str, ...],
    runners: tuple[str, ...],
    runs: int,
    compiler: str | None,
    level: str,
    separate_arenas: bool,
    seed: int,
    report: Path | None,
    compare: Path | None,
    max_regression: float | None,
    trace: Path | None,
    voltage: float | None,
    trigger: str | None,
    inferences: int | None,
    accuracy: float | None,
    chosen: CompileOptions,
) -> int:
    """Count what an inference costs, in all and by layer.

    Instructions (or cycles), RAM, flash and stack. The whole inference is counted in the firmware as it ships, its
    layers in a build with hooks around them. Several models are one firmware. Boards, runners and backends can be
    lists with commas; every combination is measured. Exits with 1 when outputs are wrong, when a combination cannot be
    measured, or when a figure has regressed.
    """
    if max_regression is not None and compare is None:
        raise click.UsageError("--max-regression needs --compare.")
    if trace is None and (voltage, trigger, inferences, accuracy) != (None,) * 4:
        raise click.UsageError("--voltage, --trigger, --inferences and --accuracy need --energy.")
    if report is not None and (report.is_dir() or not report.absolute().parent.is_dir()):
        raise error("TG403", f"{report} cannot be written, accepted: a file in a folder that exists")
    before = None if compare is None else read_benchmarks(compare)
    backends = options.listed(chosen.backend)
    cases = len(boards) * len(backends) * len(runners)
    if trace is not None and cases * len(models) > 1:
        raise click.UsageError("--energy is of one model on one board by one runner.")
    recording = (
        None if trace is None else _Recording(read_trace(trace, voltage=voltage, trigger=trigger), inferences, accuracy)
    )

    targets = [load_board(board) for board in boards]
    measured: list[Measured] = []
    failed: list[tuple[Case, TinygenError]] = []

    def results() -> Iterator[tuple[Case, tuple[Measured, ...] | TinygenError]]:
        for target in targets:
            for backend in backends:
                yield from bench(
                    models,
                    replace(chosen, backend=backend),
                    target,
                    runners,
                    separate_arenas=separate_arenas,
                    compiler=compiler,
                    optimize=level,
                    seed=seed,
                    runs=runs,
                )

    with output.progress("building and measuring", cases) as done:
        for number, (case, found) in enumerate(results(), 1):
            if not isinstance(found, TinygenError):
                measured += found
            elif cases == 1:
                raise found
            else:
                failed.append((case, found))
            done(number)
    if recording is not None:
        taken = energy(recording.trace, inferences=recording.inferences, accuracy=recording.accuracy)
        measured = [replace(m, benchmark=replace(m.benchmark, energy=taken)) for m in measured]
    benchmarks = tuple(m.benchmark for m in measured)
    _tell_other_tunings(output, measured, targets)
    changed = None
    if before is not None and compare is not None and benchmarks:
        changed = regression(compare.name, before, benchmarks, max_regression=max_regression)
    if report is not None and measured:
        write_report(report, measured)
    document: Benchmark | BenchmarkSet
    if len(benchmarks) == 1 and not failed and compare is None:
        document = benchmarks[0]
    else:
        document = BenchmarkSet(benchmarks, tuple(_unmeasured(*failure) for failure in failed), changed)
    output.result(document, lambda: _show(output, benchmarks, changed, report))
    return _verdict(output, measured, failed, changed)


def _tell_other_tunings(output: Output, measured: Sequence[Measured], boards: Sequence[Board]) -> None:
    """Once for each board and compiler that a tuning was not made for."""
    cpus = {board.id: board for board in boards}
    found = (
        finding
        for m in measured
        for finding in tuning_findings(m.tree.tuned_for, cpus[m.benchmark.board], m.benchmark.provenance.compiler)
    )
    output.diagnostics(tuple({finding.message: finding for finding in found}.values()), "warning")


def _unmeasured(case: Case, failure: TinygenError) -> UnmeasuredCase:
    found = tuple(map(diagnosis, failure.diagnostics))
    return UnmeasuredCase(case.models, case.board, case.runner, case.backend, found)


def write_report(path: Path, measured: Sequence[Measured]) -> None:
    """Writes the page of one or several benchmarks.

    Raises:
        TinygenError: TG403 when the file cannot be written.
    """
    try:
        path.write_text(page(measured), encoding="utf-8")
    except OSError as problem:
        raise error("TG403", f"cannot write {path}: {problem}") from problem


def _show(output: Output, benchmarks: Sequence[Benchmark], changed: Regression | None, report: Path | None) -> None:
    if len(benchmarks) == 1:
        for line in headline(benchmarks[0]):
            output.line(line)
        output.line()
        output.table(*layer_table(benchmarks[0]))
    elif benchmarks:
        output.table(*overview_table(benchmarks))
        for table in layers_beside(benchmarks):
            output.line()
            output.table(*table)
    if changed is not None:
        for compared in changed.compared:
            output.line()
            output.line(
                f"{compared.model} on {compared.board}, {compared.runner}, {compared.backend}, since {changed.file}"
            )
            output.table(*changes_table(compared))
            if compared.layers:
                output.line()
                output.table(*layer_changes_table(compared))
        for line in regression_lines(changed):
            output.line(line)
    if report is not None and benchmarks:
        output.line(f"report: {report}")


def _verdict(
    output: Output,
    measured: Sequence[Measured],
    failed: Sequence[tuple[Case, TinygenError]],
    changed: Regression | None,
) -> int:
    """The exit code; what is wrong goes to stderr, unless the document has it."""
    wrong = [m for m in measured if not m.benchmark.outputs_match]
    if not output.json:
        for m in wrong:
            b = m.benchmark
            message = f"the outputs differ from {b.compared_with}"
            hint = f"tinygen verify {m.path} --board {b.board} --on {b.runner} says by how much"
            output.diagnostics((Diagnostic("TG504", message, Origin(b.model), (hint,)),))
        for case, failure in failed:
            output.note(f"{', '.join(case.models)} on {case.board}, {case.runner}, {case.backend}: not measured")
            output.diagnostics(failure.diagnostics)
    bad = wrong or failed or (changed is not None and changed.regressed)
    return EXIT.ERROR if bad else EXIT.OK
