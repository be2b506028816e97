"""Arenas and instructions of every model: `python -m benchmarks.arenas` prints them, `--write` changes docs/rows.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from docs.markers import replace_between
from tinygen.bench import Benchmark, bench
from tinygen.boards import Board, load_board
from tinygen.compile import CompileOptions
from tinygen.errors import TinygenError
from tinygen.report.layered import layered_plan
from tinygen.schedule.choose import Objective

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "rows.md"
PLACES = (ROOT / "examples", ROOT.parent / "shared" / "models")
"""The project's own models, and others that are not part of it."""
BOARD = "mps2-an386"
ORDER = (Objective.SPEED, Objective.BALANCED, Objective.RAM)
ARENAS = ("model", "by layers", "`speed`", "`balanced`", "`ram`", "its bound", "proof", "tflite-micro", "published")
COSTS = ("model", "`speed`", "`balanced`", "`ram`")

PUBLISHED = {
    "kws": (22_772, "16,000 (Bosch HALE)"),
    "vww": (100_660, "55,296 (Bosch HALE)"),
    "ic": (54_340, "36,560 (Bosch HALE); 21,104 at 1.84 times the time"),
    "ad": (2_260, "768 (Bosch HALE)"),
    "person_detect": (82_292, ""),
    "mcunet_vww": (219_744, ""),
    "micro_speech": (6_788, ""),
    "hello_world_int8": (676, ""),
    "digits": (None, ""),
    "zoo": (None, ""),
}
"""By model: the arena that tflite-micro (2026-08, reference kernels, Cortex-M4) uses, measured, and the least peak of
activation memory published for MLPerf Tiny."""


def measure(name: str, path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A model's cells in the table of arenas and in that of instructions."""
    board = load_board(BOARD)
    found = {o: measured(path, CompileOptions(optimize=o), board) for o in Objective}
    wrong = [o.value for o, b in found.items() if not b.outputs_match]
    if wrong:
        raise SystemExit(f"{name}: outputs differ with {', '.join(wrong)}")
    layered = layered_plan(path, CompileOptions(features=frozenset(board.features)))
    least = found[Objective.RAM]
    micro, published = PUBLISHED[name]
    sizes = (layered.arena_bytes, *(found[o].arena_bytes for o in ORDER), least.lower_bound_bytes)
    known = (f"{micro:,}" if micro else "", published)
    counts = [found[o].instructions or 0 for o in ORDER]
    more = [f"{n:,} ({100 * n / counts[0] - 100:+.1f} %)" for n in counts[1:]]
    return (name, *(f"{size:,}" for size in sizes), least.proof, *known), (name, f"{counts[0]:,}", *more)


def measured(path: Path, options: CompileOptions, board: Board) -> Benchmark:
    """One inference on Unicorn; raises what prevents it."""
    _, found = next(bench((path,), options, board, ("unicorn",)))
    if isinstance(found, TinygenError):
        raise found
    return found[0].benchmark


def table(header: Sequence[str], rows: Sequence[Sequence[str]], text: Sequence[str]) -> str:
    """A Markdown table; the columns named in `text` hold no numbers."""
    rule = tuple("---" if name in text else "---:" for name in header)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def files() -> Iterator[tuple[str, Path | None]]:
    """Every model's file, None where it is not there."""
    for name in PUBLISHED:
        yield name, next((p for place in PLACES if (p := place / f"{name}.tflite").is_file()), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables between the markers of docs/rows.md")
    arguments = parser.parse_args()
    arenas, costs, missing = [], [], []
    for name, path in files():
        if path is None:
            missing.append(name)
            continue
        arena, cost = measure(name, path)
        print("  ".join((*arena, *cost[1:])), flush=True)
        arenas.append(arena)
        costs.append(cost)
    if missing:
        print(f"left out, as the files are not there: {', '.join(missing)}", file=sys.stderr)
    if arguments.write and missing:
        print(f"{PAGE.name} keeps its tables", file=sys.stderr)
    elif arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        page = replace_between(page, "arenas", table(ARENAS, arenas, ("model", "proof", "published")))
        page = replace_between(page, "costs", table(COSTS, costs, ("model",)))
        PAGE.write_text(page, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
