"""Places buffers in an arena: greedy orders first, and an exact search where these do not reach the lower bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from tinygen.errors import TinygenError, error
from tinygen.plan.ascend import Ascent
from tinygen.plan.heuristics import height, orders, place
from tinygen.plan.live import life
from tinygen.plan.model import Buffer, Plan, Rect
from tinygen.plan.orient import Orienter
from tinygen.plan.problem import Outcome, Problem, build_problem, busiest, common_grain
from tinygen.plan.search import prepare, search
from tinygen.plan.validate import validate

NODE_BUDGET = 20_000
"""Nodes the search may visit by default; nodes and not seconds, so that a plan is the same on every machine."""
FILE_NODE_BUDGET = 400_000
"""For a question somebody waits for: a file's buffers in a given capacity. About 20 s before it gives up."""
_FIRST_SHARE = 1_000
_SHARE_GROWTH = 1.3
_LISTED = 3
"""Buffers that an error names."""


def plan(buffers: Sequence[Buffer], *, capacity: int | None = None, node_budget: int = NODE_BUDGET) -> Plan:
    """Choose an offset for every buffer such that no two overlap, in the smallest arena found.

    `capacity` in bytes asks for any plan that small and stops there; TG305 when there is none or none was found. The
    arena is rounded up to the common divisor of all alignments. Raises TG304 when the buffers themselves or the pinned
    offsets contradict each other. The result has passed the validator.
    """
    result = sketch(buffers, capacity=capacity, node_budget=node_budget)
    validate(result)
    return result


def sketch(buffers: Sequence[Buffer], *, capacity: int | None = None, node_budget: int) -> Plan:
    """The same without the validator, which finds out about pins on one another: for plans that are only compared."""
    buffers = tuple(buffers)
    _check(buffers)
    order = list(range(len(buffers)))
    if all(len(buffer.rects) == 1 for buffer in buffers):
        order.sort(key=lambda i: _canonical(buffers[i]))
    grain = common_grain(buffers)
    groups = [(members, build_problem([buffers[i] for i in members], grain)) for members in _groups(buffers, order)]
    groups.sort(key=lambda group: -group[1].floor())
    bound = max((problem.floor() for _, problem in groups), default=0)
    if capacity is not None and bound * grain > capacity:
        members, problem = groups[0]
        raise _impossible(problem, [buffers[i] for i in members], capacity)
    goal = bound if capacity is None else capacity // grain
    offsets, reached, nodes = [0] * len(buffers), 0, node_budget
    for members, problem in groups:
        best = _greedy(problem, max(goal, reached))
        if height(problem, best) > max(goal, reached) and nodes > 0:
            wide = _without_gaps([buffers[i] for i in members], grain)
            best, least, nodes = _improve(problem, wide, best, max(goal, reached), capacity, nodes)
            bound = max(bound, least)
        reached = max(reached, height(problem, best))
        for i, offset in zip(members, best, strict=True):
            offsets[i] = offset * grain
    arena, live = reached * grain, max((problem.live_bound for _, problem in groups), default=0) * grain
    if capacity is not None and arena > capacity:
        raise _not_found(arena, bound * grain, live, capacity)
    gap = arena - bound * grain
    proof = f"gap {gap}" if gap else "optimal"
    return Plan(buffers, tuple(offsets), arena, lower_bound=live, proof=proof)


def _groups(buffers: Sequence[Buffer], order: Sequence[int]) -> list[list[int]]:
    """The buffers in groups that share no step, so that where one is placed does not matter for the other."""
    lives = [life(buffer) if buffer.rects else (0, 0) for buffer in buffers]
    group_of = [0] * len(buffers)
    group = end = 0
    for i in sorted(order, key=lives.__getitem__):
        if lives[i][0] >= end:
            group += 1
        group_of[i] = group
        end = max(end, lives[i][1])
    groups: dict[int, list[int]] = {}
    for i in order:
        groups.setdefault(group_of[i], []).append(i)
    return list(groups.values())


def _canonical(buffer: Buffer) -> tuple[int, ...]:
    """What a box is apart from its name: in this order the rows of a file can be shuffled without effect."""
    (rect,) = buffer.rects
    return rect.lower, rect.upper, buffer.size, buffer.alignment, -1 if buffer.pinned is None else buffer.pinned


def _greedy(problem: Problem, goal: int) -> list[int]:
    """The lowest of the greedy placements, or the first that reaches `goal`."""
    best: list[int] | None = None
    for order in orders(problem):
        offsets = place(problem, order)
        if best is None or height(problem, offsets) < height(problem, best):
            best = offsets
        if height(problem, best) <= goal:
            break
    assert best is not None
    return best


def _without_gaps(buffers: Sequence[Buffer], grain: int) -> Problem | None:
    """The problem that is left when every buffer keeps all its bytes all its life; None where they do anyway.

    A placement for it is one for the buffers as they are, and often easier to find than one that uses their gaps.
    """
    if all(len(buffer.rects) <= 1 for buffer in buffers):
        return None
    return build_problem([replace(b, rects=(Rect(*life(b), 0, b.size),)) if b.rects else b for b in buffers], grain)


