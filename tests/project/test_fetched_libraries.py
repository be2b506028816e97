"""Without folders of libraries CMake fetches them; here from checkouts, as FetchContent lets one without a network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.project.layouts import run
from tests.requirement import library, need, require
from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.build.elf import read_symbols
from tinygen.build.libraries import find_libraries
from tinygen.compile import CompileOptions, compile_model
from tinygen.paths import EXAMPLES
from tinygen.project import Project, write_project
from tinygen.source_tree import Library


@pytest.fixture(params=["cmsis-nn", "tflm"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    library("CMSIS_NN_DIR" if request.param == "cmsis-nn" else "TFLM_DIR")
    need("cmake", shutil.which("cmake") is not None, "cmake")
    require("gcc")
    tree = compile_model(EXAMPLES / "digits.tflite", CompileOptions(backend=request.param))
    return write_project(tree, load_board("mps2-an386"), tmp_path / "project")


def test_fetched_libraries(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CMake compiles the same files of them as tinygen does; what is C and quickly compiled makes the same firmware."""
    found = find_libraries(project.manifest.libraries)
    sources = {source for each in found for source in each.sources()}
    quick = all(each.library.language == "c" for each in found)
    ours = build_project(project, tmp_path / "tinygen", compiler="gcc", program="minimal").elf if quick else None
    folders = {each.library: each.folder for each in found}
    for needed in folders:
        monkeypatch.delenv(needed.variable, raising=False)
    build = tmp_path / "build"
    run("cmake", "-S", project.path, "-B", build, *_definitions(project, folders))
    commands = json.loads((build / "compile_commands.json").read_text())
    assert sources <= {Path(command["file"]) for command in commands}
    if ours is not None:
        run("cmake", "--build", build)
        names = [{symbol.name for symbol in read_symbols(elf)} for elf in (build / "digits.elf", ours)]
        assert "arm_convolve_wrapper_s8" in names[0]
        assert names[0] == names[1]


def _definitions(project: Project, folders: Mapping[Library, Path]) -> list[str]:
    """Of a build that has checkouts of the libraries and no network."""
    checkouts = {needed.name.upper().replace("-", "_"): folder for needed, folder in folders.items()}
    return [
        f"-DCMAKE_TOOLCHAIN_FILE={project.path / 'arm-none-eabi-gcc.cmake'}",
        "-DPROGRAM=minimal",
        "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
        "-DFETCHCONTENT_FULLY_DISCONNECTED=ON",
        *(f"-DFETCHCONTENT_SOURCE_DIR_{name}={folder}" for name, folder in checkouts.items()),
    ]
