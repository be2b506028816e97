"""When rows live: from the step that writes them through the last step that reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinygen.schedule.program import Program
from tinygen.schedule.pull import Puller
from tinygen.schedule.steps import Ints
from tinygen.schedule.storages import Storage


@dataclass(frozen=True)
class RowLife:
    """A row is alive during [lower, upper), in positions of the schedule."""

    lower: int
    upper: int


@dataclass(frozen=True, eq=False)
class Lives:
    """The rows of a storage are alive during [born, dead), those that nobody writes or reads never."""

    born: Ints
    dead: Ints

    def rows(self) -> tuple[RowLife | None, ...]:
        """Row by row, None for one that is never alive."""
        pairs = zip(self.born.tolist(), self.dead.tolist(), strict=True)
        return tuple(RowLife(b, d) if d > b else None for b, d in pairs)


def row_lives(
    program: Program,
    puller: Puller,
    storages: Sequence[Storage],
    times: Mapping[int, Ints],
    end: int,
    *,
    keep_inputs: bool = False,
) -> dict[int, Lives]:
    """For each of some storages the lives of its rows.

    `times` has the positions of the steps of each layer that touches one of them, in a schedule of `end` steps. Inputs
    live from the first step on, outputs through the last, and with `keep_inputs` inputs too.
    """
    born = {s.id: np.full(s.rows, 0 if s.kind == "input" else end) for s in storages}
    dead = {s.id: np.zeros(s.rows, np.int64) for s in storages}
    for layer, when in times.items():
        touches = puller.touches(layer, len(when))
        # What a layer writes only when it is done belongs to it from its first step: kernels may clear it then.
        written, first, last = touches.write
        if written in born:
            begun = first >= 0
            born[written][begun] = np.minimum(born[written][begun], when[first[begun]])
            die(dead[written], when, last)
        for read, last in touches.reads:
            if read in dead:
                die(dead[read], when, last)
    for storage in storages:
        if storage.kind == "input":
            # The caller fills the whole input, also what nobody reads.
            np.maximum(dead[storage.id], 1, out=dead[storage.id])
        is_output = any(t in program.graph.outputs for t in storage.tensors)
        if is_output or (keep_inputs and storage.kind == "input"):
            # A model without layers still has its input and output in memory.
            np.minimum(born[storage.id], max(end - 1, 0), out=born[storage.id])
            dead[storage.id].fill(max(end, 1))
    return {key: Lives(lower, dead[key]) for key, lower in born.items()}


def die(dead: Ints, times: Ints, last: Ints) -> None:
    """Lets rows live through the last step that touches them, -1 for none; `times` are the positions of the steps."""
    touched = last >= 0
    dead[touched] = np.maximum(dead[touched], times[last[touched]] + 1)
