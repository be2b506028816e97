"""Schedules of many random graphs, replayed and compiled: `python -m benchmarks.fuzz_schedules --graphs 5000`."""

from __future__ import annotations

import argparse
import time
import traceback
from collections import Counter

from tests.schedule.cases import by_objective, plain_plan
from tests.schedule.programs import Scheduled, check
from tests.schedule.strategies import CutGraph, collect

BATCH = 100
"""Graphs whose drawn cuts are replayed at a time."""

COMPILED = 20
"""Of these, the graphs that are also scheduled for every objective and compiled into one C program."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    begin = time.process_time()
    seen: Counter[str] = Counter()
    for batch in range(-(-arguments.graphs // BATCH)):
        cases = []
        for number, cut in enumerate(collect(BATCH, start=arguments.seed + batch)):
            try:
                found = _replayed(cut, seen, every_objective=number < COMPILED)
                cases += found if number < COMPILED else []
            except Exception:
                seen["failed"] += 1
                print(f"seed {arguments.seed + batch}: {traceback.format_exc()}{cut!r}")
        try:
            check(cases)
        except AssertionError:
            seen["failed"] += 1
            print(f"seed {arguments.seed + batch}: {traceback.format_exc()}")
    counts = ", ".join(f"{count} {name}" for name, count in sorted(seen.items()))
    print(f"{counts}; {time.process_time() - begin:.0f} s")
    return 1 if seen["failed"] else 0


def _replayed(cut: CutGraph, seen: Counter[str], *, every_objective: bool) -> list[Scheduled]:
    """The graph's schedules, cut as drawn and for every objective."""
    cases = [cut.scheduled()]
    if every_objective:
        cases += by_objective(cut.graph, keep_inputs=cut.keep_inputs, rules=cut.rules)
    limit = plain_plan(cut.graph, keep_inputs=cut.keep_inputs, rules=cut.rules).arena_bytes
    for case in cases:
        case.replay()
        assert case.what == "cut" or case.plan.arena_bytes <= limit, repr(case)
        seen["rings"] += sum(case.demand.slots[s.id] < s.rows for s in case.program.storages)
        seen["views"] += sum(not op.alias for op in case.program.graph.ops) - len(case.program.layers)
        seen["layers in place"] += sum(layer.in_place for layer in case.program.layers)
        seen["landing slots"] += len(case.demand.landings)
        seen["interleaved segments"] += sum(segment.interleaved for segment in case.schedule.segments)
    seen["graphs"] += 1
    seen["schedules"] += len(cases)
    return cases


if __name__ == "__main__":
    raise SystemExit(main())
