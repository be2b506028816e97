"""Plans MiniMalloc's challenging instances and the interleaved schedules of real networks, with the time each takes.

Run with folders of CSV files named like A.1048576.csv and of .tflite files: python -m benchmarks.plan [FOLDER ...]
Seconds are processor time, which other programs disturb less.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import tinygen.ops  # noqa: F401
from tinygen.errors import TinygenError
from tinygen.ir.op import Numerics
from tinygen.passes.pipeline import run as run_passes
from tinygen.plan.csv_io import read_csv
from tinygen.plan.model import Buffer, Plan
from tinygen.plan.solve import FILE_NODE_BUDGET, plan
from tinygen.schedule.buffers import demand
from tinygen.schedule.program import build_program
from tinygen.schedule.search import SegmentSearch
from tinygen.tflite import read_model

SHARED = Path(__file__).parents[2] / "shared"


def instance(file: Path) -> tuple[tuple[Buffer, ...], Callable[[tuple[Buffer, ...]], Plan]]:
    capacity = int(file.name.split(".")[1])
    buffers = tuple(row.buffer() for row in read_csv(file.read_text(), file.name))
    return buffers, lambda found: plan(found, capacity=capacity, node_budget=FILE_NODE_BUDGET)


def network(file: Path) -> tuple[tuple[Buffer, ...], Callable[[tuple[Buffer, ...]], Plan]]:
    """Cut where the live bytes peak least, with the fastest kernels."""
    graph = run_passes(read_model(file), None)
    kernels = tuple(
        None if op.alias else min(op.kernels(graph, Numerics.LITERT), key=lambda k: k.instructions) for op in graph.ops
    )
    program = build_program(graph, kernels)
    search = SegmentSearch(program)
    return demand(program, search.cut(search.least_peak())).buffers, plan


def main() -> int:
    folders = [Path(name) for name in sys.argv[1:]] or [SHARED / "minimalloc", SHARED / "models"]
    files = [f for folder in folders for f in sorted(folder.iterdir()) if f.suffix in (".csv", ".tflite")]
    if not files:
        print(f"no CSV or model files in {', '.join(map(str, folders))}")
        return 1
    unsolved = 0
    print(f"{'instance':<24}{'buffers':>8}{'bound':>10}{'arena':>10}{'seconds':>9}  proof")
    for file in files:
        try:
            buffers, solve = instance(file) if file.suffix == ".csv" else network(file)
        except TinygenError as fault:
            print(f"{file.name:<24}  {fault.code}: not a model that can be compiled")
            continue
        start = time.process_time()
        try:
            result = solve(buffers)
            figures, proof = (result.lower_bound, result.arena_bytes), result.proof
        except TinygenError as fault:
            figures, proof, unsolved = ("-", "-"), fault.code, unsolved + 1
        seconds = time.process_time() - start
        print(f"{file.name:<24}{len(buffers):>8}{figures[0]:>10}{figures[1]:>10}{seconds:>9.2f}  {proof}", flush=True)
    return 1 if unsolved else 0


if __name__ == "__main__":
    sys.exit(main())
