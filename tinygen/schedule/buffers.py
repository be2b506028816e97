"""What a schedule asks of the arena: every storage, accumulator and scratch as a buffer of the memory planner."""

from __future__ import annotations

from collections.abc import Iterator

from tinygen.plan.model import Buffer, Rect
from tinygen.schedule.program import Access, Program
from tinygen.schedule.steps import Schedule, Step

ALIGNMENT = 4
"""Of every buffer, in bytes: kernels read words, and users may hand an input to a DMA controller."""


def buffers(program: Program, schedule: Schedule, *, keep_inputs: bool = False) -> tuple[Buffer, ...]:
    """Buffers over time, the step's position in the schedule being its time; storages first, in the program's order.

    A storage lives from the step that first writes it through the last step that reads it; inputs from the first step
    on, outputs through the last. With `keep_inputs` inputs outlive the inference too.
    """
    end = len(schedule.steps)
    lives = {s.id: [end, 0] for s in program.storages}
    for time, step in enumerate(schedule.steps):
        layer = program.layers[step.layer]
        for access in (*layer.reads, layer.write):
            if access.storage is not None:
                life = lives[access.storage]
                life[:] = min(life[0], time), max(life[1], time + 1)
    result = []
    for storage in program.storages:
        lower, upper = lives[storage.id]
        if storage.kind == "input":
            lower, upper = 0, end if keep_inputs else max(upper, 1)
        if any(t in program.graph.outputs for t in storage.tensors):
            lower, upper = min(lower, end - 1), end
        rect = Rect(lower, upper, 0, storage.nbytes)
        result.append(Buffer(storage.name, storage.nbytes, (rect,), ALIGNMENT, storage.kind))
    return (*result, *_working_memory(program, schedule))


def accesses(program: Program, step: Step) -> Iterator[Access]:
    """Everything a step reads or writes."""
    layer = program.layers[step.layer]
    yield from layer.reads
    yield layer.write


def _working_memory(program: Program, schedule: Schedule) -> Iterator[Buffer]:
    """Accumulators, alive from a layer's first step to its last, and scratch, alive in each of its steps."""
    times: dict[int, list[int]] = {}
    for time, step in enumerate(schedule.steps):
        times.setdefault(step.layer, []).append(time)
    for index, when in sorted(times.items()):
        layer = program.layers[index]
        name, call = layer.op.output(program.graph).name, layer.call
        if call.accumulator_bytes:
            rect = Rect(when[0], when[-1] + 1, 0, call.accumulator_bytes)
            yield Buffer(accumulator_name(name), call.accumulator_bytes, (rect,), ALIGNMENT, "accumulator")
        if call.scratch_bytes:
            rects = tuple(Rect(t, t + 1, 0, call.scratch_bytes) for t in when)
            yield Buffer(scratch_name(name), call.scratch_bytes, rects, ALIGNMENT, "scratch")


def accumulator_name(output: str) -> str:
    """The buffer of the accumulators of the layer that makes `output`."""
    return f"{output} (accumulators)"


def scratch_name(output: str) -> str:
    """The buffer of the scratch memory of the layer that makes `output`."""
    return f"{output} (scratch)"
