"""Instructions of the backends that round as tflite-micro: `python -m benchmarks.backends`; `--write` into backends.md.

Needs TFLM_DIR, CMSIS_NN_DIR and arm-none-eabi-g++.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.arenas import PLACES, table
from docs.markers import replace_between
from tinygen.bench import bench
from tinygen.boards import load_board
from tinygen.compile import CompileOptions
from tinygen.errors import TinygenError
from tinygen.ir.op import Numerics

PAGE = Path(__file__).resolve().parents[1] / "docs" / "backends.md"
BOARD = "mps2-an500"
BACKENDS = ("c", "cmsis-nn", "tflm-cmsis-nn", "tflm")
MODELS = (
    *("kws", "vww", "ic", "ad", "person_detect", "micro_speech", "hello_world_int8", "mcunet_vww", "lstm_int8"),
    "svdf_keyword",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table between the markers of docs/backends.md")
    arguments = parser.parse_args()
    rows = []
    for model in MODELS:
        path = next((p for place in PLACES if (p := place / f"{model}.tflite").is_file()), None)
        if path is None:
            raise SystemExit(f"{model}.tflite is not there")
        counts = tuple(f"{instructions(path, backend):,}" for backend in BACKENDS)
        print(model, *counts, flush=True)
        rows.append((model, *counts))
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        header = ("model", *(f"`{backend}`" for backend in BACKENDS))
        page = replace_between(page, "instructions of backends", table(header, rows, ("model",)))
        PAGE.write_text(page, encoding="utf-8", newline="\n")


def instructions(path: Path, backend: str) -> int:
    """Of one inference; ends the program where its outputs are not those of the other backends."""
    options = CompileOptions(backend=backend, numerics=Numerics.TFLM)
    _, found = next(bench((path,), options, load_board(BOARD), ("unicorn",), compiler="gcc"))
    if isinstance(found, TinygenError):
        raise found
    if not found[0].benchmark.outputs_match:
        raise SystemExit(f"{path.stem}: outputs of {backend} differ from {found[0].benchmark.compared_with}")
    return found[0].benchmark.count


if __name__ == "__main__":
    main()
