"""Streams of a little sense into the bench firmware under sanitizers: `python -m benchmarks.fuzz_firmware`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.emulated.host_bench import build_host_bench, fuzz
from tests.emulated.trivial_model import trivial_tree
from tinygen.boards import load_board
from tinygen.project import write_project

_PER_PROCESS = 50_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        bench = build_host_bench(write_project(trivial_tree(), load_board("mps2-an386"), Path(folder)))
        for first in range(0, arguments.streams, _PER_PROCESS):
            count = min(_PER_PROCESS, arguments.streams - first)
            said = fuzz(bench, count, arguments.seed * arguments.streams + first)
            if said[-1:] != [b"m-ready"] or not said[-3].startswith(b"tg hello "):
                print(f"after {count} streams of seed {first} the firmware answers {said[-3:]}", file=sys.stderr)
                return 1
    print(f"{arguments.streams} streams, no finding, {time.monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
