"""Benchmarks as lines and tables for the terminal; no emulated or estimated number is without its word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tinygen.bench import Benchmark
from tinygen.energy import Energy
from tinygen.measurement import percentile
from tinygen.regression import Compared, Regression
from tinygen.report.memory_map import short_name
from tinygen.report.planned import TOLD_PERCENT, excess_line
from tinygen.source_tree import searched

_BAR = 24

Table = tuple[Sequence[str], Sequence[Sequence[str]], Sequence[str]]
"""Header, rows, and the names of the columns of numbers."""


def headline(b: Benchmark) -> tuple[str, ...]:
    """The figures, one a line."""
    count = f"{_count(b, b.count)} {b.counter} ({b.kind})"
    time = () if b.seconds is None else (f"time      {b.seconds * 1e3:,.3f} ms ({b.kind})",)
    shares = ", ".join(f"p{share} {_count(b, percentile(b.runs, share))}" for share in (50, 90, 99))
    spread = () if len(b.runs) == 1 else (f"runs      {len(b.runs)}: {shares}, max {_count(b, max(b.runs))}",)
    return (
        f"{b.model} on {b.board}, {b.runner}, {b.provenance.compiler}",
        f"inference {count}",
        *spread,
        *time,
        f"arena     {b.arena_bytes:,} bytes ({b.proof}, lower bound {b.lower_bound_bytes:,})",
        f"searched  {searched(b.schedule_exact)}",
        *(() if b.excess_percent <= TOLD_PERCENT else (excess_line(b.excess_percent),)),
        *((f"state     {b.state_bytes:,} bytes",) if b.state_bytes else ()),
        f"RAM       {b.ram_bytes:,} of {b.ram_available_bytes:,} bytes",
        *_memories(b),
        f"flash     {b.flash_bytes:,} of {b.flash_available_bytes:,} bytes (constants {b.constant_bytes:,})",
        f"stack     {b.stack_bytes:,} bytes used",
        f"outputs   {'match' if b.outputs_match else 'DIFFER FROM'} {b.compared_with}",
        *(() if b.energy is None else _energy(b.energy)),
    )


def _memories(b: Benchmark) -> Iterator[str]:
    """A line for each memory, where arenas are in others than the main one."""
    if any(m.arena_bytes for m in b.memories[1:]):
        width = max(len(m.name) for m in b.memories)
        for m in b.memories:
            of = f"{m.bytes:,} of {m.available_bytes:,} bytes (arena {m.arena_bytes:,})"
            yield f"  {m.name:<{width}}  {of}"


def _energy(e: Energy) -> Iterator[str]:
    yield f"energy    {e.joules * 1e6:,.2f} uJ an inference, at most {e.joules_max * 1e6:,.2f} (measured, {e.trace})"
    yield f"power     {e.watts * 1e3:,.3f} mW" + (
        f", idle {e.idle_watts * 1e3:,.3f} mW" if e.idle_watts is not None else ""
    )
    times = f"p99 {e.seconds_p99 * 1e3:,.3f} ms, jitter {e.jitter_seconds * 1e6:,.1f} us"
    yield f"latency   {e.seconds * 1e3:,.3f} ms, {times}, {e.inferences} inferences (measured)"
    if e.edge_score is not None:
        yield f"edge score {e.edge_score:,.4g}: accuracy {e.accuracy:g} / (seconds x watts), informal"


def overview_table(benchmarks: Sequence[Benchmark]) -> Table:
    """A row for each benchmark, with the columns in which they differ first."""
    named = {
        "model": [b.model for b in benchmarks],
        "board": [b.board for b in benchmarks],
        "on": [b.runner for b in benchmarks],
        "backend": [b.provenance.backend for b in benchmarks],
        "numerics": [b.provenance.numerics for b in benchmarks],
    }
    numbers = {
        "inference": [f"{_count(b, b.count)} {b.counter} ({b.kind})" for b in benchmarks],
        "ms": ["" if b.seconds is None else f"{b.seconds * 1e3:,.3f}" for b in benchmarks],
        "arena": [f"{b.arena_bytes:,}" for b in benchmarks],
        "RAM": [f"{b.ram_bytes:,}" for b in benchmarks],
        "flash": [f"{b.flash_bytes:,}" for b in benchmarks],
        "stack": [f"{b.stack_bytes:,}" for b in benchmarks],
    }
    if not any(numbers["ms"]):
        del numbers["ms"]
    columns = {**named, **numbers, "outputs": ["match" if b.outputs_match else "DIFFER" for b in benchmarks]}
    return tuple(columns), list(zip(*columns.values(), strict=True)), tuple(numbers)


def layers_beside(benchmarks: Sequence[Benchmark]) -> Iterator[Table]:
    """For each model a table of its layers with the counts of all its benchmarks side by side."""
    for model in dict.fromkeys(b.model for b in benchmarks):
        beside = [b for b in benchmarks if b.model == model]
        labels = _labels(beside)
        rows = []
        layers = {layer.index: layer for b in beside for layer in b.layers}
        for index, layer in sorted(layers.items()):
            counts = [{x.index: x.count for x in b.layers}.get(index) for b in beside]
            shown = ["" if c is None else _count(b, c) for b, c in zip(beside, counts, strict=True)]
            rows.append((str(index), layer.op, short_name(layer.name), *shown))
        yield ("#", "operator", f"output, {model}", *labels), rows, ("#", *labels)


def _labels(benchmarks: Sequence[Benchmark]) -> tuple[str, ...]:
    """What tells benchmarks of one model apart, with what was counted."""
    parts = [(b.board, b.runner, b.provenance.backend) for b in benchmarks]
    differing = [i for i in range(3) if len({p[i] for p in parts}) > 1]
    names = [" ".join(p[i] for i in differing) for p in parts]
    return tuple(f"{name} {b.counter} ({b.kind})".strip() for name, b in zip(names, benchmarks, strict=True))


def changes_table(compared: Compared) -> Table:
    """The figures then and now."""
    rows = [
        (
            change.name.removesuffix("_bytes"),
            f"{change.before:,}",
            f"{change.after:,}",
            f"{change.after - change.before:+,}",
            "" if change.percent is None else f"{change.percent:+.2f} %",
            "REGRESSED" if change.regressed else "",
        )
        for change in compared.figures
    ]
    return ("figure", "before", "now", "change", "in percent", ""), rows, ("before", "now", "change", "in percent")


def layer_changes_table(compared: Compared) -> Table:
    """The layers that cost more or less than before."""
    rows = []
    for layer in compared.layers:
        change = "" if layer.before is None or layer.after is None else f"{layer.after - layer.before:+,}"
        counts = ("" if count is None else f"{count:,}" for count in (layer.before, layer.after))
        rows.append((str(layer.index), layer.op, *counts, change))
    return ("#", "operator", "before", "now", "change"), rows, ("#", "before", "now", "change")


def regression_lines(changed: Regression) -> Iterator[str]:
    """The verdict, and what had no counterpart."""
    for text, names in (("not measured now", changed.only_before), ("not in the older file", changed.only_after)):
        for name in names:
            yield f"{text}: {name}"
    for compared in changed.compared:
        if not compared.same_model_file:
            yield f"{compared.model} is another file than it was then"
    if changed.max_regression is not None:
        verdict = "REGRESSED" if changed.regressed else "nothing is"
        yield f"{verdict} more than {changed.max_regression:g} % above {changed.file}"


def layer_table(b: Benchmark) -> Table:
    """A row for each layer."""
    counted = f"{b.counter} ({b.kind})"
    header = ("#", "operator", "output", "kernel", counted, "share", "per MAC", "constant bytes", "")
    total = sum(layer.count for layer in b.layers) or 1
    most = max((layer.count for layer in b.layers), default=0) or 1
    rows = [
        (
            str(layer.index),
            layer.op,
            short_name(layer.name),
            layer.kernel,
            _count(b, layer.count),
            f"{100 * layer.count / total:.1f} %",
            f"{layer.count / layer.macs:.2f}" if layer.macs else "",
            f"{layer.constant_bytes:,}",
            "#" * round(_BAR * layer.count / most),
        )
        for layer in b.layers
    ]
    return header, rows, ("#", counted, "share", "per MAC", "constant bytes")


def _count(b: Benchmark, count: int) -> str:
    return f"~{count:,}" if b.kind == "estimated" else f"{count:,}"
