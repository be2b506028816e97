"""What changed since an older benchmark: figures and layers side by side, and whether any figure got too much worse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygen.bench import Benchmark
from tinygen.errors import TinygenError, error

FIGURES = ("arena_bytes", "ram_bytes", "flash_bytes", "stack_bytes")
"""Figures of a benchmark that are compared beside its count."""


@dataclass(frozen=True)
class Change:
    """One figure then and now. Less is better in all of them."""

    name: str
    """`instructions`, `cycles`, or a key of a benchmark in bytes."""
    before: int
    after: int
    percent: float | None
    """How much more it is now, of what it was; null when it was 0."""
    regressed: bool
    """More than the accepted share above what it was."""


@dataclass(frozen=True)
class LayerChange:
    """One layer's count then and now; null in the benchmark that has no such layer."""

    index: int
    """The operator's index in the model file."""
    op: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Compared:
    """One benchmark against the older one of the same model, board, runner and backend."""

    model: str
    board: str
    runner: str
    backend: str
    same_model_file: bool
    """Whether the model file has the content it had then."""
    figures: tuple[Change, ...]
    layers: tuple[LayerChange, ...]
    """Only those whose count has changed."""


@dataclass(frozen=True)
class Regression:
    """All benchmarks against those of an older file."""

    file: str
    max_regression: float | None
    """In percent, as asked for; null when nothing was, and then nothing has regressed."""
    compared: tuple[Compared, ...]
    only_before: tuple[str, ...]
    """Benchmarks of the older file that were not repeated."""
    only_after: tuple[str, ...]
    """Benchmarks that the older file does not have."""

    @property
    def regressed(self) -> bool:
        """Whether any figure has."""
        return any(change.regressed for compared in self.compared for change in compared.figures)


def read_benchmarks(path: Path) -> tuple[Mapping[str, Any], ...]:
    """The benchmarks in a document of `tinygen bench --json`, unchecked but for what `regression` reads.

    Raises:
        TinygenError: TG531 when the file cannot be read or is no such document.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = tuple(content.get("benchmarks", [content]))
        for benchmark in found:
            _key(benchmark)
            _counts(benchmark)
            for figure in FIGURES:
                _number(benchmark[figure])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise _nothing(f"{path} is no document of `tinygen bench --json`: {problem!r}") from problem
    return found


def regression(
    file: str, before: Iterable[Mapping[str, Any]], after: Sequence[Benchmark], *, max_regression: float | None = None
) -> Regression:
    """Compares benchmarks with those of an older document; `max_regression` in percent.

    Raises:
        TinygenError: TG531 when they have none in common, or one was counted in another unit.
    """
    old, new = {_key(b): b for b in before}, {_key_of(b): b for b in after}
    common = [key for key in new if key in old]
    if not common:
        raise _nothing(f"{file} has {_listed(old)}; measured now: {_listed(new)}")
    return Regression(
        file=file,
        max_regression=max_regression,
        compared=tuple(_compare(old[key], new[key], max_regression) for key in common),
        only_before=tuple(" ".join(key) for key in old if key not in new),
        only_after=tuple(" ".join(key) for key in new if key not in old),
    )


def _compare(old: Mapping[str, Any], new: Benchmark, limit: float | None) -> Compared:
    counter, count, layers = _counts(old)
    if counter != new.counter:
        raise _nothing(f"{' '.join(_key_of(new))} was counted in {counter} then and in {new.counter} now")
    figures = [(counter, count, new.count), *((name, old[name], getattr(new, name)) for name in FIGURES)]
    return Compared(
        *_key_of(new),
        same_model_file=old["provenance"].get("model_sha256") == new.provenance.model_sha256,
        figures=tuple(_change(*figure, limit) for figure in figures),
        layers=tuple(_layer_changes(layers, new)),
    )


def _change(name: str, before: int, after: int, limit: float | None) -> Change:
    percent = 100 * (after - before) / before if before else None
    worse = limit is not None and after > before and (percent is None or percent > limit)
    return Change(name, before, after, percent, worse)


def _layer_changes(before: Mapping[int, tuple[str, int]], new: Benchmark) -> Iterator[LayerChange]:
    after = {layer.index: (layer.op, layer.count) for layer in new.layers}
    for index in sorted({*before, *after}):
        then, now = before.get(index), after.get(index)
        if then is None or now is None or then[1] != now[1]:
            op = (now or then or ("", 0))[0]
            yield LayerChange(index, op, then and then[1], now and now[1])


def _key(benchmark: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return benchmark["model"], benchmark["board"], benchmark["runner"], benchmark["provenance"]["backend"]


def _key_of(benchmark: Benchmark) -> tuple[str, str, str, str]:
    return benchmark.model, benchmark.board, benchmark.runner, benchmark.provenance.backend


def _counts(benchmark: Mapping[str, Any]) -> tuple[str, int, dict[int, tuple[str, int]]]:
    """The counter of an older benchmark, its count, and operator and count of each layer."""
    counter = "cycles" if benchmark["instructions"] is None else "instructions"
    layers = {_number(x["index"]): (str(x["op"]), _number(x[counter])) for x in benchmark["layers"]}
    return counter, _number(benchmark[counter]), layers


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"found {value!r} where a whole number is expected")
    return value


def _listed(keys: Iterable[tuple[str, ...]]) -> str:
    return "; ".join(" ".join(key) for key in keys) or "no benchmark"


def _nothing(problem: str) -> TinygenError:
    hint = "tinygen bench MODEL --board ID --on RUNNER --json > old.json makes such a file"
    return error("TG531", problem, hints=(hint,))
