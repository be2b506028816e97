"""Register writes and waits of a board file, as data: how its clock is raised and how its trigger pin is driven."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinygen.strict_toml import ADDRESS_SPACE, StrictTable

MOST_STEPS = 48
"""The firmware remembers what each write replaced, on the stack."""


@dataclass(frozen=True)
class Step:
    """One access. `kind` is `WRITE` (the bits of `mask` become `value`), `WAIT` (until they are) or `DELAY`."""

    kind: str
    register: str
    """Its name in the reference manual; of a delay, `DELAY`."""
    address: int
    width: int
    """Of the access, in bits."""
    mask: int
    value: int
    """Of a delay, microseconds."""


@dataclass(frozen=True)
class Clock:
    """How the core gets from the clock after reset to `hz`; the steps are undone when a wait lasts too long."""

    hz: int
    uart_hz: int
    """The clock of the UART once the core runs at `hz`."""
    steps: tuple[Step, ...]
    source: str


@dataclass(frozen=True)
class Trigger:
    """A pin that is high while the model runs, for a logic analyser or a power analyser."""

    pin: str
    """What is written on the board."""
    setup: tuple[Step, ...]
    high: Step
    low: Step
    source: str


def read_clock(table: StrictTable, highest: int) -> Clock:
    """The table [clock] of a board file, at most `highest` Hz; TG303 when it is not valid."""
    hz = table.integer("hz", 1_000_000, highest, "Hz")
    uart_hz = table.integer("uart_hz", 100_000, highest, "Hz") if table.has("uart_hz") else hz
    clock = Clock(hz, uart_hz, _steps(table, "steps"), table.text("source"))
    table.finish()
    return clock


def read_trigger(table: StrictTable) -> Trigger:
    """The table [trigger] of a board file; TG303 when it is not valid."""
    trigger = Trigger(
        pin=table.text("pin"),
        setup=_steps(table, "setup"),
        high=_write(table, "high"),
        low=_write(table, "low"),
        source=table.text("source"),
    )
    table.finish()
    return trigger


def _steps(table: StrictTable, key: str) -> tuple[Step, ...]:
    steps = tuple(_step(item) for item in table.tables(key))
    if len(steps) > MOST_STEPS:
        raise table.fail(key, f"found {len(steps)} steps, accepted: at most {MOST_STEPS}")
    return steps


def _write(table: StrictTable, key: str) -> Step:
    step = _step(table.table(key))
    if step.kind != "WRITE":
        raise table.fail(key, "found no write, accepted: a step that writes a register")
    return step


def _step(table: StrictTable) -> Step:
    if table.has("delay_us"):
        step = Step("DELAY", "DELAY", 0, 32, 0, table.integer("delay_us", 1, 100_000, "microseconds"))
        table.finish()
        return step
    register = table.text("register")
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", register):
        raise table.fail("register", f"found '{register}', accepted: upper-case letters, digits and underscores")
    width = table.integer("bits", 8, 32, "bits") if table.has("bits") else 32
    address = table.address("address")
    if width not in (8, 16, 32) or address % (width // 8):
        raise table.fail("address", f"found {address:#x} of {width} bits, accepted: 8, 16 or 32 bits, aligned")
    most = min(ADDRESS_SPACE, 1 << width) - 1
    mask = table.integer("mask", 1, most, "bits") if table.has("mask") else most
    kinds = [kind for kind in ("write", "wait") if table.has(kind)]
    if len(kinds) != 1:
        raise table.fail("write", f"found {len(kinds)} of write and wait, accepted: one of them, or delay_us alone")
    value = table.integer(kinds[0], 0, most, "bits")
    if value & ~mask:
        raise table.fail(kinds[0], f"found {value:#x} with bits outside the mask {mask:#x}, accepted: bits inside it")
    table.finish()
    return Step(kinds[0].upper(), register, address, width, mask, value)
