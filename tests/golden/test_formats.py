"""The text files around a model in every format, to the letter; `make golden` writes them anew."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.golden.test_golden import UPDATE
from tests.unit.trivial_model import trivial_tree
from tinygen import __version__
from tinygen.boards import load_board
from tinygen.project import write_library, write_project
from tinygen.project.ci import Ci, Golden, GoldenSample
from tinygen.project.formats import formats

FOLDER = Path(__file__).parent / "formats"
BOARD = load_board("stm32f746g-disco")
LIBRARIES = [name for name, format in formats().items() if format.library]
MODEL = ("trivial.c", "trivial.h", "trivial_weights.h", "negate_s8.h")


def compare(name: str, folder: Path, paths: set[str]) -> None:
    """The files of a project against those of tests/golden/formats."""
    found = {
        path: (folder / path).read_text(encoding="utf-8").replace(f"tinygen {__version__}", "tinygen VERSION")
        for path in paths
    }
    if os.environ.get(UPDATE):
        shutil.rmtree(FOLDER / name, ignore_errors=True)
        for path, text in found.items():
            (FOLDER / name / path).parent.mkdir(parents=True, exist_ok=True)
            (FOLDER / name / path).write_text(text, encoding="utf-8")
    kept = [path for path in (FOLDER / name).rglob("*") if path.is_file()]
    assert found == {path.relative_to(FOLDER / name).as_posix(): path.read_text(encoding="utf-8") for path in kept}


@pytest.mark.parametrize("name", LIBRARIES)
def test_libraries(name: str, tmp_path: Path) -> None:
    manifest = write_library(trivial_tree(), tmp_path, formats()[name])
    compare(name, tmp_path, {path for path in manifest.files if not path.endswith(MODEL)})


def test_firmware(tmp_path: Path) -> None:
    """What CMake, PlatformIO and people read; golden C is elsewhere, linker scripts and the rest follow the board."""
    write_project(trivial_tree(), BOARD, tmp_path)
    paths = {path for f in formats().values() for path in f.firmware or {}}
    compare("firmware", tmp_path, {path.format(name="trivial", gcc=BOARD.core.gcc) for path in paths})


def test_ci(tmp_path: Path) -> None:
    """What Renode and GitHub read; the golden inputs and outputs are tested elsewhere."""
    board = load_board("stm32f4-discovery")
    sample = GoldenSample((bytes(4),), (bytes(4),))
    project = write_project(trivial_tree(), board, tmp_path, ci=Ci((Golden((sample,), 1000),), "0.17.0"))
    paths = {path for path in project.manifest.files if path.startswith((".github", "golden", "renode"))}
    assert len(paths) == 5
    compare("ci", tmp_path, paths)
