"""A benchmark as lines and a table for the terminal; no emulated or estimated number is without its word."""

from __future__ import annotations

from collections.abc import Sequence

from tinygen.bench import Benchmark
from tinygen.report.memory_map import short_name

_BAR = 24


def headline(b: Benchmark) -> tuple[str, ...]:
    """The figures, one a line."""
    count = f"{_count(b, b.instructions if b.instructions is not None else b.cycles or 0)} {b.counter} ({b.kind})"
    time = () if b.seconds is None else (f"time      {b.seconds * 1e3:,.3f} ms ({b.kind})",)
    return (
        f"{b.model} on {b.board}, {b.runner}, {b.provenance.compiler}",
        f"inference {count}",
        *time,
        f"arena     {b.arena_bytes:,} bytes ({b.proof}, lower bound {b.lower_bound_bytes:,})",
        f"RAM       {b.ram_bytes:,} of {b.ram_available_bytes:,} bytes",
        f"flash     {b.flash_bytes:,} of {b.flash_available_bytes:,} bytes (constants {b.constant_bytes:,})",
        f"stack     {b.stack_bytes:,} bytes used",
        f"outputs   {'match' if b.outputs_match else 'DIFFER FROM'} {b.compared_with}",
    )


def layer_table(b: Benchmark) -> tuple[Sequence[str], Sequence[Sequence[str]], Sequence[str]]:
    """Header, rows, and the names of the columns of numbers."""
    counted = f"{b.counter} ({b.kind})"
    header = ("#", "operator", "output", counted, "share", "per MAC", "constant bytes", "")
    total = sum(layer.count for layer in b.layers) or 1
    most = max((layer.count for layer in b.layers), default=0) or 1
    rows = [
        (
            str(layer.index),
            layer.op,
            short_name(layer.name),
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
