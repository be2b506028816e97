"""The HTML page of a benchmark: one self-contained file, no network, no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tinygen.bench import BenchLayer, Benchmark
from tinygen.paths import TEMPLATES
from tinygen.plan.live import life
from tinygen.plan.model import Plan
from tinygen.report.comparison import comparison
from tinygen.report.memory_map import colours, kind_shown, short_name, svg
from tinygen.report.timeline import layered_timeline, timeline
from tinygen.source_tree import SourceTree

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
    offset: int
    first: int
    last: int


def page(benchmark: Benchmark, tree: SourceTree, layered: Plan) -> str:
    """The page for one benchmark of a source tree; `layered` is the layer-by-layer plan to compare with."""
    plan, when = tree.plan, timeline(tree)
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
    return environment.get_template("report.html.j2").render(
        b=benchmark,
        kind=_KINDS[benchmark.kind],
        layered_bytes=layered.arena_bytes,
        wide=Markup(comparison(tree.model_name, layered, layered_timeline(tree), plan, when, width=WIDE)),
        narrow=Markup(svg(plan, when, width=NARROW, height=280)),
        bars=_bars(benchmark.layers),
        memories=_memories(benchmark),
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


def _memories(b: Benchmark) -> tuple[_Memory, ...]:
    flash = (("constants", b.constant_bytes), ("code", b.flash_bytes - b.constant_bytes))
    ram = (("arena", b.arena_bytes), ("stack reserve and variables", b.ram_bytes - b.arena_bytes))
    return (
        _Memory("Flash", b.flash_bytes, b.flash_available_bytes, flash),
        _Memory("RAM", b.ram_bytes, b.ram_available_bytes, ram),
    )


def _legend(plan: Plan) -> tuple[_Legend, ...]:
    rows = [
        _Legend(
            colour,
            buffer.name,
            kind_shown(buffer.name, buffer.kind),
            buffer.size,
            offset,
            life(buffer)[0],
            life(buffer)[1] - 1,
        )
        for buffer, offset, colour in zip(plan.buffers, plan.offsets, colours(plan), strict=True)
    ]
    return tuple(sorted(rows, key=lambda r: (r.first, r.offset)))


def _per_mac(layer: BenchLayer) -> str:
    return f"{layer.count / layer.macs:.2f}" if layer.macs else ""
