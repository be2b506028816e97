"""Energy of inferences from a power analyser's recording: timestamps, current, voltage, and a trigger around each."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import TinygenError, error

_SCALES = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "": 1.0}
_UNITS = {"s": "time", "a": "current", "v": "voltage"}
_NAMES = {
    "time": ("timestamp", "time", "t"),
    "current": ("current", "i", "main current", "avg current"),
    "voltage": ("voltage", "v", "u", "main voltage", "avg voltage"),
    "trigger": ("trigger", "gpio", "gpi", "d0", "gpi0", "in0"),
}
_HEADING = re.compile(r"^\s*(?P<name>[^()\[\]]*?)\s*(?:[(\[]\s*(?P<unit>[^()\[\]]*?)\s*[)\]])?\s*$")
_HIGH = 0.5
"""A trigger is high above this: recordings have it as 0 and 1, or in volts."""

Series = NDArray[np.float64]


@dataclass(frozen=True)
class Energy:
    """What inferences took on a board, from a power analyser; always `measured`.

    Time and energy are of one inference. Jitter is how far the slowest is above the fastest.
    """

    trace: str
    """The recording's file name."""
    inferences: int
    seconds: float
    """The median."""
    seconds_p99: float
    """Of 100 inferences 99 are no slower; nearest rank."""
    jitter_seconds: float
    joules: float
    """The median."""
    joules_max: float
    watts: float
    """Mean power while inferring."""
    idle_watts: float | None
    """Mean power between inferences; null where the recording has none."""
    accuracy: float | None
    """As the user states it, between 0 and 1; null when not stated."""
    edge_score: float | None
    """Accuracy / (latency in seconds x power in watts); informal, and null without an accuracy."""


@dataclass(frozen=True, eq=False)
class Trace:
    """A recording, all of the same length: seconds, amperes, volts; `trigger` is high during an inference."""

    name: str
    time: Series
    current: Series
    voltage: Series
    trigger: NDArray[np.bool_] | None


