"""Apportions a board's memories among the models of one firmware, each of which spreads its arena over its share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tinygen.errors import TinygenError
from tinygen.plan.regions import Region
from tinygen.schedule.spread import VARIABLE_BYTES, variable_bytes
from tinygen.source_tree import MAIN, SourceTree, memory_bytes

Compiled = Callable[[int, tuple[Region, ...]], SourceTree]
"""A model by its number, compiled for regions; for none with an arena in one memory."""


def apportion(
    compiled: Compiled, count: int, regions: Sequence[Region], *, wanted: bool, shared: bool
) -> tuple[SourceTree, ...]:
    """The models with their arenas over `regions`, if the main one is too small for all or that is `wanted`.

    Models with a `shared` arena share the part in each memory, so each may have all there is. Arenas of their own are
    placed one after the other in what the ones before have left, the largest first, or else the smallest. What is too
    much for the memories stays in one, and the build says what is missing.

    Raises:
        TinygenError: TG308 when it is wanted and cannot be had.
    """
    alone = tuple(compiled(i, ()) for i in range(count))
    variables = [variable_bytes(len(tree.layers), tree.outside_bytes) for tree in alone]
    usable = [replace(r, capacity=r.capacity - sum(variables)) if r.main else r for r in regions]
    room = next(r.capacity for r in usable if r.main) - VARIABLE_BYTES
    if not wanted and memory_bytes(alone)[MAIN] <= room:
        return alone
    if shared:
        return tuple(compiled(i, _with_main(usable, variables[i])) for i in range(count))
    largest = sorted(range(count), key=lambda i: -alone[i].plan.arena_bytes)
    refused: TinygenError | None = None
    for order in (largest, largest[::-1]):
        try:
            found = _one_by_one(compiled, usable, variables, order)
        except TinygenError as problem:
            if problem.code != "TG308":
                raise
            refused = problem
        else:
            if found is not None:
                return found
    if wanted and refused is not None:
        raise refused
    return alone


def _one_by_one(
    compiled: Compiled, usable: Sequence[Region], variables: Sequence[int], order: Sequence[int]
) -> tuple[SourceTree, ...] | None:
    """Arenas side by side, in this order; None when one does not fit into what those before it have left."""
    left = list(usable)
    trees: dict[int, SourceTree] = {}
    for i in order:
        trees[i] = compiled(i, _with_main(left, variables[i]))
        taken = memory_bytes((trees[i],))
        left = [replace(r, capacity=r.capacity - taken.get(MAIN if r.main else r.name, 0)) for r in left]
        if any(r.capacity < (VARIABLE_BYTES if r.main else 0) for r in left):
            return None
    return tuple(trees[i] for i in range(len(order)))


def _with_main(regions: Sequence[Region], more: int) -> tuple[Region, ...]:
    """With so many bytes more in the main region: a model's own variables, which spreading takes off again."""
    return tuple(replace(r, capacity=max(0, r.capacity + more)) if r.main else r for r in regions)
