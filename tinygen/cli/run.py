"""`tinygen run`: a project's firmware on a runner, with inputs of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

from tinygen.cli import _options as options
from tinygen.cli._output import Output
from tinygen.ir.tensor import Array
from tinygen.measurement import Measurement, percentile
from tinygen.project import load_project
from tinygen.run import find_runner
from tinygen.samples import Sample, load_samples
from tinygen.source_tree import TensorSpec

_SHOWN = 16


@dataclass(frozen=True)
class OutputItem:
    """One output of the model."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: tuple[int | float | None, ...]
    """All elements in C order; null where a float is not a finite number."""


@dataclass(frozen=True)
class SampleItem:
    """One inference."""

    outputs: tuple[OutputItem, ...]


@dataclass(frozen=True)
class RunLayer:
    """One layer of the last inference."""

    index: int
    """The operator's index in the model file."""
    op: str
    name: str
    count: int


@dataclass(frozen=True)
class RunFigures:
    """What `--runs` counted, over all inferences of all samples."""

    kind: str
    """`measured` on silicon, `emulated` (instructions are exact), or `estimated`."""
    counter: str
    """What all counts here are of: `instructions` or `cycles`."""
    inferences: int
    p50: int
    p90: int
    p99: int
    max: int
    seconds: float | None
    """Of the median inference; null unless measured."""
    hooks: bool
    """Whether the inferences, too, are of a profiling build: its hooks add to them."""
    stack_bytes: int
    """The most stack that was used."""
    layers: tuple[RunLayer, ...]
    """Empty where the firmware on the board has no hooks."""


@dataclass(frozen=True)
class RunDocument:
    """`tinygen run`."""

    model: str
    board: str
    runner: str
    input: str
    """The file's name, or `zeros`."""
    samples: tuple[SampleItem, ...]
    figures: RunFigures | None
    """null without `--runs`."""


DOCUMENT = RunDocument


@click.command("run")
@options.project
@options.runner
@click.option("--model", "prefix", metavar="PREFIX", help="Which of several models; the first by default.")
@click.option("--input", "file", type=options.FILE, metavar="X.npy", help="Inputs (.npy or .npz); zeros by default.")
@click.option("--runs", type=click.IntRange(min=1), metavar="N", help="Count N inferences of each input.")
@options.compiler
@options.level
@options.common
def command(
    output: Output,
    project: Path,
    runner: str,
    prefix: str | None,
    file: Path | None,
    runs: int | None,
    compiler: str | None,
    level: str,
) -> None:
    """Run a project's firmware and print its outputs.

    With --runs also what inferences take: percentiles over all of them, and the layers. On a board, `serial`, the
    firmware that is flashed runs, and only a build with --profile knows its layers.
    In a project of several models the others run before each inference, as they may in an application.
    """
    loaded = load_project(project)
    if prefix is not None:
        loaded = loaded.select(prefix)
    specs = loaded.model.inputs
    samples = (_zeros(specs),) if file is None else load_samples(file, specs)
    chosen = find_runner(runner)
    outputs: list[Sample] = []
    measurements: list[Measurement] = []
    with (
        output.progress("running", len(samples)) as done,
        TemporaryDirectory(prefix="tinygen-") as folder,
        chosen.open(loaded, Path(folder), compiler=compiler, optimize=level) as session,
    ):
        for inputs in samples:
            if runs is None:
                outputs.append(session.infer(inputs))
            else:
                measurements.append(session.measure(inputs, runs))
                outputs.append(measurements[-1].outputs)
            done(len(outputs))
    items = tuple(
        SampleItem(tuple(_item(s, a) for s, a in zip(loaded.model.outputs, found, strict=True))) for found in outputs
    )
    name = "zeros" if file is None else file.name
    document = RunDocument(loaded.model.model_name, loaded.board.id, runner, name, items, _figures(measurements))
    output.result(document, lambda: _show(output, document))


def _figures(measurements: Sequence[Measurement]) -> RunFigures | None:
    if not measurements:
        return None
    last = measurements[-1]
    over_all = replace(last, runs=tuple(count for found in measurements for count in found.runs))
    return RunFigures(
        kind=last.kind,
        counter=last.counter,
        inferences=len(over_all.runs),
        p50=over_all.count,
        p90=percentile(over_all.runs, 90),
        p99=percentile(over_all.runs, 99),
        max=max(over_all.runs),
        seconds=over_all.seconds,
        hooks=last.hooks,
        stack_bytes=max(found.stack_bytes for found in measurements),
        layers=tuple(RunLayer(x.index, x.op, x.name, x.count) for x in last.layers),
    )


def _zeros(specs: tuple[TensorSpec, ...]) -> Sample:
    return tuple(np.zeros(spec.shape, spec.dtype) for spec in specs)


def _item(spec: TensorSpec, array: Array) -> OutputItem:
    values = array.ravel().tolist()
    if array.dtype.kind == "f":
        values = [value if np.isfinite(value) else None for value in values]
    return OutputItem(spec.name, spec.dtype, spec.shape, tuple(values))


def _show(output: Output, document: RunDocument) -> None:
    output.line(f"{document.model} for {document.board} on {document.runner}, input {document.input}")
    for number, sample in enumerate(document.samples):
        for item in sample.outputs:
            values = " ".join("nan" if v is None else f"{v:g}" for v in item.data[:_SHOWN])
            more = f" ... ({len(item.data):,} in all)" if len(item.data) > _SHOWN else ""
            shape = "x".join(map(str, item.shape))
            output.line(f"sample {number}  {item.name} {item.dtype} [{shape}]: {values}{more}")
    if document.figures is not None:
        _show_figures(output, document.figures)


def _show_figures(output: Output, found: RunFigures) -> None:
    hooks = ", with the hooks of a profiling build" if found.hooks else ""
    shares = f"p50 {found.p50:,}, p90 {found.p90:,}, p99 {found.p99:,}, max {found.max:,}"
    output.line(f"{found.inferences:,} inferences: {shares} {found.counter} ({found.kind}{hooks})")
    if found.seconds is not None:
        output.line(f"time {found.seconds * 1e3:,.3f} ms ({found.kind}{hooks})")
    output.line(f"stack {found.stack_bytes:,} bytes used")
    if not found.layers:
        output.note("the firmware on the board has no hooks: tinygen build --profile, flashed, counts each layer")
        return
    rows = [(f"#{x.index}", x.op, x.name, f"{x.count:,}") for x in found.layers]
    output.line()
    output.table(("layer", "operator", "output", found.counter), rows, (found.counter,))
