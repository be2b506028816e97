"""What a schedule asks of the arena: every storage, accumulator and scratch as a buffer of the memory planner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinygen.plan.model import Buffer, Rect
from tinygen.schedule.program import Program, Storage
from tinygen.schedule.steps import Schedule

ALIGNMENT = 4
"""Of every buffer, in bytes: kernels read words, and users may hand an input to a DMA controller."""


@dataclass(frozen=True, eq=False)
class Demand:
    """The buffers of a schedule, and which of them is what: positions in `buffers` by storage id or layer position."""

    buffers: tuple[Buffer, ...]
    storages: Mapping[int, int]
    accumulators: Mapping[int, int]
    scratch: Mapping[int, int]


def demand(program: Program, schedule: Schedule, *, keep_inputs: bool = False) -> Demand:
    """Buffers over time, the position in the schedule being the time.

    A storage lives from the step that first writes it through the last step that reads it; inputs from the first step
    on, outputs through the last. With `keep_inputs` inputs outlive the inference too. Accumulators live from a layer's
    first step through its last, scratch in each of them.
    """
    found: list[Buffer] = []

    def add(name: str, kind: str, size: int, rects: tuple[Rect, ...]) -> int:
        found.append(Buffer(name, size, rects, ALIGNMENT, kind))
        return len(found) - 1

    lives = _lives(program, schedule, keep_inputs)
    storages, accumulators, scratch = {}, {}, {}
    for storage in program.storages:
        rect = Rect(*lives[storage.id], 0, storage.nbytes)
        storages[storage.id] = add(storage.name, storage.kind, storage.nbytes, (rect,))
    for index, layer in enumerate(program.layers):
        times = [time for time, step in enumerate(schedule.steps) if step.layer == index]
        name, call = layer.op.output(program.graph).name, layer.call
        if size := call.accumulator_bytes:
            rects: tuple[Rect, ...] = (Rect(times[0], times[-1] + 1, 0, size),)
            accumulators[index] = add(f"{name} (accumulators)", "accumulator", size, rects)
        if size := call.scratch_bytes:
            rects = tuple(Rect(time, time + 1, 0, size) for time in times)
            scratch[index] = add(f"{name} (scratch)", "scratch", size, rects)
    return Demand(tuple(found), storages, accumulators, scratch)


def _lives(program: Program, schedule: Schedule, keep_inputs: bool) -> dict[int, tuple[int, int]]:
    end = len(schedule.steps)
    touched: dict[int, list[int]] = {s.id: [] for s in program.storages}
    for time, step in enumerate(schedule.steps):
        layer = program.layers[step.layer]
        for access in (*layer.reads, layer.write):
            if access.storage is not None:
                touched[access.storage].append(time)
    return {s.id: _life(program, s, touched[s.id], end, keep_inputs) for s in program.storages}


def _life(program: Program, storage: Storage, touched: list[int], end: int, keep_inputs: bool) -> tuple[int, int]:
    from_start = storage.kind == "input"
    to_end = any(t in program.graph.outputs for t in storage.tensors) or (from_start and keep_inputs)
    lower = 0 if from_start else min(touched)
    upper = end if to_end else max(touched, default=0) + 1
    # Even a model without layers has its input and output in memory.
    return lower, max(upper, lower + 1)
