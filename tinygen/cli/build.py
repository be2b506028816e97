"""`tinygen build`: the firmware of a project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from tinygen.arena import settle_arenas
from tinygen.build.builder import build_project
from tinygen.build.tuned import tuning_findings
from tinygen.cli import _options as options
from tinygen.cli._output import Output
from tinygen.project import load_project


@dataclass(frozen=True)
class BuildDocument:
    """`tinygen build`."""

    elf: str
    board: str
    program: str
    """`bench`: speaks over the serial port; `minimal`: one inference."""
    profile: bool
    """Whether the layers call hooks; such a build is larger and slower."""
    compiler: str
    optimize: str
    ram_bytes: int
    """Variables, arena and stack reserve."""
    ram_available_bytes: int
    flash_bytes: int
    """Code, constants and initial values."""
    flash_available_bytes: int
    stack_bytes: int
    """The stack's reserve."""


DOCUMENT = BuildDocument


@click.command("build")
@options.project
@options.compiler
@options.level
@click.option("--program", type=click.Choice(["bench", "minimal"]), default="bench", show_default=True)
@click.option("--model", "prefix", metavar="PREFIX", help="Which of several answers; the first by default.")
@click.option("--profile", is_flag=True, help="Count each layer.")
@click.option("-o", "--out", type=options.FILE, metavar="DIR", help="Where the ELF goes; by default DIR/build.")
@options.common
def command(
    output: Output,
    project: Path,
    compiler: str | None,
    level: str,
    program: str,
    prefix: str | None,
    profile: bool,
    out: Path | None,
) -> None:
    """Build a project's firmware and show its sizes."""
    loaded = load_project(project)
    if prefix is not None:
        loaded = loaded.select(prefix)
    with output.status("building the firmware"):
        loaded, arenas = settle_arenas(
            loaded, out if out is not None else project / "build", compiler=compiler, optimize=level
        )
        built = build_project(
            loaded,
            out if out is not None else project / "build",
            compiler=compiler,
            optimize=level,
            program=program,
            profile=profile,
        )
    for model in loaded.manifest.models:
        output.diagnostics(tuning_findings(model.tuned_for, built.board, f"{built.compiler} {level}"), "warning")
    sizes = built.sizes
    document = BuildDocument(
        elf=str(built.elf),
        board=built.board.id,
        program=built.program,
        profile=built.profile,
        compiler=built.compiler,
        optimize=built.optimize,
        ram_bytes=sizes.ram_bytes,
        ram_available_bytes=sizes.ram_capacity,
        flash_bytes=sizes.flash_bytes,
        flash_available_bytes=sizes.flash_capacity,
        stack_bytes=sizes.stack_bytes,
    )

    def show() -> None:
        output.line(f"{built.elf}: {program} firmware for {built.board.name}, {built.compiler} {level}")
        for prefix, arena in arenas.items():
            output.line(
                f"{prefix}: arena {arena.arena_bytes:,} bytes, measured: {arena.used_bytes:,} used and "
                f"{arena.margin_bytes:,} for starting; written into the project"
            )
        rows = [
            ("flash", f"{sizes.flash_bytes:,}", f"{sizes.flash_capacity:,}"),
            ("RAM", f"{sizes.ram_bytes:,}", f"{sizes.ram_capacity:,}"),
        ]
        output.table(("", "bytes used", "of"), rows, right=("bytes used", "of"))

    output.result(document, show)
