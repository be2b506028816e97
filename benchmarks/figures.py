"""The measured figures of README.md: `python -m benchmarks.figures` prints them, `--write` puts them into it."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.compile import CompileOptions, compile_model
from tinygen.oracle import Oracle
from tinygen.project import write_project
from tinygen.report.layered import layered_plan
from tinygen.run import find_runner
from tinygen.samples import random_sample
from tinygen.tflite import read_model

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
OWN_MODELS = ROOT / "examples"
OTHER_MODELS = ROOT.parent / "shared" / "models"
"""Not part of the project; when it is there, its models are measured too."""

MODELS = ("digits", "zoo", "kws", "vww", "ic", "ad", "person_detect", "micro_speech", "hello_world_int8")
BOARDS = {"Cortex-M4": "mps2-an386", "Cortex-M7": "mps2-an500"}
COMPILERS = ("zig", "gcc")
OPTIMIZATIONS = ("-O2", "-O3")
SAMPLES = 3


@dataclass(frozen=True)
class Figure:
    """One model on one board, built one way."""

    model: str
    core: str
    compiler: str
    optimize: str
    macs: int
    arena_bytes: int
    lower_bound_bytes: int
    layered_bytes: int
    """Of the arena, were layers computed one after the other with the fastest kernels."""
    instructions: int
    """Of the first sample's inference."""
    flash_bytes: int
    """Code and constants of the minimal firmware: start-up, model, an empty main."""
    ram_bytes: int
    """Arena, variables and stack reserve of the minimal firmware."""
    mismatches: int
    """Samples of SAMPLES with an element that differs from the oracle's."""
    generate_seconds: float
    """From the model file to the project folder, planning included."""


def measure(path: Path, core: str, folder: Path) -> Iterator[Figure]:
    """Compiles a model, then builds it every way and runs it on the random samples of seed 0."""
    board = load_board(BOARDS[core])
    features = frozenset(board.features)
    start = time.perf_counter()
    tree = compile_model(path, CompileOptions(features=features))
    project = write_project(tree, board, folder / "project")
    seconds = time.perf_counter() - start
    graph, oracle = read_model(path), Oracle(path)
    samples = [random_sample(graph, seed=0, index=i) for i in range(SAMPLES)]
    expected = [oracle.run(sample) for sample in samples]
    for compiler, optimize in product(COMPILERS, OPTIMIZATIONS):
        minimal = build_project(project, folder / "build", compiler=compiler, optimize=optimize, program="minimal")
        with find_runner("unicorn").open(project, folder / "build", compiler=compiler, optimize=optimize) as session:
            instructions = session.measure(samples[0]).count
            found = [session.infer(sample) for sample in samples]
        wrong = sum(not all(map(np.array_equal, *pair)) for pair in zip(found, expected, strict=True))
        yield Figure(
            model=path.stem,
            core=core,
            compiler=compiler,
            optimize=optimize,
            macs=sum(layer.macs for layer in tree.layers),
            arena_bytes=tree.plan.arena_bytes,
            lower_bound_bytes=tree.plan.lower_bound,
            layered_bytes=layered_plan(path, CompileOptions(features=features)).arena_bytes,
            instructions=instructions,
            flash_bytes=minimal.flash_bytes,
            ram_bytes=minimal.ram_bytes,
            mismatches=wrong,
            generate_seconds=seconds,
        )


def model_file(name: str) -> Path | None:
    """The file of a model, which may itself be named; None when it is not there."""
    places = (Path(name), *(folder / f"{name}.tflite" for folder in (OWN_MODELS, OTHER_MODELS)))
    return next((path for path in places if path.is_file()), None)


def figures(paths: Sequence[Path]) -> Iterator[Figure]:
    """Every model on every board, built every way."""
    for path, core in product(paths, BOARDS):
        with TemporaryDirectory(prefix="tinygen-") as folder:
            yield from measure(path, core, Path(folder))


def line(f: Figure) -> str:
    """A figure as one line of the terminal."""
    return (
        f"{f.model:<17} {f.core:<10} {f.compiler:<4} {f.optimize:<4} {f.instructions:>11,} instructions "
        f"arena {f.arena_bytes:>7,} bound {f.lower_bound_bytes:>7,} by layers {f.layered_bytes:>7,} "
        f"flash {f.flash_bytes:>8,} RAM {f.ram_bytes:>7,} "
        f"mismatches {f.mismatches}/{SAMPLES} generated in {f.generate_seconds:.2f} s"
    )


def summary(found: Sequence[Figure]) -> str:
    """The table of models: what they need and how they run as built by default."""
    header = (
        "model",
        "multiply-adds",
        *(f"{c} instructions" for c in BOARDS),
        "arena",
        "bound",
        "by layers",
        "flash",
        "RAM",
        "exact",
    )
    rows = []
    for name in dict.fromkeys(f.model for f in found):
        own = [f for f in found if f.model == name]
        default = {f.core: f for f in own if (f.compiler, f.optimize) == (COMPILERS[0], OPTIMIZATIONS[0])}
        first = default[next(iter(BOARDS))]
        exact = f"{sum(SAMPLES - f.mismatches for f in own)} of {SAMPLES * len(own)}"
        counts = [default[core].instructions for core in BOARDS]
        sizes = (first.arena_bytes, first.lower_bound_bytes, first.layered_bytes, first.flash_bytes, first.ram_bytes)
        rows.append((name, *(f"{n:,}" for n in (first.macs, *counts, *sizes)), exact))
    return table(header, rows)


def by_build(found: Sequence[Figure]) -> str:
    """The table of instructions for every compiler and optimization."""
    columns = list(product(BOARDS, COMPILERS, OPTIMIZATIONS))
    header = ("instructions", *(f"{core[7:]} {compiler} {level}" for core, compiler, level in columns))
    counts = {(f.model, f.core, f.compiler, f.optimize): f.instructions for f in found}
    names = dict.fromkeys(f.model for f in found)
    return table(header, [(name, *(f"{counts[name, *column]:,}" for column in columns)) for name in names])


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose first column is text and the others numbers."""
    rule = ("---", *("---:" for _ in header[1:]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def replace_between(text: str, name: str, content: str) -> str:
    """The text with what is between `<!-- NAME -->` and `<!-- end of NAME -->` replaced."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise SystemExit(f"{README.name} needs the lines {begin} and {end} once")
    return re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{content}\n{end}", text, flags=re.S)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(MODELS)}; all by default")
    parser.add_argument("--write", action="store_true", help="write the tables between the markers of README.md")
    arguments = parser.parse_args()
    if arguments.write and arguments.models:
        parser.error("--write needs all models")
    files = {name: model_file(name) for name in arguments.models or MODELS}
    missing = [name for name, path in files.items() if path is None]
    for name in missing:
        print(f"{name}: left out, neither in {OWN_MODELS} nor in {OTHER_MODELS}", file=sys.stderr)
    found = []
    for figure in figures([path for path in files.values() if path is not None]):
        print(line(figure), flush=True)
        found.append(figure)
    tables = {"figures": summary(found), "builds": by_build(found)}
    print("\n" + "\n\n".join(tables.values()))
    if arguments.write and missing:
        print(f"\n{README.name} keeps its tables, as models are missing", file=sys.stderr)
    elif arguments.write:
        text = README.read_text(encoding="utf-8")
        for name, content in tables.items():
            text = replace_between(text, name, content)
        README.write_text(text, encoding="utf-8", newline="\n")
    return 1 if any(f.mismatches for f in found) else 0


if __name__ == "__main__":
    sys.exit(main())
