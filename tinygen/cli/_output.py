"""How commands speak: results on stdout as text or one JSON document, progress and diagnostics on stderr."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from tinygen import __version__
from tinygen.errors import Diagnostic, TinygenError
from tinygen.report.document import plain

ISSUES = "the project's issue tracker"


class EXIT(IntEnum):
    """Exit codes."""

    OK = 0
    ERROR = 1
    USAGE = 2
    UNKNOWN = 3
    BUG = 70
    INTERRUPTED = 130


@dataclass(frozen=True)
class Place:
    """Where in the model an error comes from."""

    file: str
    op_index: int | None
    op_kind: str | None
    tensor: str | None


@dataclass(frozen=True)
class Diagnosis:
    """One diagnostic."""

    code: str
    """A code of docs/errors.md, or `usage` or `internal`."""
    message: str
    origin: Place | None
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """What every command prints with --json when it cannot answer."""

    errors: tuple[Diagnosis, ...]


def failure_document(failure: TinygenError) -> Failure:
    """All diagnostics of an error as a document."""
    return Failure(tuple(diagnosis(diagnostic) for diagnostic in failure.diagnostics))


def diagnosis(diagnostic: Diagnostic) -> Diagnosis:
    """A diagnostic as it is in documents."""
    at = diagnostic.origin
    place = Place(at.file, at.op_index, at.op_kind, at.tensor) if at is not None else None
    return Diagnosis(diagnostic.code, diagnostic.message, place, diagnostic.hints)


def usage_document(failure: click.UsageError) -> Failure:
    """A wrong command line as a document."""
    return Failure((Diagnosis("usage", failure.format_message(), None, ()),))


def printable(text: str) -> str:
    """Text of unknown source without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


@dataclass(frozen=True)
class Output:
    """Where a command writes. Nothing here is coloured or animated unless the stream is a terminal."""

    json: bool
    out: Console
    err: Console

    @classmethod
    def to_standard_streams(cls, *, json: bool) -> Output:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return cls(json, _console(stderr=False), _console(stderr=True))

    def result(self, document: object, show: Callable[[], None]) -> None:
        """The command's answer: the document with --json, otherwise whatever `show` prints."""
        if self.json:
            self.document(document)
        else:
            show()

    def document(self, document: object) -> None:
        sys.stdout.write(json.dumps(plain(document), indent=2, ensure_ascii=True) + "\n")

    def line(self, text: str = "", style: str | None = None) -> None:
        """A line of the answer; long lines are left to the terminal."""
        self.out.print(printable(text), style=style, soft_wrap=True)

    def runs(self, runs: Sequence[tuple[str, str | None]]) -> None:
        """A line of the answer on coloured ground: dark text on each run's colour, where it has one."""
        styled = [(printable(text), f"#1c1f24 on {ground}" if ground else "") for text, ground in runs]
        self.out.print(Text.assemble(*styled), soft_wrap=True)

    def note(self, text: str) -> None:
        """A line beside the answer, on stderr."""
        self.err.print(printable(text), soft_wrap=True)

    def diagnostics(self, diagnostics: Sequence[Diagnostic], severity: str = "error") -> None:
        """Findings in the form every tinygen message has, on stderr."""
        for diagnostic in diagnostics:
            head, _, rest = printable(diagnostic.text(severity)).partition("\n")
            self.err.print(head, style="bold red" if severity == "error" else "yellow", soft_wrap=True)
            if rest:
                self.err.print(rest, soft_wrap=True)

    def failure(self, failure: TinygenError) -> None:
        """A user's error: on stdout as a document with --json, otherwise as text on stderr."""
        if self.json:
            self.document(failure_document(failure))
        else:
            self.diagnostics(failure.diagnostics)

    def bug(self, failure: Exception) -> None:
        """An error that is ours: what it was, and how to tell us."""
        message = f"internal error: {type(failure).__name__}: {failure}"
        advice = (
            "this is a bug in tinygen, not in your model",
            f"report it at {ISSUES} with the command, `tinygen doctor` and the output of the command with --debug",
        )
        if self.json:
            self.document(Failure((Diagnosis("internal", message, None, advice),)))
        else:
            self.err.print(printable(message), style="bold red", soft_wrap=True)
            self.note("\n".join(f"  {line}" for line in (*advice, f"tinygen {__version__}")))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> None:
        """An aligned table; the columns named in `right` hold numbers. Plain text when piped."""
        plain_text = not self.out.is_terminal
        table = Table(box=None if plain_text else box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for position, name in enumerate(header):
            # In a narrow terminal words are cut, numbers never.
            whole = max((len(name), *(len(row[position]) for row in rows))) if name in right else None
            justify: Literal["left", "right"] = "left" if whole is None else "right"
            table.add_column(name, justify=justify, no_wrap=True, overflow="ellipsis", min_width=whole)
        for row in rows:
            table.add_row(*map(printable, row))
        with self.out.capture() as captured:
            self.out.print(table)
        text = captured.get()
        if plain_text:
            text = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
        self.out.file.write(text)

    @contextmanager
    def status(self, text: str) -> Iterator[None]:
        """Something that can take longer than two seconds is under way."""
        if self._animated:
            with self.err.status(text):
                yield
        else:
            yield

    @contextmanager
    def progress(self, text: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar for a known amount of work; yields a function that takes how much of it is done."""
        if not self._animated:
            yield lambda done: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task(text, total=total)
            yield lambda done: bar.update(task, completed=done)

    @contextmanager
    def steps(self, text: str) -> Iterator[Callable[[int, int], None]]:
        """As `progress`, for work whose amount is known only once it has begun: the function also takes the total."""
        with ExitStack() as stack:
            bars: list[Callable[[int], None]] = []

            def update(done: int, total: int) -> None:
                if not bars:
                    bars.append(stack.enter_context(self.progress(text, total)))
                bars[0](done)

            yield update

    @property
    def _animated(self) -> bool:
        return self.err.is_terminal and not self.json


def _console(*, stderr: bool) -> Console:
    # Redirected output has no width to respect: nothing may be wrapped or cut there.
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 10_000
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)
