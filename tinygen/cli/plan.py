"""`tinygen plan`: the memory planner by itself, on allocation files any tool can write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from tinygen.cli import _options as options
from tinygen.cli._output import Output
from tinygen.errors import Origin, error
from tinygen.plan.csv_io import read_csv, write_csv
from tinygen.plan.solve import plan


@dataclass(frozen=True)
class PlanDocument:
    """`tinygen plan`."""

    buffers: int
    arena_bytes: int
    lower_bound_bytes: int
    """The most bytes alive at once: no plan can go below."""
    proof: str
    """`optimal`, or the gap in bytes between the plan and the best bound known."""
    offsets: tuple[int, ...]
    """Of the buffers in the file's order."""


DOCUMENT = PlanDocument


@click.command("plan")
@click.argument("file", type=options.FILE, metavar="FILE.csv")
@click.option("--capacity", type=click.IntRange(min=1), metavar="BYTES", help="Stop at any plan this small.")
@click.option("-o", "--out", type=options.FILE, metavar="OUT.csv", help="Write the file with a column of offsets.")
@options.common
def command(output: Output, file: Path, capacity: int | None, out: Path | None) -> None:
    """Place the buffers of an allocation file.

    Its columns are id, lower, upper and size, as MiniMalloc has them. Without --capacity the smallest arena is
    searched; with it, an arena above is an error.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as problem:
        raise error("TG306", f"cannot be read: {problem}", origin=Origin(file.name)) from problem
    buffers = read_csv(text, file.name)
    with output.status("planning"):
        found = plan(buffers, capacity=capacity)
    if out is not None:
        try:
            out.write_text(write_csv(found), encoding="utf-8")
        except OSError as problem:
            raise error("TG403", f"cannot write {out}: {problem}") from problem
    document = PlanDocument(len(buffers), found.arena_bytes, found.lower_bound, found.proof, found.offsets)

    def show() -> None:
        output.line(f"{file.name}: {len(buffers):,} buffers in {found.arena_bytes:,} bytes ({found.proof})")
        output.line(f"lower bound {found.lower_bound:,} bytes")
        if out is not None:
            output.line(f"offsets: {out}")

    output.result(document, show)
