"""MiniMalloc's allocation files: comma-separated id, lower, upper, size, and optionally alignment and offset."""

from __future__ import annotations

import csv
import io

from tinygen.errors import Origin, TinygenError, error
from tinygen.plan.model import Buffer, Plan, Rect

_REQUIRED = ("id", "lower", "upper", "size")
_OPTIONAL = ("alignment", "offset")
_LARGEST = 1 << 40
"""A terabyte, or as many steps; anything above is a mistake in the file."""


def read_csv(text: str, file: str) -> tuple[Buffer, ...]:
    """The buffers of an allocation file; `file` is its name for error messages.

    Steps are [lower, upper), sizes and offsets bytes, an `offset` pins the buffer. Columns may come in any order and
    blank lines are skipped. Raises TG306 with all faulty rows at once.
    """
    reader = csv.reader(io.StringIO(text))
    columns: list[str] | None = None
    buffers: dict[str, Buffer] = {}
    faults: list[TinygenError] = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if columns is None:
                columns = _header(cells, file, reader.line_num)
                continue
            try:
                buffer = _buffer(dict(zip(columns, cells, strict=True)) if len(cells) == len(columns) else None, cells)
                if buffer.name in buffers:
                    raise ValueError(f"id '{buffer.name}' is there twice")
                buffers[buffer.name] = buffer
            except ValueError as fault:
                faults.append(_fault(file, reader.line_num, str(fault)))
    except csv.Error as fault:
        raise _fault(file, reader.line_num, str(fault)) from fault
    if columns is None:
        raise _fault(file, 1, "the file is empty; the first line must name the columns id,lower,upper,size")
    if faults:
        raise TinygenError(*(diagnostic for fault in faults for diagnostic in fault.diagnostics))
    return tuple(buffers.values())


def write_csv(plan: Plan) -> str:
    """The plan as an allocation file with the offset column; every buffer must be a single rectangle."""
    aligned = any(buffer.alignment != 1 for buffer in plan.buffers)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_REQUIRED, *(["alignment"] if aligned else []), "offset"])
    for buffer, offset in zip(plan.buffers, plan.offsets, strict=True):
        (rect,) = buffer.rects
        alignment = [buffer.alignment] if aligned else []
        writer.writerow([buffer.name, rect.lower, rect.upper, buffer.size, *alignment, offset])
    return out.getvalue()


def _header(cells: list[str], file: str, line: int) -> list[str]:
    columns = [cell.lower() for cell in cells]
    missing = [name for name in _REQUIRED if name not in columns]
    unknown = [name for name in columns if name not in _REQUIRED + _OPTIONAL]
    if missing or unknown or len(set(columns)) != len(columns):
        raise _fault(
            file, line, f"found the columns {','.join(columns)}, accepted are id,lower,upper,size[,alignment][,offset]"
        )
    return columns


def _buffer(row: dict[str, str] | None, cells: list[str]) -> Buffer:
    if row is None:
        raise ValueError(f"found {len(cells)} cells, which is not what the header says")
    if not row["id"]:
        raise ValueError("the id is empty")
    lower, upper, size = (_number(row, name, 0) for name in _REQUIRED[1:])
    if lower >= upper:
        raise ValueError(f"lower {lower} must be less than upper {upper}")
    alignment = _number(row, "alignment", 1) if row.get("alignment") else 1
    pinned = _number(row, "offset", 0) if row.get("offset") else None
    return Buffer(row["id"], size, (Rect(lower, upper, 0, size),), alignment=alignment, pinned=pinned)


def _number(row: dict[str, str], name: str, least: int) -> int:
    cell = row[name]
    if not (cell.isascii() and cell.isdigit()) or len(cell) > 20 or not least <= int(cell) <= _LARGEST:
        raise ValueError(f"{name} is '{cell[:40]}', accepted is a whole number from {least} to {_LARGEST}")
    return int(cell)


def _fault(file: str, line: int, message: str) -> TinygenError:
    return error("TG306", f"line {line}: {message}", origin=Origin(file))
