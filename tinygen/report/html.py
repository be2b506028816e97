"""The HTML page of benchmarks: one self-contained file, no network, no script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tinygen.bench import BenchLayer, Benchmark, Measured
from tinygen.paths import TEMPLATES
from tinygen.plan.live import life
from tinygen.plan.model import Plan
from tinygen.report.bands import memories, offsets_there
from tinygen.report.comparison import comparison
from tinygen.report.layered import layered_plan
from tinygen.report.memory_map import colours, kind_shown, short_name, svg
from tinygen.report.planned import TOLD_PERCENT, excess_line
from tinygen.report.terminal import Table, layers_beside, overview_table
from tinygen.report.timeline import layered_timeline, timeline
from tinygen.source_tree import arena_bytes, searched

NARROW, WIDE = 350, 960
"""Widths of the two drawings of the memory map, in pixels: the page shows the one that fits."""

_KINDS = {
    "measured": "on the board itself",
    "emulated": "exact instruction count, no silicon",
    "estimated": "a model of the core, no silicon",
}


@dataclass(frozen=True)
class _Bar:
    """A layer's row: parts of the largest in percent."""

    layer: BenchLayer
    count: float
    constant_bytes: float
    share: float
    """Percent of all instructions or cycles counted in layers."""


@dataclass(frozen=True)
class _Memory:
    """Used and available bytes of one memory, with what it is used for, in bytes."""

    name: str
    used: int
    available: int
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class _Legend:
    """One buffer in the list below the memory map."""

    colour: str
    name: str
    kind: str
    bytes: int
    place: str
    first: int
    last: int


@dataclass(frozen=True)
class _Section:
    """What the page says of one benchmark."""

    b: Benchmark
    kind: str
    layered_bytes: int
    wide: Markup
    narrow: Markup
    bars: tuple[_Bar, ...]
    memories: tuple[_Memory, ...]
    legend: tuple[_Legend, ...]


def page(measured: Sequence[Measured]) -> str:
    """The page of at least one benchmark; several are first compared, then shown one after the other."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "report"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["bytes"] = lambda n: f"{n:,}"
    environment.filters["per_mac"] = _per_mac
    environment.filters["short"] = short_name
    environment.filters["searched"] = searched
    environment.filters["excess"] = excess_line
    benchmarks = [m.benchmark for m in measured]
    tables: tuple[Table, ...] = ()
    if len(measured) > 1:
        tables = overview_table(benchmarks), *layers_beside(benchmarks)
    sections = [_section(m) for m in measured]
    return environment.get_template("report.html.j2").render(
        sections=sections, tables=tables, told_percent=TOLD_PERCENT
    )


def _section(m: Measured) -> _Section:
    plan, when, layered = m.tree.plan, timeline(m.tree), layered_plan(m.path, m.options)
    drawn = comparison(m.tree.model_name, layered, layered_timeline(m.tree), plan, when, width=WIDE)
    return _Section(
        b=m.benchmark,
        kind=_KINDS[m.benchmark.kind],
        layered_bytes=layered.arena_bytes,
        wide=Markup(drawn),
        narrow=Markup(svg(plan, when, width=NARROW, height=280)),
        bars=_bars(m.benchmark.layers),
        memories=tuple(_memories(m)),
        legend=_legend(plan),
    )


def _bars(layers: Sequence[BenchLayer]) -> tuple[_Bar, ...]:
    most = max((layer.count for layer in layers), default=0) or 1
    largest = max((layer.constant_bytes for layer in layers), default=0) or 1
    total = sum(layer.count for layer in layers) or 1
    return tuple(
        _Bar(
            layer,
            100 * layer.count / most,
            100 * layer.constant_bytes / largest,
            100 * layer.count / total,
        )
        for layer in layers
    )


def _memories(m: Measured) -> Iterator[_Memory]:
    """Flash and RAM, and each memory where arenas are in others than the main one."""
    b, constants, arenas = m.benchmark, sum(tree.constant_bytes for tree in m.firmware), arena_bytes(m.firmware)
    flash = (("constants", constants), ("code", b.flash_bytes - constants))
    states = sum(tree.state_bytes for tree in m.firmware if not tree.arena_bound)
    kept = (("state", states),) if states else ()
    ram = (("arena", arenas), *kept, ("stack reserve and variables", b.ram_bytes - arenas - states))
    yield _Memory("Flash", b.flash_bytes, b.flash_available_bytes, flash)
    yield _Memory("RAM", b.ram_bytes, b.ram_available_bytes, ram)
    if any(memory.arena_bytes for memory in b.memories[1:]):
        for memory in b.memories:
            parts = (("arena", memory.arena_bytes), ("stack reserve and variables", memory.bytes - memory.arena_bytes))
            shown = tuple((name, size) for name, size in parts if size)
            yield _Memory(f"RAM, {memory.name}", memory.bytes, memory.available_bytes, shown)


def _legend(plan: Plan) -> tuple[_Legend, ...]:
    each = zip(plan.buffers, plan.offsets, offsets_there(plan), memories(plan), colours(plan), strict=True)
    rows = []
    for buffer, offset, there, memory, colour in each:
        place = f"at {there:,} of {memory}" if memory else f"at {there:,}"
        first, end = life(buffer)
        kind = kind_shown(buffer.name, buffer.kind)
        rows.append((first, offset, _Legend(colour, buffer.name, kind, buffer.size, place, first, end - 1)))
    return tuple(row for *_, row in sorted(rows, key=lambda r: r[:2]))


def _per_mac(layer: BenchLayer) -> str:
    return f"{layer.count / layer.macs:.2f}" if layer.macs else ""
