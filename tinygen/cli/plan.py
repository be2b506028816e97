"""`tinygen plan`: where every byte lives, of a model or of an allocation file that any tool can write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from click.core import ParameterSource

from tinygen.boards import load_board
from tinygen.cli import _options as options
from tinygen.cli._output import Output
from tinygen.compile import CompileOptions, compile_model
from tinygen.errors import Origin, error
from tinygen.plan.csv_io import read_csv, write_csv
from tinygen.plan.live import life
from tinygen.plan.model import Plan
from tinygen.plan.solve import FILE_NODE_BUDGET, plan
from tinygen.report.bands import bands, memories, offsets_there
from tinygen.report.comparison import comparison
from tinygen.report.layered import layered_plan
from tinygen.report.memory_map import kind_shown, short_name, svg
from tinygen.report.terminal_map import letters, terminal_map
from tinygen.report.timeline import Timeline, layered_timeline, timeline
from tinygen.source_tree import SourceTree, searched
from tinygen.target import for_board

OF_FILES = ("file", "picture", "capacity", "out", "json", "debug")
"""The parameters that make sense without a model."""
MAP_WIDTH = 110
"""Characters of the map at most: in a wider terminal it would only be harder to see at once."""


@dataclass(frozen=True)
class PlacedBuffer:
    """One buffer."""

    name: str
    kind: str
    """`input`, `output`, `activation`, `scratch`, `accumulator` or `state`."""
    bytes: int
    offset: int
    """In the arena; in one of several memories, `first_offset` of that memory and then what it is there."""
    memory: str | None
    """Null where the arena is in one memory."""
    first_step: int
    last_step: int


@dataclass(frozen=True)
class PlanMemory:
    """A memory with a part of the arena."""

    name: str
    address: int | None
    """Where the memory begins."""
    first_offset: int
    """Where its part of the arena begins in the range of offsets of all."""
    bytes: int
    lower_bound_bytes: int
    """The most bytes alive there at once."""


@dataclass(frozen=True)
class PlanDocument:
    """`tinygen plan`."""

    buffers: int
    arena_bytes: int
    lower_bound_bytes: int
    """The most bytes alive at once: no plan can go below."""
    proof: str
    """`optimal`, or the gap in bytes between the plan and the best bound known."""
    schedule_exact: bool | None
    """All orders of the layers and all cuts were gone through for the schedule; null for an allocation file."""
    offsets: tuple[int, ...]
    """Of the buffers in the file's order."""
    placed: tuple[PlacedBuffer, ...]
    """The buffers in the same order."""
    memories: tuple[PlanMemory, ...]
    """By ascending address; none where the arena is in one memory that nobody named."""
    layered_bytes: int | None
    """The arena if a model's layers were computed one after the other; null for an allocation file."""
    library_arena_bytes: int | None
    """The arena with the plan that the backend's library makes by itself; null where it never does."""
    state_bytes: int | None
    """What a model keeps from one inference to the next, in no buffer here; null for an allocation file."""


DOCUMENT = PlanDocument


@click.command("plan")
@click.argument("file", type=options.FILE, metavar="MODEL.tflite|FILE.csv")
@click.option("--svg", "picture", type=options.FILE, metavar="X.svg", help="Draw the memory map.")
@click.option("--board", metavar="ID", help="Of a model: kernels for its core; by default those for any core.")
@options.compiling
@click.option("--capacity", type=click.IntRange(min=1), metavar="BYTES", help="Of a file: stop at any plan this small.")
@click.option("-o", "--out", type=options.FILE, metavar="OUT.csv", help="Of a file: write it with offsets.")
@options.common
@click.pass_context
def command(
    context: click.Context,
    output: Output,
    file: Path,
    picture: Path | None,
    board: str | None,
    capacity: int | None,
    out: Path | None,
    chosen: CompileOptions,
) -> None:
    """Show where every byte of a model's arena lives, or place the buffers of an allocation file.

    A model is shown beside what computing layer by layer would need. The columns of an allocation file are id, lower,
    upper and size, and if wanted alignment, gaps and offset, as MiniMalloc has them. Without --capacity the smallest
    arena is searched, with it an arena above is an error.
    """
    if file.suffix == ".tflite":
        _refuse(context, "allocation files", ("capacity", "out"))
        _show_model(output, file, _for_board(chosen, board), picture)
    else:
        _refuse(context, "models", [p.name for p in context.command.params if p.name and p.name not in OF_FILES])
        _place_file(output, file, capacity, out, picture)