def read_trace(path: Path, *, voltage: float | None = None, trigger: str | None = None) -> Trace:
    """Reads a CSV export with one heading line, such as Nordic's, Joulescope's or Qoitech's.

    Columns are found by their names (`Timestamp(ms)`, `Current(uA)`, `voltage [V]`, `D0`), their units by what stands
    in brackets: s, A and V with n, u or m before them, plain where there are none. `voltage` in volts is for
    recordings without one, `trigger` names the column that is high during an inference.

    Raises:
        TinygenError: TG530 when the file cannot be read, lacks a column, or holds something else than numbers.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            dialect = ";" if head.count(";") > head.count(",") else "\t" if head.count("\t") > head.count(",") else ","
            headings = [cell.strip() for cell in next(csv.reader([head], delimiter=dialect), [])]
            rows = [row for row in csv.reader(file, delimiter=dialect) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise _unusable(path, f"it cannot be read: {problem}") from problem
    columns = _columns(path, headings, trigger)
    for role in ("time", "current"):
        if role not in columns:
            raise _unusable(path, f"found columns {', '.join(headings)}, no {role}; accepted: {_accepted(role)}")
    if "voltage" not in columns and voltage is None:
        raise _unusable(path, "it has no voltage", "state the supply in volts with --voltage, such as --voltage 3.3")
    values = {role: _values(path, rows, column, scale) for role, (column, scale) in columns.items()}
    if len(rows) < 2 or not np.all(np.diff(values["time"]) > 0):
        raise _unusable(path, "its timestamps do not ascend, or there are fewer than two")
    volts = np.full(len(rows), voltage) if voltage is not None else values["voltage"]
    high = values["trigger"] > _HIGH if "trigger" in values else None
    return Trace(path.name, values["time"], values["current"], volts, high)


def energy(trace: Trace, *, inferences: int | None = None, accuracy: float | None = None) -> Energy:
    """Energy of each inference: power integrated by the trapezoidal rule while the trigger is high.

    Inferences that the recording begins or ends in are left out. Without a trigger the whole recording is taken as
    `inferences` of them, one after the other; jitter and p99 are then unknown and 0 and the mean.

    Raises:
        TinygenError: TG530 when there is neither a trigger nor a number, or no whole inference.
    """
    power = trace.voltage * trace.current
    steps = (power[1:] + power[:-1]) / 2 * np.diff(trace.time)
    taken = np.concatenate(([0.0], np.cumsum(steps)))
    if inferences is not None:
        total = trace.time[-1] - trace.time[0]
        seconds, joules, idle = np.array([total / inferences]), np.array([taken[-1] / inferences]), None
    else:
        if trace.trigger is None:
            raise _unusable(
                Path(trace.name),
                "nothing in it says when an inference begins and ends",
                "name the column that is high during an inference with --trigger NAME",
                "or cut the recording to whole inferences and state their number with --inferences N",
            )
        spans = _spans(trace.trigger)
        if not spans:
            raise _unusable(Path(trace.name), "its trigger never rises and falls again")
        first, last = (np.array(edge) for edge in zip(*spans, strict=True))
        seconds, joules = trace.time[last] - trace.time[first], taken[last] - taken[first]
        idle = _idle(trace, taken, spans)
    middle = float(np.median(seconds))
    watts = float(joules.sum() / seconds.sum())
    if not watts > 0:
        raise _unusable(Path(trace.name), f"the mean power of its inferences is {watts:g} W")
    return Energy(
        trace=trace.name,
        inferences=len(seconds) if inferences is None else inferences,
        seconds=middle,
        seconds_p99=float(np.sort(seconds)[math.ceil(0.99 * len(seconds)) - 1]),
        jitter_seconds=float(seconds.max() - seconds.min()),
        joules=float(np.median(joules)),
        joules_max=float(joules.max()),
        watts=watts,
        idle_watts=idle,
        accuracy=accuracy,
        edge_score=None if accuracy is None else accuracy / (middle * watts),
    )


def _columns(path: Path, headings: Sequence[str], trigger: str | None) -> dict[str, tuple[int, float]]:
    """For each role its column and the factor to SI units; the first column that qualifies."""
    found: dict[str, tuple[int, float]] = {}
    for column, heading in enumerate(headings):
        matched = _HEADING.match(heading)
        name, unit = (matched["name"].lower(), matched["unit"] or "") if matched else (heading.lower(), "")
        for role, names in _NAMES.items():
            if role in found or (name not in names and not (role == "trigger" and heading == trigger)):
                continue
            found[role] = column, 1.0 if role == "trigger" else _scale(path, heading, unit, role)
    if trigger is not None:
        if trigger not in headings:
            raise _unusable(path, f"found columns {', '.join(headings)}, no trigger '{trigger}'")
        found["trigger"] = headings.index(trigger), 1.0
    return found


def _scale(path: Path, heading: str, unit: str, role: str) -> float:
    if not unit:
        return 1.0
    base, prefix = unit[-1].lower(), unit[:-1]
    if _UNITS.get(base) != role or prefix not in _SCALES:
        raise _unusable(path, f"column '{heading}' is in '{unit}', accepted: {_accepted(role)}")
    return _SCALES[prefix]


def _accepted(role: str) -> str:
    base = {"time": "s", "current": "A", "voltage": "V"}[role]
    return f"{_NAMES[role][0]} in {base}, m{base}, u{base} or n{base}, such as '{_NAMES[role][0]} (m{base})'"


def _values(path: Path, rows: Sequence[Sequence[str]], column: int, scale: float) -> Series:
    values = np.empty(len(rows))
    for number, row in enumerate(rows):
        try:
            values[number] = float(row[column])
        except (ValueError, IndexError):
            found = repr(row[column]) if column < len(row) else "nothing"
            raise _unusable(
                path, f"line {number + 2}, column {column + 1}: found {found}, accepted: a number"
            ) from None
    if not np.all(np.isfinite(values)):
        raise _unusable(path, f"column {column + 1} has values that are no finite numbers")
    return values * scale


def _spans(high: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First samples of high and of low again, for each whole pulse of the trigger."""
    change = np.diff(high.astype(np.int8))
    rises, falls = np.flatnonzero(change == 1) + 1, np.flatnonzero(change == -1) + 1
    falls = falls[falls > rises[0]] if rises.size else falls[:0]
    return [(int(a), int(b)) for a, b in zip(rises, falls, strict=False)]


def _idle(trace: Trace, taken: Series, spans: Sequence[tuple[int, int]]) -> float | None:
    gaps = [(end, begin) for (_, end), (begin, _) in pairwise(spans)]
    seconds = sum(float(trace.time[b] - trace.time[a]) for a, b in gaps)
    return sum(float(taken[b] - taken[a]) for a, b in gaps) / seconds if seconds else None


def _unusable(path: Path, problem: str, *hints: str) -> TinygenError:
    return error("TG530", f"{path.name}: {problem}", hints=hints)
