"""MiniMalloc's allocation files: a buffer a line, with its steps, its size, and the gaps in which it needs less."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tinygen.errors import Origin, TinygenError, error
from tinygen.plan.model import Buffer, Plan, Rect

_REQUIRED = ("id", "lower", "upper", "size")
_OPTIONAL = ("alignment", "hint", "gaps", "offset")
_OTHER_NAMES = {"buffer": "id", "buffer_id": "id", "begin": "lower", "start": "lower", "end": "upper"}
_ACCEPTED = (
    "id (or buffer, buffer_id), lower (begin, start), upper (or end, which is inclusive) and size, "
    "and if wanted alignment, hint, gaps and offset"
)
_GAP = re.compile(r"(\d+)-(\d+)(?:@(\d+):(\d+))?", re.ASCII)
_LARGEST = 1 << 40
"""A terabyte, or as many steps; anything above is a mistake in the file."""


@dataclass(frozen=True, order=True)
class Gap:
    """Steps [lower, upper) in which a buffer holds only its bytes [start, stop), or nothing where these are equal."""

    lower: int
    upper: int
    start: int
    stop: int


@dataclass(frozen=True)
class Row:
    """A buffer of an allocation file, alive during steps [lower, upper); sizes and offsets are bytes.

    `offset` pins the buffer. `hint` is where somebody would like it to be; it is handed on and otherwise ignored, as
    MiniMalloc does. `gaps` ascend, do not overlap, and lie in the buffer's life if they leave it any bytes.
    """

    name: str
    lower: int
    upper: int
    size: int
    alignment: int = 1
    hint: int | None = None
    gaps: tuple[Gap, ...] = ()
    offset: int | None = None

    def buffer(self) -> Buffer:
        """A rectangle for each stretch of steps in which the buffer holds the same bytes."""
        rects = tuple(self._rects()) or (Rect(self.lower, self.upper, 0, 0),)
        return Buffer(self.name, self.size, rects, alignment=self.alignment, pinned=self.offset)

    def _rects(self) -> Iterator[Rect]:
        done = self.lower
        for gap in self.gaps:
            end = min(gap.lower, self.upper)
            if done < end:
                yield Rect(done, end, 0, self.size)
            if gap.start < gap.stop:
                yield Rect(gap.lower, gap.upper, gap.start, gap.stop)
            done = max(done, gap.upper)
        if done < self.upper:
            yield Rect(done, self.upper, 0, self.size)


def read_csv(text: str, file: str) -> tuple[Row, ...]:
    """The rows of an allocation file; `file` is its name for error messages.

    Columns may come in any order and under any of the names that MiniMalloc's converter knows; those of `end` and of
    gaps beside it are inclusive. Blank lines are skipped. Raises TG306 with all faulty rows at once.
    """
    reader = csv.reader(io.StringIO(text))
    columns: list[str] | None = None
    rows: dict[str, Row] = {}
    faults: list[TinygenError] = []
    try:
        for record in reader:
            cells = [cell.strip() for cell in record]
            if not any(cells):
                continue
            if columns is None:
                columns = _header(cells, file, reader.line_num)
                continue
            try:
                row = _row(columns, cells)
                if row.name in rows:
                    raise ValueError(f"id '{row.name}' is there twice")
                rows[row.name] = row
            except ValueError as fault:
                faults.append(_fault(file, reader.line_num, str(fault)))
    except csv.Error as fault:
        raise _fault(file, reader.line_num, str(fault)) from fault
    if columns is None:
        raise _fault(file, 1, "the file is empty; the first line must name the columns id,lower,upper,size")
    if faults:
        raise TinygenError(*(diagnostic for fault in faults for diagnostic in fault.diagnostics))
    return tuple(rows.values())


def write_csv(rows: Sequence[Row], plan: Plan) -> str:
    """`rows` with the offsets that `plan` gives their buffers, in the columns that MiniMalloc's converter writes."""
    columns: list[tuple[str, Sequence[str | int]]] = [
        ("id", [row.name for row in rows]),
        ("lower", [row.lower for row in rows]),
        ("upper", [row.upper for row in rows]),
        ("size", [row.size for row in rows]),
    ]
    if any(row.alignment != 1 for row in rows):
        columns.append(("alignment", [row.alignment for row in rows]))
    if any(row.hint is not None for row in rows):
        columns.append(("hint", [-1 if row.hint is None else row.hint for row in rows]))
    if any(row.gaps for row in rows):
        columns.append(("gaps", [" ".join(map(_gap_text, row.gaps)) for row in rows]))
    columns.append(("offset", plan.offsets))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    writer.writerows(zip(*(cells for _, cells in columns), strict=True))
    return out.getvalue()


