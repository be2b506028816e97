"""What a plan holds at each step of its schedule."""

from __future__ import annotations

from itertools import accumulate

from tinygen.plan.model import Buffer, Plan


def step_count(plan: Plan) -> int:
    """Steps of the schedule the plan was made for."""
    return max((rect.upper for buffer in plan.buffers for rect in buffer.rects), default=0)


def live_bytes(plan: Plan) -> tuple[int, ...]:
    """Bytes alive during each step, without alignment."""
    change = [0] * (step_count(plan) + 1)
    for buffer in plan.buffers:
        for rect in buffer.rects:
            change[rect.lower] += rect.stop - rect.start
            change[rect.upper] -= rect.stop - rect.start
    return tuple(accumulate(change))[:-1]


def life(buffer: Buffer) -> tuple[int, int]:
    """The first step a buffer is alive in, and the step after its last."""
    return min(r.lower for r in buffer.rects), max(r.upper for r in buffer.rects)


def largest_at_peak(plan: Plan, count: int) -> tuple[Buffer, ...]:
    """The largest of the buffers alive in the first step with the most bytes alive, largest first."""
    live = live_bytes(plan)
    if not live:
        return ()
    peak = live.index(max(live))
    alive = [b for b in plan.buffers if any(r.lower <= peak < r.upper for r in b.rects)]
    return tuple(sorted(alive, key=lambda b: (-b.size, b.name))[:count])
