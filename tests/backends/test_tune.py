"""tinygen tune: exact counts, resuming, workers, a cluster, and files that are not what they should be."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.ops.builder import TensorDef
from tests.ops.strategies import int8
from tests.ops.test_fully_connected import dense
from tests.requirement import require
from tinygen import tune as tuning
from tinygen.backends.utvm.decision import Decision, Dot
from tinygen.backends.utvm.tuning import Target, Tuning, load_tuning, save_tuning
from tinygen.boards import load_board
from tinygen.build.tuned import tuning_findings
from tinygen.compile import CompileOptions, compile_model
from tinygen.errors import TinygenError, error
from tinygen.project import write_project
from tinygen.run import find_runner
from tinygen.tune import TuningResult, tune

BOARD = "mps2-an500"
TARGET = Target("cortex-m7", ("dsp",), "gcc 12.2.1", "-O2")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A layer of few candidates."""
    rng = np.random.default_rng(1)
    weights = TensorDef.constant(int8(rng, (2, 6)), [0.003])
    path = tmp_path / "dense.tflite"
    path.write_bytes(dense(TensorDef.activation((1, 6)), weights, None, TensorDef.activation((1, 2))))
    return path


def tuned(model: Path, file: Path, **options: object) -> TuningResult:
    require("tvm", "unicorn", "zig")
    return tune(model, load_board(BOARD), file, CompileOptions(), compiler="zig", **options)  # type: ignore[arg-type]


def stop_after(count: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done == count:
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_search_goes_on_and_workers_do_not_matter(model: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "one.json", tmp_path / "other.json"
    with pytest.raises(KeyboardInterrupt):
        tuned(model, file, progress=stop_after(2))
    (counts,) = load_tuning(file).layers.values()
    assert len(counts) >= 2
    rest = tuned(model, file)
    assert rest.reused == len(counts)
    assert rest.measured > 0
    whole = tuned(model, other, workers=2)
    assert whole.measured == rest.measured + rest.reused
    assert file.read_bytes() == other.read_bytes()
    assert rest.layers == whole.layers
    before = file.read_bytes()
    assert tuned(model, file).measured == 0
    assert file.read_bytes() == before


def test_counts_are_those_of_the_code_that_is_generated(model: Path, tmp_path: Path) -> None:
    file, board = tmp_path / "tuning.json", load_board(BOARD)
    (layer,) = tuned(model, file).layers
    assert layer.instructions <= (layer.untuned_instructions or 0)
    options = CompileOptions(prefix="layer", backend="utvm", features=frozenset(board.features), tuning=file)
    tree = compile_model(model, options)
    assert layer.decision in tree.files["src/kernels/layer_tvm.h"]
    assert "tuned by tuning.json" in tree.files["src/layer.c"]
    project = write_project(tree, board, tmp_path / "project")
    with find_runner("unicorn").open(project, tmp_path / "build", compiler="zig") as session:
        # The input's values may take other branches of the rounding, by an instruction or two.
        assert session.measure([np.zeros((1, 6), np.int8)]).count == pytest.approx(layer.instructions, abs=8)


def test_a_cluster_counts_the_same(model: Path, tmp_path: Path) -> None:
    require("dask")
    from distributed import LocalCluster

    file, other = tmp_path / "one.json", tmp_path / "other.json"
    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as cluster:
        tuned(model, file, scheduler=cluster.scheduler_address)
    tuned(model, other)
    assert file.read_bytes() == other.read_bytes()


def test_a_scheduler_that_does_not_answer(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("dask")
    monkeypatch.setattr(tuning, "_ANSWER", "1s")
    with pytest.raises(TinygenError, match=r"TG432.*no scheduler answers at tcp://127\.0\.0\.1:9"):
        tuned(model, tmp_path / "x.json", scheduler="tcp://127.0.0.1:9")


def test_wrong_outputs_are_not_chosen(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "interpret", lambda graph, inputs, numerics: (np.full((1, 2), 77, np.int8),))
    with pytest.raises(TinygenError, match=r"TG433.*no schedule of"):
        tuned(model, tmp_path / "x.json")
    (counts,) = load_tuning(tmp_path / "x.json").layers.values()
    assert set(counts.values()) == {None}


def test_files_read_back_and_the_best_is_the_least(tmp_path: Path) -> None:
    tuned = Tuning(TARGET).having("b", Decision(1, 2, 4), 70).having("b", Decision(2, 2, 4), 50)
    tuned = tuned.having("a", Decision(1, 1, 4, dot=Dot.WIDE), None).having("b", Decision(4, 2, 4), None)
    save_tuning(tuned, tmp_path / "x.json")
    assert load_tuning(tmp_path / "x.json") == tuned
    assert tuned.best("b") == Decision(2, 2, 4)
    assert tuned.best("a") is None
    assert list(json.loads((tmp_path / "x.json").read_text())["layers"]) == ["a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"format": 2}',
        '{"format": 3, "target": {}, "layers": {}}',
        '{"format": 3, "target": {"cpu": "x", "features": [], "compiler": "y", "optimize": "-O2"}, "layers": {"a": 1}}',
        '{"format": 3, "target": {"cpu": "x", "features": [], "compiler": "y", "optimize": "-O2"}, "layers": {"a":'
        ' {"2 by 2": 1}}}',
        '{"format": 3, "target": {"cpu": "x", "features": [], "compiler": "y", "optimize": "-O2"}, "layers": {"a":'
        ' {"2x2, 4 taps": true}}}',
    ],
)
def test_damaged_files_are_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(TinygenError, match=r"TG430.*is not a tuning file"):
        load_tuning(path)


def test_files_of_other_targets_are_told(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    save_tuning(Tuning(TARGET), file)
    with pytest.raises(TinygenError, match=r"TG431.*is for cortex-m7 with dsp, gcc 12\.2\.1 -O2, and this is"):
        tuned(model, file)


def test_another_core_or_compiler_than_the_tunings_is_told() -> None:
    board = load_board(BOARD)
    assert tuning_findings(TARGET.brief, board, "gcc 12.2.1 -O2") == ()
    assert tuning_findings("", board, "zig 0.13.0 -O2") == ()
    for compiler in ("gcc 13.2.1 -O2", "gcc 12.2.1 -O3", "zig 0.13.0 -O2"):
        (found,) = tuning_findings(TARGET.brief, board, compiler)
        assert found.code == "TG434"
        assert f"counted for cortex-m7, gcc 12.2.1 -O2, in a build for cortex-m7, {compiler}" in found.message
    assert tuning_findings(TARGET.brief, load_board("mps2-an386"), "gcc 12.2.1 -O2")


def test_errors_survive_the_way_between_processes() -> None:
    found = pickle.loads(pickle.dumps(error("TG402", "no", hints=("yes",))))
    assert found.code == "TG402"
    assert found.diagnostics[0].hints == ("yes",)
