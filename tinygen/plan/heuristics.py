"""Greedy placement: buffers in a chosen order, each at the lowest offset that is free for its whole shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tinygen.plan.problem import Problem


def orders(problem: Problem) -> list[list[int]]:
    """Orders worth trying, most successful first: by size, area, crowding, lifetime and time of birth.

    Placing the largest first is "greedy by size" of Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net
    Inference (2020); the rest are the preorderings of MiniMalloc (Moffitt, ASPLOS 2023).
    """
    size, area, crowd = problem.sizes, problem.areas, problem.crowding
    life = [upper - lower for lower, upper in zip(problem.lowers, problem.uppers, strict=True)]
    keys: list[list[tuple[int, ...]]] = [
        [(-size[i], -life[i]) for i in range(len(size))],
        [(-area[i], -size[i]) for i in range(len(size))],
        [(-crowd[i], -size[i], -life[i]) for i in range(len(size))],
        [(-crowd[i], -life[i], -size[i]) for i in range(len(size))],
        [(-life[i], -size[i]) for i in range(len(size))],
        [(problem.lowers[i], -life[i], -size[i]) for i in range(len(size))],
        [(-problem.uppers[i], -life[i], -size[i]) for i in range(len(size))],
    ]
    found: list[list[int]] = []
    for key in keys:
        order = sorted(range(len(size)), key=key.__getitem__)
        if order not in found:
            found.append(order)
    return found


def place(problem: Problem, order: Iterable[int]) -> list[int]:
    """Offsets in grains: pinned buffers where they must be, the rest in `order`, each as low as possible."""
    offsets = [-1] * len(problem.sizes)
    for i, pin in enumerate(problem.pinned):
        if pin is not None:
            offsets[i] = pin
    for i in order:
        if offsets[i] < 0:
            offsets[i] = lowest_offset(problem, i, offsets)
    return offsets


def lowest_offset(problem: Problem, index: int, offsets: Sequence[int]) -> int:
    """The lowest aligned offset at which buffer `index` overlaps none of the placed ones (offset not -1)."""
    forbidden = []
    for other, intervals in problem.conflicts[index]:
        base = offsets[other]
        if base >= 0:
            for low, high in intervals:
                if base + high > 0:
                    forbidden.append((base + low, base + high))
    forbidden.sort()
    alignment = problem.alignments[index]
    offset = 0
    for low, high in forbidden:
        if low >= offset:
            break
        if high > offset:
            offset = high if alignment == 1 else -(-high // alignment) * alignment
    return offset


def height(problem: Problem, offsets: Sequence[int]) -> int:
    """Grains of arena that `offsets` need."""
    return max((offset + size for offset, size in zip(offsets, problem.sizes, strict=True)), default=0)
