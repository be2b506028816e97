"""Models that keep state, wherever they run: sequences, resets, counts that repeat, and arenas that others write to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.ops.builder import OpDef, Options, model
from tests.ops.harness import Case, references
from tests.ops.strategies import int8
from tests.ops.test_svdf import parts, svdf
from tests.requirement import require
from tinygen.boards import load_board
from tinygen.compile import CompileOptions, compile_graph
from tinygen.errors import TinygenError
from tinygen.fit.bound import ram_bounds
from tinygen.paths import EXAMPLES
from tinygen.project import Project, load_project, write_project
from tinygen.run import Session, find_runner
from tinygen.tflite import read_bytes, read_model

MODEL = svdf(**parts(memory=6), rank=2)
RNG = np.random.default_rng(5)
SAMPLES = [[int8(RNG, (1, 5))] for _ in range(9)]
NEEDS = {"host": "cc", "unicorn": "unicorn"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    tree = compile_graph(read_bytes(MODEL, "svdf.tflite"), CompileOptions())
    return write_project(tree, load_board("mps2-an386"), tmp_path_factory.mktemp("state"))


def opened(project: Project, runner: str) -> Session:
    require(NEEDS[runner])
    return find_runner(runner).open(project, project.path / "build")


@pytest.mark.parametrize("runner", NEEDS)
def test_sequences(project: Project, runner: str) -> None:
    """Each inference goes on from the last, and a reset is a start."""
    resets = (4, 5)
    expected = references(read_bytes(MODEL, "svdf.tflite"), Case(MODEL, SAMPLES, resets=resets))
    with opened(project, runner) as session:
        for number, (sample, right) in enumerate(zip(SAMPLES, expected, strict=True)):
            if number in resets:
                session.reset()
            np.testing.assert_array_equal(session.infer(sample)[0], right[0])


def test_counted_inferences_are_all_the_first(project: Project) -> None:
    first, *_ = references(read_bytes(MODEL, "svdf.tflite"), Case(MODEL, SAMPLES))
    with opened(project, "unicorn") as session:
        session.infer(SAMPLES[1])
        found = session.measure(SAMPLES[0], runs=3)
    assert len(set(found.runs)) == 1
    np.testing.assert_array_equal(found.outputs[0], first[0])


def test_the_manifest_says_how_much_is_kept(project: Project) -> None:
    assert load_project(project.path).model.state_bytes == 6 * 6 * 2
    readme = (project.path / "README.md").read_text()
    assert "| state | 72 bytes kept from one inference to the next |" in readme
    assert "`svdf_reset()` starts a new sequence" in readme


def test_a_model_without_state_has_no_reset(tmp_path: Path) -> None:
    tree = compile_graph(read_model(EXAMPLES / "digits.tflite"), CompileOptions())
    assert tree.state_bytes == 0
    assert "_reset(" not in tree.files["include/digits.h"]
    project = write_project(tree, load_board("mps2-an386"), tmp_path / "p")
    with opened(project, "host") as session:
        session.reset()
        session.infer([np.zeros((1, 8, 8, 1), np.int8)])


def test_state_is_outside_a_shared_arena(tmp_path: Path) -> None:
    """The other model runs before each inference, over all of the arena."""
    shared = replace(CompileOptions(), shared_arena=True)
    trees = [
        compile_graph(read_bytes(MODEL, "svdf.tflite"), shared),
        compile_graph(read_model(EXAMPLES / "digits.tflite"), shared),
    ]
    project = write_project(trees, load_board("mps2-an386"), tmp_path / "p")
    expected = references(read_bytes(MODEL, "svdf.tflite"), Case(MODEL, SAMPLES))
    with opened(project, "host") as session:
        for sample, right in zip(SAMPLES, expected, strict=True):
            np.testing.assert_array_equal(session.infer(sample)[0], right[0])


def test_backends_have_the_same_reset() -> None:
    graph = read_bytes(MODEL, "svdf.tflite")
    for backend in ("c", "cmsis-nn", "tflm"):
        tree = compile_graph(graph, CompileOptions(backend=backend, prefix="m"))
        assert "void m_reset(void);" in tree.files["include/m.h"]
        assert "#define M_STATE_BYTES 72" in tree.files["include/m.h"]
        source = next(text for name, text in tree.files.items() if name in ("src/m.c", "src/m.cc"))
        assert "void m_reset(void)\n{" in source


def test_fit_counts_state() -> None:
    """The arrays are part of what a firmware certainly needs."""
    board = load_board("mps2-an386")
    tree = compile_graph(read_bytes(MODEL, "svdf.tflite"), CompileOptions())
    certain, most = ram_bounds([tree], board)
    assert certain == tree.plan.arena_bytes + 72 + board.stack_bytes
    assert most > certain


def test_a_variable_tensor_of_two_operators_is_refused() -> None:
    given = parts()
    tensors = [given[name] for name in ("source", "features", "times", "bias", "kept", "output", "output")]
    ops = [
        OpDef("SVDF", (0, 1, 2, 3, 4), (out,), Options("SVDFOptions", {"Rank": 2, "FusedActivationFunction": 1}))
        for out in (5, 6)
    ]
    data = model(tensors, ops, [0], [5, 6])
    with pytest.raises(TinygenError, match="two operators keep their state in 't4'") as caught:
        read_bytes(data, "m.tflite")
    assert {d.code for d in caught.value.diagnostics} == {"TG111"}
    opaque = read_bytes(data, "m.tflite", opaque=True)
    assert all(not op.kept for op in opaque.ops)
