"""Libraries of every format compile without a warning, their examples run, and nobody's files are lost."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.project.layouts import ECOSYSTEMS, LIBRARIES, MODELS, build_with_cmake, run, written
from tests.requirement import need
from tests.unit.trivial_model import trivial_tree
from tinygen.boards import load_board
from tinygen.build.flags import STRICT_WARNINGS
from tinygen.errors import TinygenError
from tinygen.ir.interpret import interpret
from tinygen.paths import EXAMPLES
from tinygen.project import load_project, write_library, write_project
from tinygen.project.formats import Format, firmware_formats, formats
from tinygen.source_tree import Library
from tinygen.tflite.reader import read_model

BOARD = load_board("stm32f746g-disco")
STUBS = ECOSYSTEMS / "include"


@pytest.mark.parametrize("format", LIBRARIES, ids=lambda f: f.name)
@pytest.mark.parametrize("models", MODELS)
def test_sources_compile_without_a_warning(format: Format, models: str, tmp_path: Path) -> None:
    need("cc", shutil.which("cc") is not None, "cc")
    manifest = written(format, models, tmp_path / "library")
    headers = tmp_path / "library" / format.folders["include"]
    assert all((headers / f"{model.prefix}.h").is_file() for model in manifest.models)
    programs = [path for path in manifest.files if path.endswith("main.c")]
    # A user's program knows the folder of the headers, and sources find each other without an include path.
    for source in (*manifest.sources, *programs):
        includes = [f"-I{STUBS}", f"-I{headers}"] if source in programs or format.folders["src"] != "." else []
        run("cc", *STRICT_WARNINGS, *includes, "-fsyntax-only", source, cwd=tmp_path / "library")


@pytest.mark.parametrize("models", MODELS)
def test_the_sketch_compiles(models: str, tmp_path: Path) -> None:
    need("cc", shutil.which("c++") is not None, "c++")
    manifest = written(formats()["arduino-library"], models, tmp_path)
    (sketch,) = (path for path in manifest.files if path.endswith(".ino"))
    assert Path(sketch).parent.name == Path(sketch).stem
    text = (tmp_path / sketch).read_text()
    # As Arduino does: its header in front, and a prototype of every function.
    prototypes = "".join(f"{found};\n" for found in re.findall(r"^(void \w+\(\)) \{", text, re.M))
    (tmp_path / "sketch.cpp").write_text(f"#include <Arduino.h>\n{prototypes}{text}")
    run("c++", "-std=c++11", "-Wall", "-Wextra", "-Werror", f"-I{STUBS}", f"-I{tmp_path / 'src'}", "-fsyntax-only",
        tmp_path / "sketch.cpp")  # fmt: skip


def expected_outputs(*prefixes: str) -> list[str]:
    """What examples print for the digit classifier on zeros."""
    graph = read_model(EXAMPLES / "digits.tflite")
    (output,) = interpret(graph, (np.zeros((1, 8, 8, 1), np.int8),))
    return [f"{prefix} output {i}: {value}" for prefix in prefixes for i, value in enumerate(output.ravel())]


def test_examples_run(tmp_path: Path) -> None:
    """CMake's, Zephyr's and ESP-IDF's, built by their own CMake files against stubs of the two systems."""
    need("cmake", shutil.which("cmake") is not None, "cmake")
    names = {"cmake": "", "zephyr-module": "samples/first_second", "esp-idf-component": "examples/first_second"}
    programs = {"cmake": "first_second_example", "zephyr-module": "app", "esp-idf-component": "app"}
    for name, folder in names.items():
        written(formats()[name], "two", tmp_path / name)
        build = tmp_path / f"build-{name}"
        definitions = (f"-DZephyr_DIR={ECOSYSTEMS / 'zephyr'}",) if name.startswith("zephyr") else ()
        source = tmp_path / name / folder
        if name.startswith("esp"):
            lists = source / "CMakeLists.txt"
            lists.write_text(lists.read_text().replace("$ENV{IDF_PATH}", str(ECOSYSTEMS / "esp-idf")))
        build_with_cmake(source, build, *definitions, flags=(*STRICT_WARNINGS, f"-I{STUBS}"))
        commands = (build / "Makefile").exists() and run("make", "-n", "-B", "-C", build)
        assert "-ffp-contract=off" in commands
        assert run(build / programs[name]).splitlines() == expected_outputs("First", "second")


def test_a_library_is_part_of_a_cmake_project(tmp_path: Path) -> None:
    need("cmake", shutil.which("cmake") is not None, "cmake")
    written(formats()["cmake"], "one", tmp_path / "trivial")
    (tmp_path / "main.c").write_text('#include "trivial.h"\nint main(void) { return trivial_init(); }\n')
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(user LANGUAGES C)\nadd_subdirectory(trivial)\n"
        "add_executable(user main.c)\ntarget_link_libraries(user PRIVATE trivial)\n"
    )
    build_with_cmake(tmp_path, tmp_path / "build")
    run(tmp_path / "build" / "user")
    assert not list((tmp_path / "build").rglob("trivial_example*"))


