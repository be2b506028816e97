"""`tinygen fit`: whether a model fits a board, or which boards it fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from tinygen.boards import all_boards, load_board
from tinygen.cli import _options as options
from tinygen.cli._output import EXIT, Output
from tinygen.compile import CompileOptions
from tinygen.errors import Diagnostic, Origin
from tinygen.fit import Fit, fit_models
from tinygen.report.memory_map import short_name
from tinygen.report.planned import TOLD_PERCENT, excess_line
from tinygen.source_tree import searched

_VERDICTS = {True: "fits", False: "no", None: "unknown"}


@dataclass(frozen=True)
class FitAllDocument:
    """`tinygen fit` with --all, or without --board."""

    boards: tuple[Fit, ...]


DOCUMENT = Fit | FitAllDocument


@click.command("fit")
@options.models
@options.board(required=False)
@click.option("--all", "every", is_flag=True, help="Every board tinygen knows; the default without --board.")
@options.compiler
@options.level
@options.separate_arenas
@options.compiling
@options.common
def command(
    output: Output,
    models: tuple[Path, ...],
    board: str | None,
    every: bool,
    compiler: str | None,
    level: str,
    separate_arenas: bool,
    chosen: CompileOptions,
) -> int:
    """Tell whether a model, or several in one firmware, fit a board.

    Measured on the linked firmware; without a compiler it is a bound that is never too small. Exits with 0 when it fits
    (with --all: at least one board), 1 when not, 3 when only a compiler could tell.
    """
    if board is not None and every:
        raise click.UsageError("--board and --all exclude each other.")
    targets = all_boards() if board is None else (load_board(board),)
    with output.progress("fitting", len(targets)) as done:
        verdicts = fit_models(
            models, targets, chosen, separate_arenas=separate_arenas, compiler=compiler, level=level, done=done
        )
    if board is None:
        output.result(FitAllDocument(verdicts), lambda: _show_all(output, verdicts))
    else:
        output.result(verdicts[0], lambda: _show_one(output, verdicts[0], models))
    found = {fit.fits for fit in verdicts}
    if True in found:
        return EXIT.OK
    return EXIT.UNKNOWN if None in found else EXIT.ERROR


def _show_all(output: Output, verdicts: tuple[Fit, ...]) -> None:
    first = verdicts[0]
    output.line(f"{first.model}: arena {first.arena_bytes:,} bytes ({first.proof}), {_basis(verdicts)}")
    output.line(_searched(first))
    output.line()
    header = ("board", "verdict", "RAM used", "RAM free", "flash used", "flash free", "basis", "would help")
    rows = [
        (
            f.board,
            _VERDICTS[f.fits],
            f"{f.ram_bytes:,}",
            f"{f.ram_available_bytes - f.ram_bytes:,}",
            f"{f.flash_bytes:,}",
            f"{f.flash_available_bytes - f.flash_bytes:,}",
            f.basis,
            _help(f),
        )
        for f in verdicts
    ]
    if first.keep_inputs_bytes is not None:
        output.line(_kept(first))
    output.table(header, rows, right=("RAM used", "RAM free", "flash used", "flash free"))


def _help(fit: Fit) -> str:
    """The cheapest thing that makes the model fit, else what is missing."""
    if fit.fits:
        return ""
    if fit.remedy is not None:
        return fit.remedy
    if fit.external_memory is not None:
        return f"memory {fit.external_memory}"
    short = (("RAM", fit.missing_ram_bytes), ("flash", fit.missing_flash_bytes))
    return ", ".join(f"{missing:,} more {memory}" for memory, missing in short if missing)


def _kept(fit: Fit) -> str:
    assert fit.keep_inputs_bytes is not None
    least = fit.arena_bytes - fit.keep_inputs_bytes
    return f"keeping the inputs costs {fit.keep_inputs_bytes:,} bytes of arena: {least:,} without --keep-inputs"


def _basis(verdicts: tuple[Fit, ...]) -> str:
    if all(f.basis == "elf" for f in verdicts):
        return "sizes of the linked minimal firmware"
    return "basis `bound`: no more than this, as nothing could be linked (see `tinygen doctor`)"


def _show_one(output: Output, fit: Fit, models: tuple[Path, ...]) -> None:
    output.line(f"{fit.model} on {fit.board}: {_VERDICTS[fit.fits]}")
    used = "used" if fit.basis == "elf" else "used at most"
    rows = [
        ("RAM", *_row(fit.ram_bytes, fit.ram_available_bytes), _of_ram(fit)),
        *_of_memories(fit),
        ("flash", *_row(fit.flash_bytes, fit.flash_available_bytes), f"constants {fit.constant_bytes:,}"),
    ]
    output.table(("bytes", used, "available", "free", "of it"), rows, right=(used, "available", "free"))
    if len(fit.models) > 1:
        columns = ("model", "arena", "constants")
        each = [(m.model, f"{m.arena_bytes:,}", f"{m.constant_bytes:,}") for m in fit.models]
        output.table(columns, each, right=columns[1:])
    output.line(f"arena {fit.proof}, lower bound {fit.lower_bound_bytes:,} bytes; {fit.compiler or _basis((fit,))}")
    output.line(_searched(fit))
    for m in fit.models:
        if m.excess_percent > TOLD_PERCENT:
            output.line(excess_line(m.excess_percent, m.model if len(fit.models) > 1 else ""))
    if fit.keep_inputs_bytes is not None:
        output.line(_kept(fit))
    if not fit.fits:
        output.diagnostics((_finding(fit, models),), severity="error" if fit.fits is False else "warning")


def _searched(fit: Fit) -> str:
    return f"searched: {searched(all(m.schedule_exact for m in fit.models))}"


def _of_memories(fit: Fit) -> Iterator[tuple[str, ...]]:
    """A row for each memory, where arenas are in others than the main one."""
    for m in fit.memories if fit.regions else ():
        arena = f"arena {m.arena_bytes:,}" if m.arena_bytes else ""
        yield (f"  {m.name}", *_row(m.bytes, m.available_bytes), arena)


def _of_ram(fit: Fit) -> str:
    bound = "" if fit.stack_bound_bytes is None else f" (at most {fit.stack_bound_bytes:,} used)"
    state = f", state {fit.state_bytes:,}" if fit.state_bytes else ""
    return f"arena {fit.arena_bytes:,}{state}, stack {fit.stack_bytes:,}{bound}"


def _row(used: int, available: int) -> tuple[str, str, str]:
    return f"{used:,}", f"{available:,}", f"{available - used:,}"


def _finding(fit: Fit, models: tuple[Path, ...]) -> Diagnostic:
    command = f"tinygen fit {' '.join(map(str, models))}"
    memories = (
        ("RAM", fit.ram_bytes, fit.arena_bytes + fit.state_bytes + fit.stack_bytes, fit.ram_available_bytes),
        ("flash", fit.flash_bytes, fit.constant_bytes, fit.flash_available_bytes),
    )
    over = []
    for memory, used, least, available in memories:
        if fit.basis == "elf" and used > available:
            over.append(f"{used:,} bytes of {memory} are needed, {available:,} are available")
        elif fit.fits is False and least > available:
            over.append(f"at least {least:,} bytes of {memory} are needed, {available:,} are available")
        elif fit.fits is None and used > available:
            over.append(f"up to {used:,} bytes of {memory} are needed, {available:,} are available")
    if fit.stack_bound_bytes is not None and fit.stack_bound_bytes > fit.stack_bytes:
        over.append(f"{fit.stack_bound_bytes:,} bytes of stack are needed, {fit.stack_bytes:,} are reserved")
    if fit.basis == "elf" and fit.fits is None:
        over.append("the stack it needs cannot be bounded")
    largest = ", ".join(f"'{short_name(b.name)}' {b.bytes:,}" for b in fit.largest_buffers)
    hints = [f"largest buffers of the arena: {largest}"]
    if fit.fits is None and fit.basis == "elf":
        hints.append(f"measure the stack on an emulator: tinygen bench MODEL --board {fit.board} --on unicorn")
    if fit.fits is None and fit.basis == "bound":
        hints.append("install a compiler for a verdict: tinygen doctor says how")
    if fit.remedy is not None:
        hints.append(f"it fits with other options: {command} --board {fit.board} {fit.remedy}")
    if fit.external_memory is not None:
        hints.append(f"the board's memory {fit.external_memory} has room: a board file can give it to data or code")
    if fit.stack_bound_bytes is not None and fit.stack_bound_bytes > fit.stack_bytes:
        hints.append(f'a board file can reserve more: stack = "{fit.stack_bound_bytes} B"')
    if fit.nearest is not None:
        hints.append(f"the nearest board with the memory: {command} --board {fit.nearest}")
    return Diagnostic("TG301", "; ".join(over), Origin(", ".join(model.name for model in models)), tuple(hints))
