"""Tuning files: what candidates for the schedules of layers cost on a target, as JSON that can be committed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from tinygen.backends.utvm.decision import Decision, Dot, parse_decision
from tinygen.errors import TinygenError, error

FORMAT = 3

Counts = Mapping[Decision, int | None]
"""Instructions of a layer with each candidate that was measured; None where its output was wrong or it did not fit."""


@dataclass(frozen=True)
class Target:
    """What counts depend on besides the layer's shape."""

    cpu: str
    features: tuple[str, ...]
    """Of the core, sorted."""
    compiler: str
    """`gcc` or `zig`, with its version."""
    optimize: str

    @property
    def brief(self) -> str:
        """The core, and the compiler with version and level."""
        return f"{self.cpu}, {self.compiler} {self.optimize}"

    def __str__(self) -> str:
        features = f" with {', '.join(self.features)}" if self.features else ""
        return f"{self.cpu}{features}, {self.compiler} {self.optimize}"


@dataclass(frozen=True)
class Tuning:
    """The content of a tuning file."""

    target: Target
    layers: Mapping[str, Counts] = field(default_factory=lambda: MappingProxyType({}))
    """By the shape of the layer, as rows.Lowering.key has it."""

    def best(self, key: str, *, wide: bool = True) -> Decision | None:
        """The candidate with the fewest instructions, of equals the first in order; None for unknown shapes.

        Without `wide` only of those whose inputs are not widened, which need less scratch.
        """
        counts = self.layers.get(key, {})
        counted = [
            (n, decision) for decision, n in counts.items() if n is not None and (wide or decision.dot is not Dot.WIDE)
        ]
        return min(counted)[1] if counted else None

    def count(self, key: str, decision: Decision) -> int | None:
        return self.layers.get(key, {}).get(decision)

    def having(self, key: str, decision: Decision, count: int | None) -> Tuning:
        """The tuning with one more measurement."""
        return replace(self, layers={**self.layers, key: {**self.layers.get(key, {}), decision: count}})


def load_tuning(path: Path) -> Tuning:
    """Reads a tuning file.

    Raises:
        TinygenError: TG430 when it cannot be read or is not what `save_tuning` writes.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise error("TG430", f"cannot read {path}: {problem.strerror}") from problem
    except ValueError as problem:
        raise _damaged(path, f"found {problem}, accepted: JSON that tinygen tune wrote") from problem
    return _parse(document, path)


def save_tuning(tuning: Tuning, path: Path) -> None:
    """Writes a tuning file, the same bytes for the same content; an interrupted write leaves the old one.

    Raises:
        TinygenError: TG403 when it cannot be written.
    """
    document = {
        "format": FORMAT,
        "target": {
            "cpu": tuning.target.cpu,
            "features": list(tuning.target.features),
            "compiler": tuning.target.compiler,
            "optimize": tuning.target.optimize,
        },
        "layers": {
            key: {str(decision): counts[decision] for decision in sorted(counts)}
            for key, counts in sorted(tuning.layers.items())
        },
    }
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        os.replace(part, path)
    except OSError as problem:
        raise error("TG403", f"cannot write {path}: {problem.strerror}") from problem


def _parse(document: object, path: Path) -> Tuning:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = document.get("format") if isinstance(document, dict) else type(document).__name__
        raise _damaged(path, f"found format {found!r}, accepted: {FORMAT}")
    target, layers = document.get("target"), document.get("layers")
    if not isinstance(target, dict) or not isinstance(layers, dict):
        raise _damaged(path, "found no target or no layers")
    names, features = [target.get(k) for k in ("cpu", "compiler", "optimize")], target.get("features")
    if not isinstance(features, list) or not all(isinstance(x, str) for x in (*names, *features)):
        raise _damaged(path, "found a target that is not cpu, features, compiler and optimize")
    cpu, compiler, optimize = map(str, names)
    return Tuning(
        Target(cpu, tuple(map(str, features)), compiler, optimize),
        {str(key): _counts(key, counts, path) for key, counts in layers.items()},
    )


def _counts(key: str, counts: object, path: Path) -> Counts:
    found: dict[Decision, int | None] = {}
    for text, count in counts.items() if isinstance(counts, dict) else [("", "")]:
        decision = parse_decision(text)
        if decision is None or not (count is None or (type(count) is int and count > 0)):
            raise _damaged(path, f"found {text!r} with {count!r} for the layer {key!r}")
        found[decision] = count
    return found


def _damaged(path: Path, found: str) -> TinygenError:
    hints = ("delete it and run tinygen tune again, or restore it from version control",)
    return error("TG430", f"{path} is not a tuning file: {found}", hints=hints)
