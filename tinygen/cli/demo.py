"""`tinygen demo`: everything tinygen does, once, with a model of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from tinygen import oracle
from tinygen.bench import Benchmark, bench
from tinygen.boards import load_board
from tinygen.build.compiler import find_compiler
from tinygen.cli import _options as options
from tinygen.cli._output import Output
from tinygen.cli.bench import write_report
from tinygen.compile import CompileOptions, compile_model
from tinygen.demo import BOARD, MODEL, Accuracy, HeldOut, classify, expected_outputs, held_out
from tinygen.errors import TinygenError, error
from tinygen.fit import Fit, fit_board
from tinygen.project import write_project
from tinygen.report.terminal import layer_table
from tinygen.run import find_runner
from tinygen.target import for_board
from tinygen.tflite import read_model

RUNNERS = ("host", "unicorn")


@dataclass(frozen=True)
class DemoDocument:
    """`tinygen demo`."""

    fit: Fit
    project: str
    """The folder that was generated."""
    compared_with: str
    """The oracle, or the numpy reference where the oracle is not installed."""
    expected_correct: int
    """Images the model was right about when it was made; every runner must reach it."""
    accuracies: tuple[Accuracy, ...]
    benchmark: Benchmark
    report: str
    """The HTML page that was written."""


DOCUMENT = DemoDocument


@click.command("demo")
@click.option("-o", "--out", type=options.FILE, default=Path("out/demo"), show_default=True, metavar="DIR")
@options.common
def command(output: Output, out: Path) -> None:
    """Show what tinygen does with a digit classifier.

    Fits it to a board, generates a project, runs it on this machine and on an emulated Cortex-M4, compares every output
    with LiteRT, counts instructions, and writes a report.
    """
    board = load_board(BOARD)
    # What is missing is said before the story begins.
    find_compiler(board.core)
    for runner in RUNNERS:
        find_runner(runner)
    chosen = for_board(CompileOptions(), board)
    data = held_out()
    _say_model(output, data)

    tree = compile_model(MODEL, chosen)
    with output.status("building to see whether it fits"):
        fit = fit_board(tree, board)
    _say(output, "", f"2. Does it fit {board.name}? {'It fits.' if fit.fits else 'No.'} The linked firmware needs")
    _say(output, f"   {fit.ram_bytes:>7,} of {fit.ram_available_bytes:,} bytes of RAM, arena {fit.arena_bytes:,}")
    _say(output, f"   {fit.flash_bytes:>7,} of {fit.flash_available_bytes:,} bytes of flash")
    bound = f"no plan of this schedule can go below {fit.lower_bound_bytes:,} bytes"
    _say(output, f"   Plan of the arena: {fit.proof}; {bound}")

    project = write_project(tree, board, out / "project")
    _say(output, "", f"3. Generated {out / 'project'}: {len(project.manifest.files)} files, builds without tinygen")

    expected, compared_with = expected_outputs(data.samples)
    _say(output, "", f"4. All {len(data.samples)} held-out images, every output compared with {compared_with}")
    if not oracle.available():
        _say(output, f"   LiteRT is not installed, so this is no independent check: {oracle.INSTALL}")
    accuracies = []
    for runner in RUNNERS:
        with output.progress(f"images on {runner}", len(data.samples)) as done:
            accuracies.append(classify(project, runner, data, expected, done))
        _say(output, f"   {_accuracy_line(accuracies[-1])}")

    with output.status("counting instructions"):
        _, found = next(bench((MODEL,), chosen, board, ("unicorn",)))
    if isinstance(found, TinygenError):
        raise found
    benchmark = found[0].benchmark
    _say_benchmark(output, benchmark)

    report = out / "report.html"
    write_report(report, found)
    _say(output, "", f"6. Report with the memory map: {report.resolve().as_uri()}", f"   Everything is in {out}")

    document = DemoDocument(
        fit=fit,
        project=str(out / "project"),
        compared_with=compared_with,
        expected_correct=data.int8_correct,
        accuracies=tuple(accuracies),
        benchmark=benchmark,
        report=str(report),
    )
    problem = failure(document.accuracies, document.expected_correct)
    if problem is not None:
        raise problem
    output.result(document, lambda: None)


def failure(accuracies: tuple[Accuracy, ...], expected_correct: int) -> TinygenError | None:
    """TG504 when a runner's outputs are not the right ones or not as accurate, None when all is well."""
    for found in accuracies:
        if found.mismatches:
            return error("TG504", f"{found.mismatches} of {found.samples} images differ on {found.runner}, accepted: 0")
        if found.correct != expected_correct:
            message = f"{found.correct} of {found.samples} images are right on {found.runner}"
            return error("TG504", f"{message}, accepted: {expected_correct}, as when the model was made")
    return None


def _say(output: Output, *lines: str) -> None:
    """A step of the story; with --json only the document is printed."""
    if not output.json:
        for line in lines:
            output.line(line)


def _say_model(output: Output, data: HeldOut) -> None:
    graph = read_model(MODEL)
    count, macs = len(data.samples), sum(op.macs(graph) for op in graph.ops)
    shape = graph.tensors[graph.inputs[0]].describe()
    _say(output, f"1. {graph.name} classifies handwritten digits: {MODEL.stat().st_size:,} bytes, input {shape}")
    _say(
        output, f"   {len(graph.ops)} operators, {macs:,} multiply-adds; right about held-out images when it was made:"
    )
    for name, correct in (("float32", data.float_correct), ("int8", data.int8_correct)):
        _say(output, f"   {name:<8} {_percent(correct, count)} ({correct} of {count})")


def _accuracy_line(a: Accuracy) -> str:
    place = "emulated" if a.runner == "unicorn" else "this machine"
    same = "all outputs equal bit for bit" if not a.mismatches else f"{a.mismatches} images differ"
    return f"{a.runner:<8} {_percent(a.correct, a.samples)} ({a.correct} of {a.samples}), {same} ({place})"


def _say_benchmark(output: Output, benchmark: Benchmark) -> None:
    counted = f"{benchmark.instructions:,} instructions ({benchmark.kind}, exact)"
    _say(output, "", f"5. One inference: {counted}, {benchmark.stack_bytes} bytes of stack")
    if not output.json:
        output.table(*layer_table(benchmark))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%"
