"""The backend tflm: the plan in the model file, the text around it, and with a real tflite-micro what it computes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from tests.requirement import library, need, require
from tests.unit.trivial_model import trivial_tree
from tinygen import arena as arena_module
from tinygen.arena import settle_arenas, used_bytes
from tinygen.backends.tflm.operators import OPERATORS
from tinygen.backends.tflm.planning import METADATA, plan_tensors
from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.build.compiler import find_cxx_compiler
from tinygen.compile import CompileOptions, compile_graph, compile_model
from tinygen.cores import CORES
from tinygen.errors import TinygenError, error
from tinygen.project import Project, load_project, write_project
from tinygen.project.formats import formats
from tinygen.schedule.choose import Objective
from tinygen.tflite import read_model
from tinygen.verify import verify

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits.tflite"
OPTIONS = CompileOptions(backend="tflm")
LEAST = replace(OPTIONS, optimize=Objective.RAM)


def test_the_source_adds_exactly_the_operators_of_the_model() -> None:
    graph = read_model(DIGITS)
    tree = compile_graph(graph, OPTIONS)
    source = tree.files["src/digits.cc"]
    kinds = {op.kind for op in graph.ops}
    assert f"MicroMutableOpResolver<{len(kinds)}>" in source
    for kind, operator in OPERATORS.items():
        assert (f"resolver->Add{operator.method}()" in source) == (kind in kinds)
    assert METADATA.encode().hex() in _model_bytes(tree.files["src/digits_model.h"]).hex()
    assert [layer.index for layer in tree.layers] == [op.origin.op_index for op in graph.ops]
    assert tree.numerics == "tflm"
    names = {needed.name: needed for needed in tree.libraries}
    assert set(names) == {"tflite-micro", "FlatBuffers", "gemmlowp", "ruy"}
    assert any(path.endswith("kernels/conv.cc") for path in names["tflite-micro"].sources)
    optimized = compile_graph(graph, CompileOptions(backend="tflm-cmsis-nn"))
    names = {needed.name: needed for needed in optimized.libraries}
    assert any(path.endswith("kernels/cmsis_nn/conv.cc") for path in names["tflite-micro"].sources)
    assert "CMSIS-NN" in names
    # Without it, kernels with sums of weights refuse to start on cores with MVE.
    assert "KERNELS_OPTIMIZED_FOR_SPEED" in names["tflite-micro"].defines


def _model_bytes(header: str) -> bytes:
    body = header[header.index("= {") + 3 : header.rindex("};")]
    return bytes(int(number) for number in body.replace("\n", " ").split(",") if number.strip())


def test_the_model_file_in_c_ends_with_the_users_file() -> None:
    tree = compile_model(DIGITS, OPTIONS)
    model = _model_bytes(tree.files["src/digits_model.h"])
    assert model.endswith(DIGITS.read_bytes())
    assert tree.constant_bytes == len(model)


@pytest.mark.parametrize(
    "options",
    [
        replace(OPTIONS, io_outside=True),
        replace(OPTIONS, pins=(("x", 0),)),
        replace(OPTIONS, shared_arena=True),
    ],
)
def test_what_tflite_micro_cannot_do_is_an_error(options: CompileOptions) -> None:
    with pytest.raises(TinygenError, match="the backend tflm does not support") as caught:
        compile_model(DIGITS, options)
    assert caught.value.code == "TG423"


def test_a_budget_of_tensors_is_kept_or_refused() -> None:
    with pytest.raises(TinygenError) as caught:
        compile_model(DIGITS, replace(OPTIONS, ram_budget=100))
    assert caught.value.code == "TG305"


def test_a_budget_below_whole_tensors_is_met_by_rows() -> None:
    whole = plan_tensors(read_model(DIGITS), keep_inputs=False).plan.arena_bytes
    tree = compile_model(DIGITS, replace(OPTIONS, ram_budget=whole - 1))
    assert (
        tree.plan.arena_bytes
        == compile_model(DIGITS, LEAST).plan.arena_bytes
        < compile_model(DIGITS, OPTIONS).plan.arena_bytes
    )
    assert "#error" in tree.files["src/digits.cc"]
    assert "#error" not in compile_model(DIGITS, replace(OPTIONS, ram_budget=whole)).files["src/digits.cc"]


def test_other_kernels_get_whole_tensors_in_any_case() -> None:
    trees = [compile_model(DIGITS, replace(options, backend="tflm-cmsis-nn")) for options in (OPTIONS, LEAST)]
    assert trees[0].plan == trees[1].plan


def test_cpp_needs_a_compiler_that_has_it() -> None:
    core = next(core for core in CORES if core.cpu == "cortex-m4")
    with pytest.raises(TinygenError, match="needs C\\+\\+ and a C library") as caught:
        find_cxx_compiler(core, "zig")
    assert caught.value.code == "TG424"


def test_a_build_without_the_library_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("g++", shutil.which("arm-none-eabi-g++") is not None, "arm-none-eabi-g++")
    monkeypatch.delenv("TFLM_DIR", raising=False)
    project = write_project(compile_model(DIGITS, OPTIONS), load_board("mps2-an386"), tmp_path / "p")
    with pytest.raises(TinygenError, match="TFLM_DIR does not say where") as caught:
        build_project(project, tmp_path / "build")
    assert caught.value.code == "TG421"


@pytest.fixture
def tflm() -> None:
    library("TFLM_DIR")
    require("cc", "gcc", "unicorn")


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize("options", [OPTIONS, LEAST], ids=["balanced", "ram"])
@pytest.mark.parametrize(("runner", "board"), [("host", None), ("unicorn", "mps2-an386")])
def test_outputs_with_the_real_library(runner: str, board: str | None, options: CompileOptions) -> None:
    target = None if board is None else load_board(board)
    assert verify(DIGITS, options, board=target, runner=runner, samples=3).mismatches == 0


@pytest.mark.usefixtures("tflm")
def test_outputs_with_both_libraries_on_a_core_with_vectors() -> None:
    library("CMSIS_NN_DIR")
    require("qemu")
    options = CompileOptions(backend="tflm-cmsis-nn")
    assert verify(DIGITS, options, board=load_board("mps3-an547"), runner="qemu", samples=3).mismatches == 0


@pytest.mark.usefixtures("tflm")
def test_the_arena_is_measured_and_written_into_the_project(tmp_path: Path) -> None:
    tree = compile_model(DIGITS, OPTIONS)
    project = write_project(tree, load_board("mps2-an386"), tmp_path / "p")
    settled, arenas = settle_arenas(project, tmp_path / "build")
    arena = arenas["digits"]
    assert arena.used_bytes <= arena.arena_bytes < tree.plan.arena_bytes
    assert load_project(project.path).model.arena_bytes == arena.arena_bytes == settled.model.arena_bytes
    assert f"#define DIGITS_ARENA_BYTES {arena.arena_bytes}\n" in (project.path / "include/digits.h").read_text()
    assert settle_arenas(settled, tmp_path / "build") == (settled, {})


def test_an_arena_in_which_a_model_faults_is_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """tflite-micro's planner writes anywhere when it got no room for its lists: found with svdf_keyword."""
    require("zig")

    def boot(project: Project, program: object) -> NoReturn:
        raise error("TG501", "write of 4 bytes at 0x86668630 (no memory)")

    project = write_project(trivial_tree(), load_board("mps2-an386"), tmp_path / "p")
    monkeypatch.setattr(arena_module, "_boot", boot)
    assert used_bytes(project, tmp_path / "build", 64) == 0


def test_projects_in_cpp_are_for_cmake(tmp_path: Path) -> None:
    board = load_board("stm32f746g-disco")
    tree = compile_model(DIGITS, OPTIONS)
    project = write_project(tree, board, tmp_path / "p")
    assert not (project.path / "platformio.ini").exists()
    cmake = (project.path / "CMakeLists.txt").read_text()
    assert "LANGUAGES C CXX ASM" in cmake
    assert "add_library(flatbuffers INTERFACE)" in cmake
    assert "target_link_libraries(tflite_micro PUBLIC flatbuffers gemmlowp ruy)" in cmake
    assert "arm-none-eabi-g++" in (project.path / "arm-none-eabi-gcc.cmake").read_text()
    with pytest.raises(TinygenError, match="the model's code is C\\+\\+") as caught:
        write_project(tree, board, tmp_path / "q", format=formats()["platformio"])
    assert caught.value.code == "TG413"