def _improve(
    problem: Problem, wide: Problem | None, best: list[int], goal: int, capacity: int | None, nodes: int
) -> tuple[list[int], int, int]:
    """Search for lower placements; the best found, the height below which there is none, and the nodes left.

    Where shapes interlock, over which buffer lies above which. Where all are like boxes, in ascending address, as that
    sees how much must fit.
    """
    within = _in_turns(problem, wide) if problem.boxes() else Orienter(problem, best).within
    return _lower(problem, within, best, goal, capacity, nodes)


def _in_turns(problem: Problem, wide: Problem | None) -> Callable[[int, int], Outcome]:
    """Several searches in turns with growing shares: beside one that fails for hours another succeeds at once.

    Those with restarts differ in which of equals comes first: one that lives long, or one of tight sections.
    """
    parts = prepare(problem)
    turns: list[Callable[[int, int], Outcome]] = [
        Ascent(problem, parts[0], tightest=False).within,
        Ascent(problem, parts[0], tightest=True).within,
        partial(search, problem, parts),
    ]
    roomy = None if wide is None else Ascent(wide, prepare(wide)[0], tightest=False).within

    def within(limit: int, nodes: int) -> Outcome:
        spent, share = 0, float(_FIRST_SHARE)
        trying = [*turns, roomy] if roomy and wide and wide.floor() <= limit else turns
        while spent < nodes:
            for attempt in trying:
                outcome = attempt(limit, max(1, min(int(share), nodes - spent)))
                spent += max(1, outcome.nodes)
                if outcome.proven:
                    return Outcome(outcome.offsets, True, spent)
            share *= _SHARE_GROWTH
        return Outcome(None, False, spent)

    return within


def _lower(
    problem: Problem,
    within: Callable[[int, int], Outcome],
    best: list[int],
    goal: int,
    capacity: int | None,
    nodes: int,
) -> tuple[list[int], int, int]:
    """Lower placements by one kind of search: `within(limit, nodes)`.

    With a capacity the only question is whether there is a placement that low. Otherwise the goal itself is tried
    first, with half of the budget, then heights halfway between what is known to be too low and what has been reached.
    """
    limit, least = goal, goal
    bound = problem.floor()
    while nodes > 0 and least < height(problem, best) and height(problem, best) > goal:
        outcome = within(limit, nodes if capacity is not None else max(1, nodes // 2))
        nodes -= max(1, outcome.nodes)
        if outcome.offsets is not None:
            best = list(outcome.offsets)
        else:
            least = limit + 1
            if outcome.proven:
                bound = least
        if capacity is not None:
            break
        limit = (least + height(problem, best) - 1) // 2
    return best, bound, max(0, nodes)


def _check(buffers: tuple[Buffer, ...]) -> None:
    """Pinned offsets that cannot be are found by the validator once everything else is placed around them."""
    for buffer in buffers:
        if buffer.alignment < 1:
            raise error("TG304", f"buffer '{buffer.name}' has alignment {buffer.alignment}, which must be at least 1")
        if buffer.pinned is not None and (buffer.pinned < 0 or buffer.pinned % buffer.alignment):
            raise error(
                "TG304",
                f"buffer '{buffer.name}' is pinned at offset {buffer.pinned}, "
                f"which is not a multiple of its alignment {buffer.alignment}",
            )


def _impossible(problem: Problem, buffers: Sequence[Buffer], capacity: int) -> TinygenError:
    """Without a search: what is alive in one step needs more than the capacity, or where one buffer is pinned."""
    needed = problem.floor() * problem.grain
    if needed > problem.live_bound * problem.grain:
        last = max(buffers, key=lambda buffer: buffer.size + (buffer.pinned or 0))
        pinned = f", pinned at offset {last.pinned}" if last.pinned else ""
        why = f"that is where '{last.name}' of {last.size} bytes{pinned} ends"
    else:
        lower, upper, held = busiest(problem)
        most = sorted(held, key=lambda i: -held[i])[:_LISTED]
        listed = ", ".join(f"'{buffers[i].name}' ({held[i]} bytes)" for i in most)
        steps = f"step {lower}" if upper == lower + 1 else f"each of steps {lower} to {upper - 1}"
        beside = f", the largest of {len(held)}" if len(held) > len(most) else ""
        why = f"so much is alive in {steps}: {listed}{beside}"
    return error("TG305", f"needed at least {needed} bytes, available {capacity}; {why}")


def _not_found(arena: int, bound: int, live: int, capacity: int) -> TinygenError:
    """After a search: there is no such plan, or none was found with the nodes that could be spent."""
    if bound > capacity:
        why = f"the live bytes alone would need {live}, but no placement of these buffers is within the capacity"
        return error("TG305", f"needed at least {bound} bytes, available {capacity}; {why}")
    found = f"the smallest plan found needs {arena} bytes, {arena - capacity} more than the capacity of {capacity}"
    why = f"there may be one, as the live bytes need only {live}, but none was found within the search's budget"
    return error("TG305", f"{found}; {why}")
