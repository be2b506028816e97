"""`tinygen generate`: a firmware project for a model and a board."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from tinygen.boards import load_board
from tinygen.cli import _options as options
from tinygen.cli._output import Output
from tinygen.compile import CompileOptions, compile_model
from tinygen.project import write_project


@dataclass(frozen=True)
class GenerateDocument:
    """`tinygen generate`."""

    project: str
    """The folder that was written."""
    model: str
    sha256: str
    board: str
    backend: str
    prefix: str
    """Of every generated C name."""
    arena_bytes: int
    lower_bound_bytes: int
    """What no memory plan of this schedule can go below."""
    proof: str
    constant_bytes: int
    layers: int
    files: tuple[str, ...]
    """Paths in the project."""


DOCUMENT = GenerateDocument


@click.command("generate")
@options.model
@options.board(required=True)
@click.option("-o", "--out", type=options.FILE, required=True, metavar="DIR", help="The project's folder.")
@click.option("--prefix", help="Of every generated C name; by default made from the model file's name.")
@options.compiling
@options.dump_ir
@options.common
def command(
    output: Output,
    model: Path,
    board: str,
    out: Path,
    prefix: str | None,
    dump_ir: Path | None,
    chosen: CompileOptions,
) -> None:
    """Write a firmware project for a model and a board.

    C sources, start-up code, linker script, CMake and PlatformIO files: it builds without tinygen.
    """
    target = load_board(board)
    with output.status("compiling the model"):
        tree = compile_model(
            model, replace(chosen, prefix=prefix, features=frozenset(target.features)), dump_ir=dump_ir
        )
    project = write_project(tree, target, out)
    document = GenerateDocument(
        project=str(out),
        model=tree.model_name,
        sha256=tree.model_sha256,
        board=target.id,
        backend=tree.backend,
        prefix=tree.prefix,
        arena_bytes=tree.plan.arena_bytes,
        lower_bound_bytes=tree.plan.lower_bound,
        proof=tree.plan.proof,
        constant_bytes=tree.constant_bytes,
        layers=len(tree.layers),
        files=project.manifest.files,
    )

    def show() -> None:
        output.line(f"{out}: {tree.model_name} for {target.name}, {len(document.files)} files")
        output.line(f"arena      {tree.plan.arena_bytes:>11,} bytes ({tree.plan.proof})")
        output.line(f"constants  {tree.constant_bytes:>11,} bytes in {len(tree.layers)} layers")
        output.line(f"next: tinygen build {out}")

    output.result(document, show)
