"""Places buffers in an arena: greedy orders first, and an exact search where these do not reach the lower bound."""

from __future__ import annotations

from collections.abc import Sequence

from tinygen.errors import TinygenError, error
from tinygen.plan.heuristics import height, orders, place
from tinygen.plan.model import Buffer, Plan
from tinygen.plan.orient import Orienter
from tinygen.plan.problem import Problem, build_problem
from tinygen.plan.search import prepare, search
from tinygen.plan.validate import validate

NODE_BUDGET = 20_000
"""Nodes the search may visit by default; nodes and not seconds, so that a plan is the same on every machine."""
_WORK_PER_NODE = 50
"""Visits of a disjunction for each node; that costs much less than a node, and learns as much."""


def plan(buffers: Sequence[Buffer], *, capacity: int | None = None, node_budget: int = NODE_BUDGET) -> Plan:
    """Choose an offset for every buffer such that no two overlap, in the smallest arena found.

    `capacity` in bytes asks for any plan that small and stops there; TG305 when there is none or none was found. The
    arena is rounded up to the common divisor of all alignments. Raises TG304 when the buffers themselves or the pinned
    offsets contradict each other. The result has passed the validator.
    """
    buffers = tuple(buffers)
    _check(buffers)
    problem = build_problem(buffers)
    bound = problem.floor()
    goal = bound if capacity is None else max(bound, capacity // problem.grain)
    best = _greedy(problem, goal)
    if height(problem, best) > goal and node_budget > 0:
        best, bound = _improve(problem, best, goal, bound, capacity, node_budget)
    arena = height(problem, best) * problem.grain
    if capacity is not None and arena > capacity:
        raise _too_small(buffers, arena, bound * problem.grain, capacity)
    gap = arena - bound * problem.grain
    result = Plan(
        buffers=buffers,
        offsets=tuple(offset * problem.grain for offset in best),
        arena_bytes=arena,
        lower_bound=problem.live_bound * problem.grain,
        proof=f"gap {gap}" if gap else "optimal",
    )
    validate(result)
    return result


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


def _improve(
    problem: Problem, best: list[int], goal: int, bound: int, capacity: int | None, node_budget: int
) -> tuple[list[int], int]:
    """Search for lower placements; the best found, and the height below which there is none.

    First which buffer lies above which, as that sees how shapes interlock; then, if no shapes do, placement in
    ascending order, as that sees how much must fit. With a capacity the only question is whether there is a placement
    that low. Otherwise the bound itself is tried first, with half of the budget, then heights halfway between what is
    known to be too low and what has been reached.
    """
    if bound > goal:
        return best, bound
    orienter = Orienter(problem, best)
    left = node_budget * _WORK_PER_NODE // (1 if capacity is None else 10)
    limit, least = goal, bound
    while left > 0 and least < height(problem, best):
        before = orienter.work
        found = orienter.within(limit, max(1, left // 2))
        left -= max(1, orienter.work - before)
        best, bound, least = _judge(problem, best, bound, least, limit, found.offsets, found.proven)
        if capacity is not None:
            break
        limit = (least + height(problem, best) - 1) // 2
    refuted = capacity is not None and bound > goal
    if refuted or height(problem, best) <= max(goal, bound) or not problem.boxes():
        return best, bound
    parts = prepare(problem)
    limit, least, left = max(goal, bound), bound, node_budget
    while left > 0 and least < height(problem, best):
        outcome = search(problem, parts, limit, left if capacity is not None else max(1, left // 2))
        left -= max(1, outcome.nodes)
        best, bound, least = _judge(problem, best, bound, least, limit, outcome.offsets, outcome.proven)
        if capacity is not None:
            break
        limit = (least + height(problem, best) - 1) // 2
    return best, bound


def _judge(
    problem: Problem,
    best: list[int],
    bound: int,
    least: int,
    limit: int,
    offsets: Sequence[int] | None,
    proven: bool,
) -> tuple[list[int], int, int]:
    """The best placement, the proven bound and the least height worth trying, after a search within `limit`."""
    if offsets is not None:
        return list(offsets), bound, least
    return best, max(bound, limit + 1) if proven else bound, limit + 1


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


def _too_small(buffers: tuple[Buffer, ...], arena: int, bound: int, capacity: int) -> TinygenError:
    largest = sorted(buffers, key=lambda buffer: -buffer.size)[:3]
    listed = ", ".join(f"'{buffer.name}' ({buffer.size} bytes)" for buffer in largest)
    needed = f"at least {bound} bytes" if bound > capacity else f"{arena} bytes by the smallest plan found"
    return error("TG305", f"needed {needed}, available {capacity}; the largest buffers are {listed}")
