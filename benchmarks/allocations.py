"""Allocation files to plan that are solvable for sure: variants of files that are, and rectangles cut to pieces."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from tinygen.plan.csv_io import Row

Rows = tuple[Row, ...]
Variant = Callable[[Rows, random.Random], Rows]

PIECES = (40, 80, 150, 250)
_STEPS, _BYTES = 1_000, 10_000


def shuffled(rows: Rows, chance: random.Random) -> Rows:
    """In another order; the planner should not notice."""
    return tuple(chance.sample(rows, len(rows)))


def mirrored(rows: Rows, _: random.Random) -> Rows:
    """With the time running backwards."""
    end = max(row.upper for row in rows)
    return tuple(replace(row, lower=end - row.upper, upper=end - row.lower) for row in rows)


def warped(rows: Rows, _: random.Random) -> Rows:
    """With a step from each moment at which something begins or ends to the next, so that lives have other lengths."""
    moments = {time: i for i, time in enumerate(sorted({time for row in rows for time in (row.lower, row.upper)}))}
    return tuple(replace(row, lower=moments[row.lower], upper=moments[row.upper]) for row in rows)


def fewer(rows: Rows, chance: random.Random) -> Rows:
    """Without one buffer in twenty."""
    return tuple(row for row in rows if chance.random() >= 0.05)


def thinner(rows: Rows, chance: random.Random) -> Rows:
    """With half of the buffers a byte smaller, so that sizes have no common divisor."""
    return tuple(replace(row, size=max(0, row.size - chance.randint(0, 1))) for row in rows)


def cut_in_time(rows: Rows, chance: random.Random) -> Rows:
    """With one buffer in ten two, one after the other."""
    return tuple(part for row in rows for part in (_halves_in_time(row, chance) if _one_in_ten(chance) else (row,)))


def cut_in_size(rows: Rows, chance: random.Random) -> Rows:
    """With one buffer in ten two of the same life."""
    return tuple(part for row in rows for part in (_halves_in_size(row, chance) if _one_in_ten(chance) else (row,)))


def twice(rows: Rows, chance: random.Random) -> Rows:
    """Followed by itself backwards."""
    end = max(row.upper for row in rows)
    again = (replace(r, name=f"{r.name}'", lower=r.lower + end, upper=r.upper + end) for r in mirrored(rows, chance))
    return (*rows, *again)


VARIANTS: tuple[Variant, ...] = (shuffled, mirrored, warped, fewer, thinner, cut_in_time, cut_in_size, twice)


def variants(rows: Rows) -> Iterator[tuple[str, Rows]]:
    """Each variant of boxes without gaps and pins, by name: what fits a capacity still does."""
    for variant in VARIANTS:
        yield variant.__name__, variant(rows, random.Random(variant.__name__))


def pieces(count: int) -> tuple[Rows, int]:
    """A rectangle cut into so many boxes by cuts from side to side, and its height, which they can only just fit."""
    chance = random.Random(count)
    boxes = [(0, _STEPS, 0, _BYTES)]
    while len(boxes) < count:
        lower, upper, start, stop = boxes.pop(_large(boxes, chance))
        if chance.random() < 0.5 and upper - lower > 1:
            middle = chance.randrange(lower + 1, upper)
            boxes += [(lower, middle, start, stop), (middle, upper, start, stop)]
        elif stop - start > 1:
            middle = chance.randrange(start + 1, stop)
            boxes += [(lower, upper, start, middle), (lower, upper, middle, stop)]
        else:
            boxes.append((lower, upper, start, stop))
    rows = (Row(str(i), lower, upper, stop - start) for i, (lower, upper, start, stop) in enumerate(boxes))
    return tuple(rows), _BYTES


def _large(boxes: list[tuple[int, int, int, int]], chance: random.Random) -> int:
    """The largest of three."""
    drawn = chance.sample(range(len(boxes)), min(3, len(boxes)))
    return max(drawn, key=lambda i: (boxes[i][1] - boxes[i][0]) * (boxes[i][3] - boxes[i][2]))


def _one_in_ten(chance: random.Random) -> bool:
    return chance.random() < 0.1


def _halves_in_time(row: Row, chance: random.Random) -> Rows:
    if row.upper - row.lower < 2:
        return (row,)
    middle = chance.randrange(row.lower + 1, row.upper)
    return replace(row, upper=middle), replace(row, name=f"{row.name}'", lower=middle)


def _halves_in_size(row: Row, chance: random.Random) -> Rows:
    if row.size < 2:
        return (row,)
    size = chance.randrange(1, row.size)
    return replace(row, size=size), replace(row, name=f"{row.name}'", size=row.size - size)
