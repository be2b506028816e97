"""What a plan holds at each step of its schedule."""

from __future__ import annotations

from itertools import accumulate, pairwise

from tinygen.plan.model import Buffer, Plan


def step_count(plan: Plan) -> int:
    """Steps of the schedule the plan was made for."""
    return max((rect.upper for buffer in plan.buffers for rect in buffer.rects), default=0)


def live_stretches(plan: Plan) -> tuple[tuple[int, int, int], ...]:
    """Stretches of steps [lower, upper) from step 0 on with the bytes alive in each of their steps, without alignment.

    A file's steps may be nanoseconds: there can be many more of them than of these.
    """
    change = {0: 0}
    for buffer in plan.buffers:
        for rect in buffer.rects:
            change[rect.lower] = change.get(rect.lower, 0) + rect.stop - rect.start
            change[rect.upper] = change.get(rect.upper, 0) - rect.stop + rect.start
    times = sorted(change)
    alive = accumulate(change[time] for time in times)
    return tuple((lower, upper, live) for (lower, upper), live in zip(pairwise(times), alive, strict=False))


def live_bytes(plan: Plan) -> tuple[int, ...]:
    """Bytes alive during each step, without alignment."""
    return tuple(live for lower, upper, live in live_stretches(plan) for _ in range(lower, upper))


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
