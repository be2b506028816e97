"""Recordings of power analysers: columns and units found, energy integrated, and what cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinygen.energy import energy, read_trace
from tinygen.errors import TinygenError


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "trace.csv"
    path.write_text(text, encoding="utf-8")
    return path


# 2 mA at rest, 10 mA for 3 ms and then for 5 ms, at 3 V; the trigger is high for as long.
PULSES = [0] * 4 + [1] * 3 + [0] * 4 + [1] * 5 + [0] * 4


def _rows(separator: str, *, current: float = 1.0, voltage: str = "", trigger: bool = True) -> str:
    lines = []
    for millisecond, high in enumerate(PULSES):
        cells = [f"{millisecond}", f"{(10 if high else 2) * current:g}"]
        cells += [voltage] if voltage else []
        cells += [str(high)] if trigger else []
        lines.append(separator.join(cells))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("head", "separator", "current", "voltage"),
    [
        ("Timestamp(ms),Current(uA),D0", ",", 1000.0, ""),
        ("time [ms];Current [mA];Voltage [V];trigger", ";", 1.0, "3"),
        ("t (ms)\tI (nA)\tU (mV)\tGPI0", "\t", 1e6, "3000"),
    ],
)
def test_two_pulses_whatever_the_units(tmp_path, head, separator, current, voltage):
    path = _write(tmp_path, head + "\n" + _rows(separator, current=current, voltage=voltage))
    found = energy(read_trace(path, voltage=None if voltage else 3.0), accuracy=0.9)
    assert found.inferences == 2
    assert found.seconds == pytest.approx(0.004)
    assert found.seconds_p99 == pytest.approx(0.005)
    assert found.jitter_seconds == pytest.approx(0.002)
    # The last millisecond of a pulse falls from 10 to 2 mA: 6 mA on average.
    first, second = 3 * (2 * 0.010 + 0.006) * 0.001, 3 * (4 * 0.010 + 0.006) * 0.001
    assert found.joules == pytest.approx((first + second) / 2)
    assert found.joules_max == pytest.approx(second)
    assert found.watts == pytest.approx((first + second) / 0.008)
    assert found.idle_watts == pytest.approx(3 * (3 * 0.002 + 0.006) / 4)
    assert found.edge_score == pytest.approx(0.9 / (found.seconds * found.watts))


def test_without_a_trigger_the_number_of_inferences_is_stated(tmp_path):
    path = _write(tmp_path, "time(ms),current(mA)\n" + _rows(",", trigger=False))
    found = energy(read_trace(path, voltage=1.0), inferences=4)
    assert (found.inferences, found.idle_watts, found.accuracy, found.edge_score) == (4, None, None, None)
    assert found.seconds == pytest.approx(0.019 / 4)


def test_a_pulse_that_is_cut_off_does_not_count(tmp_path):
    rows = "".join(f"{i},1,{high}\n" for i, high in enumerate([1, 0, 1, 1, 0, 1]))
    assert energy(read_trace(_write(tmp_path, "time,current,d0\n" + rows), voltage=1.0)).inferences == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no time"),
        ("time,volume\n1,2\n2,3\n", "no current"),
        ("time,current\n1,2\n2,3\n", "no voltage"),
        ("time,current (kg),voltage\n1,2,3\n2,3,3\n", "'kg'"),
        ("time,current,voltage,d0\n1,2,3,0\n2,x,3,0\n", "line 3, column 2: found 'x'"),
        ("time,current,voltage,d0\n1,2,3,0\n2\n", "found nothing"),
        ("time,current,voltage,d0\n1,2,3,0\n1,2,3,0\n", "do not ascend"),
        ("time,current,voltage,d0\n1,2,3,0\n2,nan,3,0\n", "no finite numbers"),
        ("time,current,voltage,d0\n1,2,3,0\n2,2,3,0\n", "never rises"),
        ("time,current,voltage\n1,2,3\n2,2,3\n", "nothing in it says"),
        ("time,current,voltage,d0\n1,-2,3,0\n2,-2,3,1\n3,-2,3,0\n", "mean power"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path, text, found):
    with pytest.raises(TinygenError, match="TG530") as raised:
        energy(read_trace(_write(tmp_path, text)))
    assert found in str(raised.value)


def test_a_trigger_by_name(tmp_path):
    path = _write(tmp_path, "time,current,voltage,my pin\n1,2,3,0\n2,2,3,1\n3,2,3,0\n")
    assert energy(read_trace(path, trigger="my pin")).joules == pytest.approx(6.0)
    with pytest.raises(TinygenError, match="no trigger 'pin'"):
        read_trace(path, trigger="pin")


def test_no_file(tmp_path):
    with pytest.raises(TinygenError, match="TG530"):
        read_trace(tmp_path / "absent.csv")
