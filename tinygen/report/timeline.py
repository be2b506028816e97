"""The time axis of a memory map: what each step computes, and stretches of steps that belong to the same layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from tinygen.source_tree import Layer, SourceTree


@dataclass(frozen=True)
class Stretch:
    """Steps [start, end) that compute some layers and nothing else; `labels` name them, the longest first."""

    start: int
    end: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Timeline:
    """`steps` has a name for each step of a schedule; the stretches are in order and leave no step out."""

    steps: tuple[str, ...]
    stretches: tuple[Stretch, ...]


def timeline(tree: SourceTree) -> Timeline:
    """Of the tree's own schedule."""
    return _timeline(tree.layers, tree.steps)


def layered_timeline(tree: SourceTree) -> Timeline:
    """Of one step for each layer, in the model's order."""
    layers = tuple(sorted(tree.layers, key=lambda layer: layer.index))
    return _timeline(layers, tuple(range(len(layers))))


def _timeline(layers: tuple[Layer, ...], steps: tuple[int, ...]) -> Timeline:
    names = tuple(f"{layers[i].index} {_kind(layers[i])}" for i in steps)
    return Timeline(names, tuple(_stretches(layers, steps)))


def _stretches(layers: tuple[Layer, ...], steps: tuple[int, ...]) -> Iterator[Stretch]:
    """Cut wherever every layer before is done and none after has begun."""
    before = list(accumulate(steps, max))
    after = list(accumulate(reversed(steps), min))[::-1]
    start = 0
    for end in range(1, len(steps) + 1):
        if end == len(steps) or before[end - 1] < after[end]:
            first, last = min(steps[start:end]), max(steps[start:end])
            yield Stretch(start, end, _labels(layers[first : last + 1]))
            start = end


def _labels(layers: tuple[Layer, ...]) -> tuple[str, ...]:
    if len(layers) == 1:
        return f"{layers[0].index} {_kind(layers[0])}", str(layers[0].index)
    first, last = min(layer.index for layer in layers), max(layer.index for layer in layers)
    numbers = f"{first} to {last}"
    return f"layers {numbers}, interleaved", numbers, f"{first}\u2013{last}"


def _kind(layer: Layer) -> str:
    return layer.op.removesuffix("_2D").replace("_", " ").lower()