def _gap_text(gap: Gap) -> str:
    return f"{gap.lower}-{gap.upper}" + (f"@{gap.start}:{gap.stop}" if gap.start < gap.stop else "")


def _header(cells: list[str], file: str, line: int) -> list[str]:
    """The columns as the file calls them."""
    columns = [cell.lower() for cell in cells]
    meant = [_OTHER_NAMES.get(name, name) for name in columns]
    if not set(_REQUIRED) <= set(meant) <= {*_REQUIRED, *_OPTIONAL} or len(set(meant)) != len(meant):
        raise _fault(file, line, f"found the columns {','.join(columns)}, accepted are {_ACCEPTED}, each once")
    return columns


def _row(columns: list[str], cells: list[str]) -> Row:
    """Raises ValueError saying what is wrong with it."""
    if len(cells) != len(columns):
        raise ValueError(f"found {len(cells)} cells, which is not what the header says")
    named = {_OTHER_NAMES.get(name, name): (name, cell) for name, cell in zip(columns, cells, strict=True)}
    past = 1 if "end" in columns else 0
    if not named["id"][1]:
        raise ValueError("the id is empty")
    lower, upper, size = (_number(*named[name]) for name in _REQUIRED[1:])
    if lower >= upper + past:
        relation = "at most" if past else "less than"
        raise ValueError(f"{named['lower'][0]} {lower} must be {relation} {named['upper'][0]} {upper}")
    row = Row(
        named["id"][1],
        lower,
        upper + past,
        size,
        alignment=_optional(named, "alignment", least=1, none="") or 1,
        hint=_optional(named, "hint", none="-1"),
        gaps=tuple(sorted(_gap(text, size, past) for text in named.get("gaps", ("", ""))[1].split())),
        offset=_optional(named, "offset", none=""),
    )
    _check_gaps(row)
    return row


def _optional(named: dict[str, tuple[str, str]], name: str, *, none: str, least: int = 0) -> int | None:
    """None where there is no such column, or where its cell is empty or `none`."""
    found = named.get(name, (name, ""))
    return None if found[1] in ("", none) else _number(*found, least)


def _number(name: str, cell: str, least: int = 0) -> int:
    if not (cell.isascii() and cell.isdigit()) or len(cell) > 20 or not least <= int(cell) <= _LARGEST:
        raise ValueError(f"{name} is '{cell[:40]}', accepted is a whole number from {least} to {_LARGEST}")
    return int(cell)


def _gap(text: str, size: int, past: int) -> Gap:
    found = _GAP.fullmatch(text)
    if not found:
        raise ValueError(f"gap '{text[:40]}' is not steps like 7-9, or steps and bytes like 7-9@0:16")
    lower, upper, start, stop = (_number(f"a number of gap '{text[:40]}'", number or "0") for number in found.groups())
    if lower >= upper + past:
        raise ValueError(f"gap '{text}' has no steps")
    if not start <= stop <= size:
        raise ValueError(f"gap '{text}' has bytes outside the buffer's {size}")
    return Gap(lower, upper + past, start, stop)


def _check_gaps(row: Row) -> None:
    """Raises ValueError for what MiniMalloc's own routines do not agree about."""
    for gap, after in pairwise(row.gaps):
        if gap.upper > after.lower:
            raise ValueError(f"gaps overlap: steps [{gap.lower}, {gap.upper}) and [{after.lower}, {after.upper})")
    for gap in row.gaps:
        if gap.start < gap.stop and not row.lower <= gap.lower <= gap.upper <= row.upper:
            steps = f"[{gap.lower}, {gap.upper})"
            raise ValueError(
                f"a gap of steps {steps} holds bytes outside the buffer's steps [{row.lower}, {row.upper})"
            )


def _fault(file: str, line: int, message: str) -> TinygenError:
    return error("TG306", f"line {line}: {message}", origin=Origin(file))
