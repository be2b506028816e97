"""Backend utvm: PrimFuncs against LiteRT with every kind of schedule, whole models, text, and life without TVM."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import OTHER_MODELS, model_file
from tests.ops import test_conv_2d, test_fully_connected, test_pool, test_softmax
from tests.ops.binary import binary_cases
from tests.ops.harness import Case, check
from tests.ops.strategies import examples
from tests.requirement import require
from tinygen.backends.utvm.decision import Decision, Dot, parse_decision
from tinygen.backends.utvm.tuning import Target, Tuning, save_tuning
from tinygen.boards import load_board
from tinygen.build.compiler import find_compiler
from tinygen.build.flags import CODE, STRICT_WARNINGS
from tinygen.compile import CompileOptions, compile_model
from tinygen.errors import TinygenError
from tinygen.ir.op import Numerics
from tinygen.passes.pipeline import run as run_passes
from tinygen.schedule.choose import Objective
from tinygen.tflite import read_bytes, read_model
from tinygen.verify import verify

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits.tflite"
TARGET = Target("cortex-m7", ("dsp",), "gcc 12.2.1", "-O2")
OPTIONS = CompileOptions(backend="utvm", features=frozenset({"dsp"}))

MODELS = {
    "kws": 16_384,
    "vww": 55_344,
    "ic": 50_016,
    "ad": 768,
    "person_detect": 55_344,
    "micro_speech": 6_440,
    "hello_world_int8": 32,
}
"""Bytes of arena that a layer at a time needs with backend c."""

ARENA_FACTOR = 1.3

BOARDS = ("rpi-pico", "mps2-an386", "mps2-an500", "nucleo-u575zi-q", "mps3-an547", "hifive1-revb")
"""One of every kind of core."""


@pytest.fixture(autouse=True)
def _needs_tvm(request: pytest.FixtureRequest) -> None:
    if "without_tvm" not in request.node.name:
        require("tvm")


def found(model: str) -> Path:
    path = model_file(model)
    if path is None:
        pytest.skip(f"{model}.tflite is not in {OTHER_MODELS}")
    return path


def check_tuned(batch: Sequence[Case], picks: Sequence[int], numerics: Sequence[Numerics]) -> None:
    """Checks cases with any of the schedules that tuning could choose."""
    from tinygen.backends.utvm.operators import lowering

    tuning = Tuning(TARGET)
    for case, pick in zip(batch, picks, strict=True):
        graph = run_passes(read_bytes(case.model, "m.tflite"))
        for op in graph.ops:
            for each in numerics:
                found = None if op.alias else lowering(op, graph, each)
                if found is not None and found.candidates:
                    tuning = tuning.having(found.key, found.candidates[pick % len(found.candidates)], 1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tuning.json"
        save_tuning(tuning, path)
        options = CompileOptions(backend="utvm", features=frozenset({"dsp"}), tuning=path)
        check(*batch, numerics=numerics, options=options)


def batches(cases: st.SearchStrategy[Case]) -> st.SearchStrategy[tuple[list[Case], list[int]]]:
    size = 6
    picks = st.lists(st.integers(0, 999), min_size=size, max_size=size)
    return st.tuples(st.lists(cases, min_size=size, max_size=size), picks)


@examples(3)
@given(batches(test_conv_2d.cases("CONV_2D")))
def test_convolutions(batch: tuple[list[Case], list[int]]) -> None:
    check_tuned(*batch, (Numerics.LITERT,))


@examples(3)
@given(batches(test_conv_2d.cases("DEPTHWISE_CONV_2D")))
def test_depthwise_convolutions(batch: tuple[list[Case], list[int]]) -> None:
    check_tuned(*batch, (Numerics.LITERT,))


@examples(2)
@given(batches(test_fully_connected.cases()))
def test_fully_connected_layers(batch: tuple[list[Case], list[int]]) -> None:
    check_tuned(*batch, (Numerics.LITERT, Numerics.TFLM))


@examples(2)
@given(st.lists(binary_cases("ADD"), min_size=6, max_size=6))
def test_sums(batch: list[Case]) -> None:
    check(*batch, options=OPTIONS)


@examples(3)
@given(st.lists(test_pool.cases(), min_size=6, max_size=6))
def test_pools(batch: list[Case]) -> None:
    check(*batch, options=OPTIONS)


@examples(2)
@given(st.lists(test_softmax.cases(), min_size=6, max_size=6))
def test_likelihoods(batch: list[Case]) -> None:
    check(*batch, options=OPTIONS)


@pytest.mark.parametrize("model", MODELS)
def test_outputs_and_arenas_of_models(model: str) -> None:
    require("litert", "cc")
    path = found(model)
    assert compile_model(path, OPTIONS).plan.arena_bytes <= ARENA_FACTOR * MODELS[model]
    assert verify(path, OPTIONS, samples=20).mismatches == 0


@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an500"])
@pytest.mark.parametrize("model", MODELS)
def test_emulated_outputs_of_models(model: str, board: str) -> None:
    require("litert", "unicorn", "zig")
    options = CompileOptions(backend="utvm")
    assert verify(found(model), options, board=load_board(board), runner="unicorn", samples=2).mismatches == 0


@pytest.mark.parametrize("model", ["ad", "kws"])
def test_tuned_arenas_have_room_only_for_some_scratch(model: str, tmp_path: Path) -> None:
    """Whatever is counted: here all that need scratch cost next to nothing."""
    from tinygen.backends.utvm.operators import lowering

    path, tuning = found(model), Tuning(TARGET)
    graph = run_passes(read_model(path))
    for op in graph.ops:
        lowered = None if op.alias else lowering(op, graph, Numerics.LITERT)
        for decision in () if lowered is None else lowered.candidates:
            tuning = tuning.having(lowered.key, decision, 100 if decision.dot is Dot.WIDE else 100_000)
    save_tuning(tuning, tmp_path / "tuning.json")
    options = replace(OPTIONS, tuning=tmp_path / "tuning.json")
    assert compile_model(path, options).plan.arena_bytes <= ARENA_FACTOR * MODELS[model]
    if model == "ad":
        fast = replace(options, optimize=Objective.SPEED)
        assert compile_model(path, fast).plan.arena_bytes > ARENA_FACTOR * MODELS[model]


def test_every_operator_of_the_models_is_a_prim_func() -> None:
    for model in MODELS:
        assert all(layer.kernel.endswith("_tvm") for layer in compile_model(found(model), OPTIONS).layers)


@pytest.mark.parametrize("compiler", ["gcc", "zig"])
@pytest.mark.parametrize(
    "board", ["rpi-pico", "mps2-an386", "mps2-an500", "nucleo-u575zi-q", "mps3-an547", "hifive1-revb"]
)
def test_tuned_code_compiles_without_a_word_for_every_core(board: str, compiler: str, tmp_path: Path) -> None:
    core = load_board(board).core
    require("zig" if compiler == "zig" else "gcc" if core.arch == "thumb" else "riscv")
    tuned = ROOT / "tests" / "golden" / "digits.tuning.json"
    tree = compile_model(DIGITS, replace(OPTIONS, tuning=tuned))
    for name, text in tree.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    command = (*find_compiler(core, compiler).command, *CODE, *STRICT_WARNINGS, "-O2", "-c", "src/digits.c")
    folders = ("-Iinclude", f"-I{ROOT / 'firmware' / 'libc'}", "-o", "digits.o")
    done = subprocess.run((*command, *folders), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_same_model_gives_the_same_text() -> None:
    """Also in another process, whose hashes have another seed."""
    script = (
        "from tinygen.compile import *; import sys; "
        f"tree = compile_model({str(DIGITS)!r}, CompileOptions(backend='utvm')); "
        "sys.stdout.write(tree.files['src/kernels/digits_tvm.h'])"
    )
    texts = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, check=True)
        texts.append(done.stdout)
    assert texts[0] == texts[1]
    assert b"digits_00_tvm_tiles" in texts[0]


def test_decisions_read_back() -> None:
    for decision in (Decision(2, 4, 8), Decision(1, 1, 4, Dot.WIDE), Decision(2, 4, 3, Dot.BYTES)):
        assert parse_decision(str(decision)) == decision
    assert parse_decision("2 x 4") is None


def test_without_tvm_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    with pytest.raises(TinygenError, match=r"TG404.*pip install \"tinygen\[utvm\]\""):
        compile_model(DIGITS, OPTIONS)
