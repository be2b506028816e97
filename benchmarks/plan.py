"""Solves MiniMalloc's challenging instances at their capacity and prints how long each takes.

Run with the folder of CSV files named like A.1048576.csv: python benchmarks/plan.py [FOLDER]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tinygen.errors import TinygenError
from tinygen.plan.csv_io import read_csv
from tinygen.plan.solve import plan

NODE_BUDGET = 1_000_000


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared" / "minimalloc"
    files = sorted(folder.glob("*.csv"))
    if not files:
        print(f"no CSV files in {folder}")
        return 1
    failed = 0
    print(f"{'instance':<16}{'buffers':>8}{'bound':>10}{'arena':>10}{'seconds':>9}")
    for file in files:
        capacity = int(file.name.split(".")[1])
        buffers = read_csv(file.read_text(), file.name)
        start = time.perf_counter()
        try:
            result = plan(buffers, capacity=capacity, node_budget=NODE_BUDGET)
            bound, arena = str(result.lower_bound), str(result.arena_bytes)
        except TinygenError as fault:
            bound, arena, failed = "-", fault.code, failed + 1
        seconds = time.perf_counter() - start
        print(f"{file.name:<16}{len(buffers):>8}{bound:>10}{arena:>10}{seconds:>9.2f}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
