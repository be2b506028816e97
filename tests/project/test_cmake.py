"""A firmware project builds with CMake and zig, as it does with the GNU compilers."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.project.layouts import build_with_cmake, contents
from tests.requirement import need, require
from tests.unit.trivial_model import trivial_tree
from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.build.elf import read_sizes
from tinygen.project import write_project


@pytest.mark.parametrize("name", ["rpi-pico", "hifive1-revb"])
def test_zig(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fits, with the model's very functions; zig's run-time library is built for each way of linking anew."""
    need("cmake", shutil.which("cmake") is not None, "cmake")
    require("zig")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    board = load_board(name)
    project = write_project(trivial_tree(), board, tmp_path / "project")
    build_with_cmake(project.path, tmp_path / "build", f"-DCMAKE_TOOLCHAIN_FILE={project.path / 'zig.cmake'}")
    built = build_project(project, tmp_path / "tinygen", compiler="zig")
    elf = tmp_path / "build" / "trivial.elf"
    assert read_sizes(elf, board).fits
    for name in ("main", "trivial_invoke", "tg_crc32"):
        (found, wanted) = ([item for item in contents(e) if item[0] == name] for e in (elf, built.elf))
        assert found == wanted != []