def _refuse(context: click.Context, only: str, names: Sequence[str]) -> None:
    """No option is silently without effect."""
    for name in names:
        if context.get_parameter_source(name) not in (None, ParameterSource.DEFAULT):
            option = next(p.opts[-1] for p in context.command.params if p.name == name)
            raise click.UsageError(f"{option} is for {only}", context)


def _for_board(chosen: CompileOptions, board: str | None) -> CompileOptions:
    return chosen if board is None else for_board(chosen, load_board(board))


def _show_model(output: Output, file: Path, chosen: CompileOptions, picture: Path | None) -> None:
    with output.status("compiling the model"):
        tree = compile_model(file, chosen)
        layered = layered_plan(file, chosen)
    when = timeline(tree)
    if picture is not None:
        _write(picture, comparison(tree.model_name, layered, layered_timeline(tree), tree.plan, when))

    def show() -> None:
        found = tree.plan
        output.line(f"{tree.model_name}: arena {found.arena_bytes:,} bytes ({found.proof}), {chosen.optimize.value}")
        own = tree.library_arena_bytes
        beside = "" if own is None else f", tflite-micro's own plan {own:,} bytes"
        output.line(f"lower bound {found.lower_bound:,} bytes, layer by layer {layered.arena_bytes:,} bytes{beside}")
        if tree.state_bytes:
            output.line(f"state {tree.state_bytes:,} bytes, kept from one inference to the next")
        output.line(f"searched: {searched(tree.schedule_exact)}")
        _show_map(output, found, when)
        _show_picture(output, picture)

    output.result(_document(tree.plan, layered.arena_bytes, tree), show)


def _place_file(output: Output, file: Path, capacity: int | None, out: Path | None, picture: Path | None) -> None:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as problem:
        raise error("TG306", f"cannot be read: {problem}", origin=Origin(file.name)) from problem
    rows = read_csv(text, file.name)
    with output.status("planning"):
        found = plan([row.buffer() for row in rows], capacity=capacity, node_budget=FILE_NODE_BUDGET)
    if out is not None:
        _write(out, write_csv(rows, found))
    if picture is not None:
        _write(picture, svg(found))

    def show() -> None:
        output.line(f"{file.name}: {len(rows):,} buffers in {found.arena_bytes:,} bytes ({found.proof})")
        output.line(f"lower bound {found.lower_bound:,} bytes")
        if out is not None:
            output.line(f"offsets: {out}")
        _show_picture(output, picture)

    output.result(_document(found), show)


def _show_map(output: Output, found: Plan, when: Timeline) -> None:
    output.line()
    for runs in terminal_map(found, when, width=min(MAP_WIDTH, output.out.width)):
        output.runs(runs)
    output.line()
    shown = zip(letters(found), _placed(found), offsets_there(found), strict=True)
    rows = [
        (
            letter,
            short_name(b.name),
            kind_shown(b.name, b.kind),
            f"{b.bytes:,}",
            f"{offset:,}",
            *(() if b.memory is None else (b.memory,)),
            f"{b.first_step} to {b.last_step}",
        )
        for letter, b, offset in sorted(shown, key=lambda each: each[1].first_step)
    ]
    memory = ("memory",) if found.areas else ()
    output.table(("", "buffer", "kind", "bytes", "at", *memory, "steps"), rows, right=("bytes", "at"))


def _show_picture(output: Output, picture: Path | None) -> None:
    if picture is not None:
        output.line(f"memory map: {picture}")


def _document(found: Plan, layered_bytes: int | None = None, tree: SourceTree | None = None) -> PlanDocument:
    return PlanDocument(
        buffers=len(found.buffers),
        arena_bytes=found.arena_bytes,
        lower_bound_bytes=found.lower_bound,
        proof=found.proof,
        schedule_exact=None if tree is None else tree.schedule_exact,
        offsets=found.offsets,
        placed=_placed(found),
        memories=tuple(_memories(found)),
        layered_bytes=layered_bytes,
        library_arena_bytes=None if tree is None else tree.library_arena_bytes,
        state_bytes=None if tree is None else tree.state_bytes,
    )


def _placed(found: Plan) -> tuple[PlacedBuffer, ...]:
    return tuple(
        PlacedBuffer(b.name, b.kind, b.size, offset, memory or None, life(b)[0], life(b)[1] - 1)
        for b, offset, memory in zip(found.buffers, found.offsets, memories(found), strict=True)
    )


def _memories(found: Plan) -> Iterator[PlanMemory]:
    starts = {area.region: area.start for area in found.areas}
    for band in bands(found) if found.areas else ():
        plan = band.plan
        yield PlanMemory(band.memory, band.address, starts[band.memory], plan.arena_bytes, plan.lower_bound)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise error("TG403", f"cannot write {path}: {problem}") from problem
