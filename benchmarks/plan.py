"""Plans MiniMalloc's challenging instances and the interleaved schedules of real networks, with the time each takes.

Run with folders of CSV files named like A.1048576.csv and of .tflite files: python -m benchmarks.plan [FOLDER ...]
Seconds are processor time, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import tinygen.ops  # noqa: F401
from benchmarks.allocations import PIECES, pieces, variants
from tinygen.errors import TinygenError
from tinygen.ir.op import Numerics
from tinygen.passes.pipeline import run as run_passes
from tinygen.plan.csv_io import Row, read_csv
from tinygen.plan.model import Buffer
from tinygen.plan.solve import FILE_NODE_BUDGET, NODE_BUDGET, plan
from tinygen.schedule.buffers import demand
from tinygen.schedule.program import build_program
from tinygen.schedule.search import SegmentSearch
from tinygen.tflite import read_model

SHARED = Path(__file__).parents[2] / "shared"


def instances(files: Sequence[Path], with_variants: bool) -> Iterator[tuple[str, tuple[Buffer, ...], int]]:
    """Name, buffers and capacity of each allocation file and, if wanted, of its variants and of made-up ones."""
    for file in files:
        rows, capacity = read_csv(file.read_text(), file.name), int(file.name.split(".")[1])
        yield file.name, _buffers(rows), capacity
        for name, variant in variants(rows) if with_variants else ():
            yield f"{file.name.split('.')[0]} {name}", _buffers(variant), capacity
    for count in PIECES if with_variants else ():
        rows, capacity = pieces(count)
        yield f"{count} pieces", _buffers(rows), capacity


def _buffers(rows: Sequence[Row]) -> tuple[Buffer, ...]:
    return tuple(row.buffer() for row in rows)


def networks(files: Sequence[Path]) -> Iterator[tuple[str, tuple[Buffer, ...]]]:
    """Name and buffers of each model, cut where the live bytes peak least, with the fastest kernels."""
    for file in files:
        try:
            graph = run_passes(read_model(file), None)
            kernels = tuple(
                None if op.alias else min(op.kernels(graph, Numerics.LITERT), key=lambda k: k.instructions)
                for op in graph.ops
            )
        except TinygenError as fault:
            print(f"{file.name:<24}  {fault.code}: not a model that can be compiled")
            continue
        program = build_program(graph, kernels)
        search = SegmentSearch(program)
        yield file.name, demand(program, search.cut(search.least_peak())).buffers


def show(name: str, buffers: Sequence[Buffer], capacity: int | None, node_budget: int) -> bool:
    """Plan and print a line; whether there was a plan."""
    start = time.process_time()
    try:
        found = plan(buffers, capacity=capacity, node_budget=node_budget)
        figures, proof = (found.lower_bound, found.arena_bytes), found.proof
    except TinygenError as fault:
        figures, proof = ("-", "-"), fault.code
    seconds = time.process_time() - start
    print(f"{name:<24}{len(buffers):>8}{figures[0]:>10}{figures[1]:>10}{seconds:>9.2f}  {proof}", flush=True)
    return figures[1] != "-"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=[SHARED / "minimalloc", SHARED / "models"])
    parser.add_argument(
        "--variants", action="store_true", help="variants of the allocation files too, and made-up ones"
    )
    parser.add_argument(
        "--smallest", action="store_true", help="the least height of allocation files, not any that fits"
    )
    chosen = parser.parse_args()
    files = sorted(file for folder in chosen.folders for file in folder.iterdir())
    tables, models = ([file for file in files if file.suffix == suffix] for suffix in (".csv", ".tflite"))
    if not tables and not models:
        print(f"no CSV or model files in {', '.join(map(str, chosen.folders))}")
        return 1
    print(f"{'instance':<24}{'buffers':>8}{'bound':>10}{'arena':>10}{'seconds':>9}  proof")
    solved = [
        show(name, buffers, None if chosen.smallest else capacity, FILE_NODE_BUDGET)
        for name, buffers, capacity in instances(tables, chosen.variants)
    ]
    solved += [show(name, buffers, None, NODE_BUDGET) for name, buffers in networks(models)]
    print(f"{sum(solved)} of {len(solved)} solved")
    return 0 if all(solved) else 1


if __name__ == "__main__":
    sys.exit(main())
