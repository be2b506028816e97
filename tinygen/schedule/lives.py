"""When rows live: from the step that writes them through the last step that reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinygen.schedule.program import Program
from tinygen.schedule.pull import Puller
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
    born: dict[int, list[int]] = {}
    dead: dict[int, list[int]] = {}
    for storage in program.storages:
        born[storage.id] = [0 if storage.kind == "input" else end] * storage.rows
        dead[storage.id] = [0] * storage.rows
    for time, step in enumerate(steps):
        write = puller.write(step.layer)
        last = program.layers[step.layer].rows.steps
        for index in range(step.first, step.end):
            for read in puller.reads(step.layer):
                upper = dead[read.storage.id]
                for row in read.taps(index):
                    upper[row] = time + 1
            # What a layer writes only when it is done belongs to it from its first step: kernels may clear it then.
            rows = write.taps(index) if write.access.window is not None or index in (0, last - 1) else []
            lower, upper = born[write.storage.id], dead[write.storage.id]
            for row in rows:
                lower[row] = min(lower[row], time)
                upper[row] = max(upper[row], time + 1)
    for storage in program.storages:
        if storage.kind == "input":
            # The caller fills the whole input, also what nobody reads.
            dead[storage.id] = [max(d, 1) for d in dead[storage.id]]
        is_output = any(t in program.graph.outputs for t in storage.tensors)
        if is_output or (keep_inputs and storage.kind == "input"):
            # A model without layers still has its input and output in memory.
            born[storage.id] = [min(b, max(end - 1, 0)) for b in born[storage.id]]
            dead[storage.id] = [max(end, 1)] * storage.rows
    return {
        key: tuple(RowLife(b, d) if d > b else None for b, d in zip(lower, dead[key], strict=True))
        for key, lower in born.items()
    }
