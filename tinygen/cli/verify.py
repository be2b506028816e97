"""`tinygen verify`: whether generated code computes what LiteRT does."""

from __future__ import annotations

from pathlib import Path

import click

from tinygen.boards import load_board
from tinygen.cli import _options as options
from tinygen.cli._output import EXIT, Output
from tinygen.compile import CompileOptions
from tinygen.errors import Diagnostic, Origin
from tinygen.samples import load_samples, tensor_specs
from tinygen.tflite import read_model
from tinygen.verify import Verification, verify

DOCUMENT = Verification


@click.command("verify")
@options.model
@options.board(required=False)
@click.option("--on", "runner", default="host", show_default=True, metavar="RUNNER", help="Where to run the code.")
@click.option("--samples", type=click.IntRange(min=1), help="How many random inputs.  [default: 100]")
@options.seed
@click.option("--input", "file", type=options.FILE, metavar="X.npz", help="These inputs instead of random ones.")
@options.compiler
@options.compiling
@options.common
def command(
    output: Output,
    model: Path,
    board: str | None,
    runner: str,
    samples: int | None,
    seed: int,
    file: Path | None,
    compiler: str | None,
    chosen: CompileOptions,
) -> int:
    """Compare generated code with LiteRT, bit for bit.

    Every element of every output is compared with LiteRT's reference kernels, or with --numerics tflm with numpy
    references that round as tflite-micro does. Runs on this computer unless told otherwise. Exits with 1 when any
    element differs.
    """
    if file is not None and samples is not None:
        raise click.UsageError("--samples and --input exclude each other.")
    target = None if board is None else load_board(board)
    given = 100 if samples is None else samples
    inputs = given if file is None else load_samples(file, tensor_specs(read_model(model)))
    with output.progress("comparing", inputs if isinstance(inputs, int) else len(inputs)) as done:
        found = verify(
            model,
            chosen,
            board=target,
            runner=runner,
            samples=inputs,
            seed=seed,
            compiler=compiler,
            done=done,
        )
    output.result(found, lambda: _show(output, found, model))
    return EXIT.ERROR if found.mismatches else EXIT.OK


def _show(output: Output, found: Verification, model: Path) -> None:
    where = found.runner if found.board is None else f"{found.runner}, {found.board}"
    output.line(f"{found.model} on {where}: {found.mismatches} of {found.samples} samples differ from {found.oracle}")
    if found.mismatches:
        largest = "not a finite number" if found.max_abs_diff is None else f"{found.max_abs_diff:g}"
        message = (
            f"{found.differing_elements:,} of {found.elements:,} output elements differ, by {largest} at most; "
            f"the first in sample {found.first_mismatch}"
        )
        output.diagnostics((Diagnostic("TG504", message, Origin(model.name)),))
