"""When rows live: from the step that writes them through the last step that reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinygen.schedule.program import Program
from tinygen.schedule.pull import Puller
from tinygen.schedule.reach import Ints
from tinygen.schedule.steps import Step


@dataclass(frozen=True)
class RowLife:
    """A row is alive during [lower, upper), in positions of the schedule."""

    lower: int
    upper: int


def row_lives(
    program: Program, puller: Puller, steps: Sequence[Step], *, keep_inputs: bool = False
) -> dict[int, tuple[RowLife | None, ...]]:
    """For each storage the life of each of its rows; None for a row that is neither written nor read.

    Inputs live from the first step on, outputs through the last, and with `keep_inputs` inputs too.
    """
    end = len(steps)
    born = {s.id: np.full(s.rows, 0 if s.kind == "input" else end) for s in program.storages}
    dead = {s.id: np.zeros(s.rows, np.int64) for s in program.storages}
    times: dict[int, list[int]] = {}
    for time, step in enumerate(steps):
        times.setdefault(step.layer, []).extend([time] * (step.end - step.first))
    for layer, found in times.items():
        touches, when = puller.touches(layer, len(found)), np.array(found)
        # What a layer writes only when it is done belongs to it from its first step: kernels may clear it then.
        written, first, last = touches.write
        begun = first >= 0
        born[written][begun] = np.minimum(born[written][begun], when[first[begun]])
        die(dead[written], when, last)
        for read, last in touches.reads:
            die(dead[read], when, last)
    for storage in program.storages:
        if storage.kind == "input":
            # The caller fills the whole input, also what nobody reads.
            np.maximum(dead[storage.id], 1, out=dead[storage.id])
        is_output = any(t in program.graph.outputs for t in storage.tensors)
        if is_output or (keep_inputs and storage.kind == "input"):
            # A model without layers still has its input and output in memory.
            np.minimum(born[storage.id], max(end - 1, 0), out=born[storage.id])
            dead[storage.id].fill(max(end, 1))
    return {
        key: tuple(RowLife(b, d) if d > b else None for b, d in zip(lower.tolist(), dead[key].tolist(), strict=True))
        for key, lower in born.items()
    }


def die(dead: Ints, times: Ints, last: Ints) -> None:
    """Lets rows live through the last step that touches them, -1 for none; `times` are the positions of the steps."""
    touched = last >= 0
    dead[touched] = np.maximum(dead[touched], times[last[touched]] + 1)
