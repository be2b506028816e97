"""`tinygen run`: a project's firmware on a runner, with inputs of the user's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

from tinygen.cli import _options as options
from tinygen.cli._output import Output
from tinygen.ir.tensor import Array
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
class RunDocument:
    """`tinygen run`."""

    model: str
    board: str
    runner: str
    input: str
    """The file's name, or `zeros`."""
    samples: tuple[SampleItem, ...]


DOCUMENT = RunDocument


@click.command("run")
@options.project
@options.runner
@click.option("--model", "prefix", metavar="PREFIX", help="Which of several models; the first by default.")
@click.option("--input", "file", type=options.FILE, metavar="X.npy", help="Inputs (.npy or .npz); zeros by default.")
@options.compiler
@options.level
@options.common
def command(
    output: Output, project: Path, runner: str, prefix: str | None, file: Path | None, compiler: str | None, level: str
) -> None:
    """Run a project's firmware and print its outputs.

    In a project of several models the others run before each inference, as they may in an application.
    """
    loaded = load_project(project)
    if prefix is not None:
        loaded = loaded.select(prefix)
    specs = loaded.model.inputs
    samples = (_zeros(specs),) if file is None else load_samples(file, specs)
    chosen = find_runner(runner)
    outputs = []
    with (
        output.progress("running", len(samples)) as done,
        TemporaryDirectory(prefix="tinygen-") as folder,
        chosen.open(loaded, Path(folder), compiler=compiler, optimize=level) as session,
    ):
        for inputs in samples:
            outputs.append(session.infer(inputs))
            done(len(outputs))
    items = tuple(
        SampleItem(tuple(_item(s, a) for s, a in zip(loaded.model.outputs, found, strict=True))) for found in outputs
    )
    name = "zeros" if file is None else file.name
    document = RunDocument(loaded.model.model_name, loaded.board.id, runner, name, items)
    output.result(document, lambda: _show(output, document))


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
