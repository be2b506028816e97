"""`tinygen generate` and `tinygen build`."""

from __future__ import annotations

from pathlib import Path

import pytest

BOARD = "stm32f746g-disco"


@pytest.fixture
def project(run, digits, tmp_path) -> Path:
    run("generate", digits, "--board", BOARD, "-o", tmp_path / "project")
    return tmp_path / "project"


def test_generate_writes_what_it_says(run_json, digits, tmp_path):
    found = run_json("generate", digits, "--board", BOARD, "-o", tmp_path / "p")
    assert found["arena_bytes"] >= found["lower_bound_bytes"] > 0
    assert found["prefix"] == "digits"
    assert (tmp_path / "p" / "src" / "digits.c").is_file()
    assert all((tmp_path / "p" / f).is_file() for f in found["files"])


def test_prefix(run_json, digits, tmp_path):
    run_json("generate", digits, "--board", BOARD, "-o", tmp_path / "p", "--prefix", "seven")
    assert (tmp_path / "p" / "include" / "seven.h").is_file()


def test_prefix_that_is_no_identifier(run, digits, tmp_path):
    result = run("generate", digits, "--board", BOARD, "-o", tmp_path / "p", "--prefix", "7-up", exit_code=1)
    assert "error[TG406]" in result.stderr
    assert not (tmp_path / "p").exists()


def test_unknown_board_has_suggestions(run, digits, tmp_path):
    result = run("generate", digits, "--board", "stm32f746-disco", "-o", tmp_path / "p", exit_code=1)
    assert "error[TG302]" in result.stderr
    assert f"did you mean {BOARD}" in result.stderr


def test_unknown_backend(run, digits, tmp_path):
    result = run("generate", digits, "--board", BOARD, "-o", tmp_path / "p", "--backend", "basic", exit_code=1)
    assert "error[TG407]" in result.stderr


def test_folder_with_other_files_is_left_alone(run, digits, tmp_path):
    (tmp_path / "thesis.txt").write_text("irreplaceable")
    result = run("generate", digits, "--board", BOARD, "-o", tmp_path, exit_code=1)
    assert "error[TG403]" in result.stderr
    assert [f.name for f in tmp_path.iterdir()] == ["thesis.txt"]


def test_output_that_is_a_file(run, digits, tmp_path):
    (tmp_path / "p").write_text("")
    assert "error[TG403]" in run("generate", digits, "--board", BOARD, "-o", tmp_path / "p", exit_code=1).stderr


def test_build_shows_sizes_of_the_elf(run, run_json, project):
    pytest.importorskip("ziglang")
    found = run_json("build", project, "--program", "minimal")
    assert Path(found["elf"]).is_file()
    assert 0 < found["flash_bytes"] < found["flash_available_bytes"]
    assert found["stack_bytes"] < found["ram_bytes"] < found["ram_available_bytes"]
    assert f"{found['flash_bytes']:,}" in run("build", project, "--program", "minimal").stdout


def test_build_of_something_else(run, tmp_path):
    assert "error[TG405]" in run("build", tmp_path, exit_code=1).stderr


def test_unknown_compiler(run, project):
    assert "error[TG401]" in run("build", project, "--compiler", "tcc", exit_code=1).stderr


def test_formats(run, run_json, digits, tmp_path):
    found = run_json("generate", digits, "--format", "arduino-library", "-o", tmp_path / "a")
    assert (found["format"], found["board"]) == ("arduino-library", None)
    assert all((tmp_path / "a" / f).is_file() for f in found["files"])
    assert (
        f"next: see {tmp_path / 'z' / 'README.md'}"
        in run("generate", digits, "--format", "zephyr-module", "--board", BOARD, "-o", tmp_path / "z").stdout
    )
    said = run("generate", digits, "--format", "library", "-o", tmp_path / "l").stdout
    assert "next: compile digits.c, include digits.h" in said
    found = run_json("generate", digits, "--format", "cmake", "--board", BOARD, "-o", tmp_path / "c")
    assert (found["format"], found["board"]) == ("cmake", BOARD)
    assert "linker.ld" in found["files"]
    assert "platformio.ini" not in found["files"]


def test_a_firmware_needs_a_board(run, digits, tmp_path):
    assert "Missing option '--board'" in run("generate", digits, "-o", tmp_path / "p", exit_code=2).stderr
    assert not (tmp_path / "p").exists()


def test_a_format_without_a_firmware_for_the_board(run, digits, tmp_path):
    arguments = ("generate", digits, "--board", "mps2-an386", "--format", "platformio", "-o", tmp_path / "p")
    assert "error[TG413]: platformio: no public platform" in run(*arguments, exit_code=1).stderr
    assert not (tmp_path / "p").exists()


def test_build_of_a_library(run, digits, tmp_path):
    run("generate", digits, "--format", "cmake", "-o", tmp_path)
    assert "error[TG414]: found the format cmake" in run("build", tmp_path, exit_code=1).stderr


def test_ci(run, run_json, digits, tmp_path):
    pytest.importorskip("ziglang")
    arguments = ("generate", digits, "--board", "rpi-pico", "--ci", "--max-instructions", 500_000)
    found = run_json(*arguments, "-o", tmp_path / "p")
    assert {".github/workflows/firmware.yml", "golden/digits.json", "golden/bench_library.py"} <= set(found["files"])
    for refused in (("--format", "library"), ("--format", "platformio")):
        assert "--ci builds and tests a firmware" in run(*arguments, *refused, "-o", tmp_path / "q", exit_code=2).stderr
    alone = ("generate", digits, "--board", "rpi-pico", "--max-instructions", 5)
    assert "is the budget of --ci" in run(*alone, "-o", tmp_path / "q", exit_code=2).stderr
    assert not (tmp_path / "q").exists()


def test_as_which_benchmark_it_answers(run, run_json, digits, tmp_path):
    found = run_json("generate", digits, "--board", BOARD, "-o", tmp_path / "p")
    assert [model["mlperf"] for model in found["models"]] == ["digits"]
    refused = run("generate", digits, "--board", BOARD, "-o", tmp_path / "q", "--mlperf", "kws01", exit_code=1)
    assert "error[TG316]" in refused.stderr
    assert "found 64 elements of input, accepted: 490" in refused.stderr
    assert not (tmp_path / "q").exists()
    twice = ("--mlperf", "none", "--mlperf", "none")
    assert "2 times for 1 models" in run("generate", digits, "--board", BOARD, "-o", "x", *twice, exit_code=2).stderr
    library = ("--format", "library", "--mlperf", "none")
    assert "a library has none" in run("generate", digits, *library, "-o", tmp_path / "l", exit_code=2).stderr
