"""Reads many damaged models and runs the passes on them: `python -m benchmarks.fuzz_reader --cases 20000`."""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
import tracemalloc
from collections import Counter

from tests.tflite.mutate import KINDS, Mutation, mutate, seeds
from tinygen.errors import TinygenError
from tinygen.passes.pipeline import run
from tinygen.tflite import read_bytes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    outcomes: Counter[str] = Counter()
    slowest, largest = (0.0, 0), 0.0
    failures = 0
    for case in range(arguments.cases):
        generator = random.Random(f"{arguments.seed}:{case}")
        seed = generator.randrange(len(seeds()))
        mutations = tuple(
            Mutation(generator.choice(KINDS), generator.getrandbits(32), generator.getrandbits(32))
            for _ in range(generator.randint(1, 4))
        )
        data = mutate(seed, mutations)
        tracemalloc.start()
        begin = time.process_time()
        try:
            run(read_bytes(data, "damaged.tflite"))
            outcomes["read"] += 1
        except TinygenError as problem:
            outcomes[problem.code] += 1
        except Exception:
            failures += 1
            outcomes["FAILED"] += 1
            print(f"case {case}: seed {seed}, {mutations}", file=sys.stderr)
            traceback.print_exc()
        slowest = max(slowest, (time.process_time() - begin, case))
        # What remains below one megabyte is the cost of any file, however small.
        largest = max(largest, (tracemalloc.get_traced_memory()[1] - (1 << 20)) / max(len(data), 1))
        tracemalloc.stop()
    print(f"{arguments.cases} cases, slowest {slowest[0]:.2f} s of processor time (case {slowest[1]})")
    print(f"most memory 1 MiB + {max(largest, 0):.1f} x file size")
    print(", ".join(f"{name} {count}" for name, count in sorted(outcomes.items())))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