def test_library_is_only_the_model(tmp_path: Path) -> None:
    manifest = written(formats()["library"], "two", tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == set(manifest.files)
    assert {Path(path).suffix for path in found} == {".c", ".h"}
    assert {"First.c", "First.h", "second.c", "second.h", "tinygen_arena.c"} <= found


def test_library_generated_again_replaces_its_files_only(tmp_path: Path) -> None:
    write_library(trivial_tree(), tmp_path, formats()["library"])
    (tmp_path / "mine.c").write_text("mine")
    (tmp_path / "trivial.c").write_text((tmp_path / "trivial.c").read_text() + "changed")
    written(formats()["library"], "two", tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert "mine.c" in found
    assert not found & {"trivial.c", "trivial.h", "kernels/negate_s8.h"}
    assert "First.c" in found


@pytest.mark.parametrize("format", LIBRARIES, ids=lambda f: f.name)
def test_a_format_replaces_another(format: Format, tmp_path: Path) -> None:
    write_library(trivial_tree(), tmp_path / "new", format)
    write_project(trivial_tree(), BOARD, tmp_path / "old")
    (tmp_path / "old" / "firmware" / "notes.txt").write_text("mine")
    write_library(trivial_tree(), tmp_path / "old", format)
    (tmp_path / "old" / "firmware" / "notes.txt").unlink()
    (tmp_path / "old" / "firmware").rmdir()
    assert contents(tmp_path / "old") == contents(tmp_path / "new")
    write_project(trivial_tree(), BOARD, tmp_path / "old")
    write_project(trivial_tree(), BOARD, tmp_path / "project")
    assert contents(tmp_path / "old") == contents(tmp_path / "project")


@pytest.mark.parametrize("format", LIBRARIES, ids=lambda f: f.name)
def test_a_users_file_is_not_overwritten(format: Format, tmp_path: Path) -> None:
    manifest = write_library(trivial_tree(), tmp_path, format)
    header = next(path for path in manifest.files if path.endswith("trivial.h"))
    (tmp_path / header).rename(tmp_path / "kept.h")
    written(format, "two", tmp_path)
    (tmp_path / header).write_text("/* mine */")
    before = contents(tmp_path)
    with pytest.raises(TinygenError, match=rf"files of yours where generated ones belong: {header}") as caught:
        write_library(trivial_tree(), tmp_path, format)
    assert caught.value.code == "TG403"
    assert contents(tmp_path) == before


def test_what_an_interrupted_run_left_is_no_obstacle(tmp_path: Path) -> None:
    """The manifest goes last: the new files are there already, and the manifest does not know them."""
    write_library(trivial_tree(), tmp_path / "new", formats()["cmake"])
    written(formats()["cmake"], "two", tmp_path / "old")
    shutil.copy(tmp_path / "new/src/trivial.c", tmp_path / "old/src/trivial.c")
    write_library(trivial_tree(), tmp_path / "old", formats()["cmake"])
    assert contents(tmp_path / "old") == contents(tmp_path / "new")


@pytest.mark.parametrize("format", [f for f in LIBRARIES if f.manifest], ids=lambda f: f.name)
def test_the_manifest_of_a_library(format: Format, tmp_path: Path) -> None:
    manifest = write_library(trivial_tree(), tmp_path, format)
    content = json.loads((tmp_path / "tinygen.json").read_text())
    assert (content["layout"], content["board"]) == (format.name, None)
    assert {"tinygen.json", *manifest.files} == set(contents(tmp_path))
    with pytest.raises(TinygenError) as caught:
        load_project(tmp_path)
    assert caught.value.code == "TG414"


def test_a_manifest_without_a_layout_is_a_project(tmp_path: Path) -> None:
    """As versions before formats wrote it."""
    write_project(trivial_tree(), BOARD, tmp_path)
    content = json.loads((tmp_path / "tinygen.json").read_text())
    del content["layout"]
    (tmp_path / "tinygen.json").write_text(json.dumps(content))
    assert load_project(tmp_path).manifest.layout == "project"


@pytest.mark.parametrize("format", firmware_formats(BOARD), ids=lambda f: f.name)
def test_a_firmware_of_one_format_has_no_files_of_another(format: Format, tmp_path: Path) -> None:
    project = write_project(trivial_tree(), BOARD, tmp_path / "one", format=format)
    assert load_project(tmp_path / "one") == project
    whole = write_project(trivial_tree(), BOARD, tmp_path / "all")
    others = {path for f in firmware_formats(BOARD) if f is not format for path in f.firmware or {}}
    others -= set(format.firmware or {})
    rest = {path.format(name="trivial", gcc=BOARD.core.gcc) for path in others}
    assert rest
    assert set(project.manifest.files) == set(whole.manifest.files) - rest


def test_a_board_that_a_format_does_not_know(tmp_path: Path) -> None:
    board = load_board("mps2-an386")
    with pytest.raises(TinygenError, match="a firmware for this board: cmake") as caught:
        write_project(trivial_tree(), board, tmp_path, format=formats()["platformio"])
    assert caught.value.code == "TG413"
    with pytest.raises(TinygenError, match="it has libraries only"):
        write_project(trivial_tree(), board, tmp_path, format=formats()["arduino-library"])
    assert not contents(tmp_path)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_code_that_calls_a_library_is_refused(tmp_path: Path) -> None:
    library = Library("CMSIS-NN", "CMSIS_NN_DIR", "https://example.org/nn", "v1", "1", "arm_nnfunctions.h")
    with pytest.raises(TinygenError, match="arduino-library: the code calls CMSIS-NN") as caught:
        write_library(replace(trivial_tree(), libraries=(library,)), tmp_path, formats()["arduino-library"])
    assert caught.value.code == "TG415"
    assert not contents(tmp_path)
