"""Without folders of libraries CMake fetches them; here from checkouts, as FetchContent lets one without a network."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.project.layouts import build_with_cmake
from tests.requirement import library, need, require
from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.build.elf import read_symbols
from tinygen.build.libraries import find_libraries
from tinygen.compile import CompileOptions, compile_model
from tinygen.paths import EXAMPLES
from tinygen.project import write_project


@pytest.mark.parametrize("backend", ["cmsis-nn", "tflm"])
def test_a_fetched_library(backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library("CMSIS_NN_DIR" if backend == "cmsis-nn" else "TFLM_DIR")
    need("cmake", shutil.which("cmake") is not None, "cmake")
    require("gcc")
    project = write_project(
        compile_model(EXAMPLES / "digits.tflite", CompileOptions(backend=backend)),
        load_board("mps2-an386"),
        tmp_path / "project",
    )
    ours = build_project(project, tmp_path / "tinygen", compiler="gcc", program="minimal")
    folders = {found.library: found.folder for found in find_libraries(project.manifest.libraries)}
    for needed in folders:
        monkeypatch.delenv(needed.variable, raising=False)
    build_with_cmake(
        project.path,
        tmp_path / "build",
        f"-DCMAKE_TOOLCHAIN_FILE={project.path / 'arm-none-eabi-gcc.cmake'}",
        "-DPROGRAM=minimal",
        "-DFETCHCONTENT_FULLY_DISCONNECTED=ON",
        *(f"-DFETCHCONTENT_SOURCE_DIR_{_target(needed.name)}={folder}" for needed, folder in folders.items()),
    )
    names = [{symbol.name for symbol in read_symbols(elf)} for elf in (tmp_path / "build" / "digits.elf", ours.elf)]
    kernel = "arm_convolve_wrapper_s8" if backend == "cmsis-nn" else "digits_init"
    assert kernel in names[0]
    assert names[0] == names[1]
    assert not any(os.environ.get(needed.variable) for needed in folders)


def _target(name: str) -> str:
    """How FetchContent calls a library in its variables."""
    return name.upper().replace("-", "_")
