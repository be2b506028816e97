"""Benchmarks: one inference measured, checked against the oracle, and taken apart by layers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerCount:
    """One layer. `index` is the operator's index in the model file, `name` its output's name."""

    index: int
    op: str
    name: str
    instructions: int | None
    """Of one inference, in the build with hooks; null where the runner cannot count."""
    macs: int
    constant_bytes: int
    output_shape: tuple[int, ...]


@dataclass(frozen=True)
class Provenance:
    """What a number was made with, so that it can be made again."""

    tinygen: str
    model_sha256: str
    backend: str
    numerics: str
    compiler: str
    flags: tuple[str, ...]
    runner: str


@dataclass(frozen=True)
class Benchmark:
    """One model on one board."""

    model: str
    board: str
    runner: str
    kind: str
    """How the numbers came about: `measured` on silicon, `emulated` (exact counts), `estimated`."""
    instructions: int | None
    """Of one inference, in the build without hooks; null where the runner cannot count."""
    cycles: int | None
    microseconds: float | None
    arena_bytes: int
    lower_bound_bytes: int
    proof: str
    ram_bytes: int
    """Variables, arena and stack reserve of the firmware."""
    ram_available_bytes: int
    flash_bytes: int
    flash_available_bytes: int
    constant_bytes: int
    stack_bytes: int
    """The most stack that was used."""
    outputs_match: bool
    compared_with: str
    """The oracle, or the numpy reference where no oracle is installed."""
    layers: tuple[LayerCount, ...]
    provenance: Provenance
