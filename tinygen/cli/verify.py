"""`tinygen verify`: whether the code of a model, or of several in one firmware, computes what LiteRT does."""

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
from tinygen.verify import Verification, VerificationSet, verify_models

DOCUMENT = Verification | VerificationSet


@click.command("verify")
@options.models
@options.board(required=False)
@click.option("--on", "runner", default="host", show_default=True, metavar="RUNNER", help="Where to run the code.")
@click.option("--samples", type=click.IntRange(min=1), help="How many random inputs.  [default: 100]")
@options.seed
@click.option("--input", "file", type=options.FILE, metavar="X.npz", help="These inputs instead of random ones.")
@options.compiler
@options.compiling
@options.separate_arenas
@options.common
def command(
    output: Output,
    models: tuple[Path, ...],
    board: str | None,
    runner: str,
    samples: int | None,
    seed: int,
    file: Path | None,
    compiler: str | None,
    separate_arenas: bool,
    chosen: CompileOptions,
) -> int:
    """Compare generated code with LiteRT, bit for bit.

    Every element of every output is compared with LiteRT's reference kernels, or with --numerics tflm with numpy
    references that round as tflite-micro does. Runs on this computer unless told otherwise. Several models are one
    firmware: each is compared in turn, and the others run before each of its inferences. Exits with 1 when any element
    differs.
    """
    if file is not None and samples is not None:
        raise click.UsageError("--samples and --input exclude each other.")
    if file is not None and len(models) > 1:
        raise click.UsageError("--input is of one model.")
    target = None if board is None else load_board(board)
    given = 100 if samples is None else samples
    inputs = given if file is None else load_samples(file, tensor_specs(read_model(models[0])))
    count = inputs if isinstance(inputs, int) else len(inputs)
    with output.progress("comparing", count * len(models)) as done:
        found = verify_models(
            models,
            chosen,
            separate_arenas=separate_arenas,
            board=target,
            runner=runner,
            samples=inputs,
            seed=seed,
            compiler=compiler,
            done=done,
        )

    def show() -> None:
        for path, verification in zip(models, found, strict=True):
            _show(output, verification, path)

    output.result(found[0] if len(found) == 1 else VerificationSet(found), show)
    return EXIT.ERROR if any(verification.mismatches for verification in found) else EXIT.OK


def _show(output: Output, found: Verification, model: Path) -> None:
    where = found.runner if found.board is None else f"{found.runner}, {found.board}"
    output.line(f"{found.model} on {where}: {found.mismatches} of {found.samples} samples differ from {found.oracle}")
    if found.sequence is not None and found.sequence < found.samples:
        output.line(f"the model keeps state: reset before every {found.sequence} samples")
    if found.mismatches:
        largest = "not a finite number" if found.max_abs_diff is None else f"{found.max_abs_diff:g}"
        message = (
            f"{found.differing_elements:,} of {found.elements:,} output elements differ, by {largest} at most; "
            f"the first in sample {found.first_mismatch}"
        )
        output.diagnostics((Diagnostic("TG504", message, Origin(model.name)),))
