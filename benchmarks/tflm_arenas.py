"""The arena of tflite-micro by its plan and by ours: `python -m benchmarks.tflm_arenas`; `--write` changes backends.md.

Needs TFLM_DIR, CMSIS_NN_DIR and arm-none-eabi-g++.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.arenas import PLACES, table
from docs.markers import replace_between
from tinygen.arena import used_bytes
from tinygen.backends.literals import array
from tinygen.backends.tflm.greedy import greedy_bytes
from tinygen.backends.tflm.planning import plan_tensors
from tinygen.boards import load_board
from tinygen.compile import CompileOptions, compile_graph
from tinygen.project import write_project
from tinygen.schedule.choose import Objective
from tinygen.source_tree import SourceTree
from tinygen.target import for_board
from tinygen.tflite import read_model

PAGE = Path(__file__).resolve().parents[1] / "docs" / "backends.md"
BOARD = "mps2-an386"
MODELS = (
    *("kws", "vww", "ic", "ad", "person_detect", "micro_speech", "hello_world_int8", "mcunet_vww", "lstm_int8"),
    "svdf_keyword",
)
HEADER = ("model", "own plan", "whole tensors", "its bound", "by rows")
USED = (
    *("model", "`tflm`, own plan", "tinygen's", "`--optimize ram`"),
    *("`tflm-cmsis-nn`, own plan", "tinygen's plan"),
)


@dataclass(frozen=True)
class Arenas:
    """Bytes of one model: tensors as planned, and what was in use of the whole arena, measured."""

    model: str
    own: int
    whole: int
    bound: int
    """What no plan of whole tensors can go below: the most that are alive at one operator."""
    rows: int
    used: tuple[int, ...]
    """With tflm: its own plan, ours, ours by rows; with tflm-cmsis-nn: its own plan, ours."""


def measure(path: Path) -> Arenas:
    """Builds and starts five firmwares."""
    graph = read_model(path, opaque=True)
    board = load_board(BOARD)
    greedy = greedy_bytes(graph)
    whole, rows = (plan_tensors(graph, keep_inputs=False, by_rows=by_rows).plan for by_rows in (False, True))
    used = []
    with TemporaryDirectory(prefix="tinygen-") as folder:
        for backend, goals in (
            ("tflm", (None, Objective.BALANCED, Objective.RAM)),
            ("tflm-cmsis-nn", (None, Objective.BALANCED)),
        ):
            for number, goal in enumerate(goals):
                options = CompileOptions(backend=backend, optimize=goal or Objective.BALANCED)
                tree = compile_graph(graph, for_board(options, board))
                if goal is None:
                    tree = _without_plan(tree, graph.content)
                place = Path(folder) / f"{backend}-{number}"
                project = write_project(tree, board, place / "project")
                used.append(used_bytes(project, place / "build", tree.plan.arena_bytes + greedy))
    return Arenas(path.stem, greedy, whole.arena_bytes, whole.lower_bound, rows.arena_bytes, tuple(used))


def _without_plan(tree: SourceTree, content: bytes) -> SourceTree:
    """The tree with the user's file as it is for a model, so that tflite-micro plans by itself."""
    name = f"src/{tree.prefix}_model.h"
    text = re.sub(
        r"= \{\n.*\n\};",
        lambda _: f"= {{\n{array(np.frombuffer(content, np.uint8))}\n}};",
        tree.files[name],
        flags=re.S,
    )
    return replace(tree, files={**tree.files, name: text})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables between the markers of docs/backends.md")
    arguments = parser.parse_args()
    planned, measured = [], []
    for model in MODELS:
        path = next((p for place in PLACES if (p := place / f"{model}.tflite").is_file()), None)
        if path is None:
            raise SystemExit(f"{model}.tflite is not there")
        found = measure(path)
        print(found, flush=True)
        planned.append((model, *(f"{n:,}" for n in (found.own, found.whole, found.bound, found.rows))))
        measured.append((model, *(f"{n:,}" for n in found.used)))
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        page = replace_between(page, "tflm tensors", table(HEADER, planned, ("model",)))
        page = replace_between(page, "tflm arenas", table(USED, measured, ("model",)))
        PAGE.write_text(page, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
