"""How long models and large made-up networks take to be planned: `python -m benchmarks.planning [NAME ...]`.

Seconds are processor time, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import tinygen.ops  # noqa: F401
from benchmarks.architectures import ARCHITECTURES
from tinygen.errors import TinygenError
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.passes.pipeline import run as run_passes
from tinygen.schedule.choose import Objective, choose
from tinygen.tflite import read_model

MODELS = Path(__file__).parents[2] / "shared" / "models"


def graphs(names: list[str]) -> Iterator[tuple[str, Graph]]:
    """Those whose name begins with one of `names`; of the files those whose operators are supported."""
    for name, make in ARCHITECTURES.items():
        if name.startswith(tuple(names)):
            yield name, make()
    for file in sorted(MODELS.glob("*.tflite")) if MODELS.is_dir() else ():
        if file.name.startswith(tuple(names)):
            try:
                yield file.stem, read_model(file)
            except TinygenError as fault:
                print(f"{file.stem:<20}  {fault.code}: not a model that can be compiled")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[""], help="only those that begin with one of these")
    parser.add_argument("--optimize", default="balanced", choices=[o.value for o in Objective])
    parser.add_argument("--features", nargs="*", default=[], help="of the core: dsp for Cortex-M4, dsp mve for M55")
    arguments = parser.parse_args()
    features = frozenset(arguments.features)
    print(
        f"{'network':<20}{'layers':>7}{'views':>7}{'arena':>10}{'bound':>10}{'instructions':>14}{'seconds':>9}  proof"
    )
    for name, graph in graphs(arguments.names):
        optimized = run_passes(graph)
        made = [() if op.alias else op.kernels(optimized, Numerics.LITERT) for op in optimized.ops]
        kernels = [tuple(k for k in found if k.requires <= features) for found in made]
        start = time.process_time()
        found = choose(optimized, kernels, Objective(arguments.optimize))
        seconds = time.process_time() - start
        count, plan = len(found.program.layers), found.plan
        views = sum(not op.alias for op in found.program.graph.ops) - count
        print(
            f"{name:<20}{count:>7}{views:>7}{plan.arena_bytes:>10}{plan.lower_bound:>10}{found.instructions:>14,.0f}"
            f"{seconds:>9.2f}  {plan.proof}{', exact' if found.schedule.exact else ''}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
