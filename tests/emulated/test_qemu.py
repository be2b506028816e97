"""The same ELF on Unicorn and on QEMU: equal outputs and equal instruction counts of the inference."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.emulated.qemu import Qemu, build_plugin
from tests.emulated.trivial_model import Fault, trivial_inputs, trivial_output, trivial_tree
from tests.requirement import require
from tinygen.boards import load_board
from tinygen.build.builder import Built, build_project
from tinygen.compile import CompileOptions, compile_model
from tinygen.errors import TinygenError
from tinygen.measurement import Measurement
from tinygen.project import Project, write_project
from tinygen.protocol import BenchClient
from tinygen.run.unicorn import RUNNER

MODELS = Path(__file__).resolve().parents[2].parent / "shared" / "models"
BOARDS = ("mps2-an386", "mps2-an500", "hifive1-revb", "qemu-riscv32-virt")


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("zig", "unicorn", "qemu", "cc")
    return build_plugin(tmp_path_factory.mktemp("plugin"))


def _project(folder: Path, board: str) -> Project:
    return write_project(trivial_tree(), load_board(board), folder)


@functools.cache
def _built(folder: Path, board: str) -> Built:
    return build_project(_project(folder, board), folder / "build", compiler="zig")


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
@pytest.mark.parametrize("board", BOARDS)
def test_equal_outputs_and_counts(plugin: Path, tmp_path: Path, board: str, compiler: str) -> None:
    if compiler == "gcc":
        require("gcc" if load_board(board).core.arch == "thumb" else "riscv")
    inputs = trivial_inputs()
    emulated = _compare(_project(tmp_path, board), plugin, compiler, inputs)
    np.testing.assert_array_equal(emulated.outputs[0], trivial_output(*inputs))


@pytest.mark.parametrize(("model", "board"), [("kws", "mps2-an386"), ("kws", "mps2-an500"), ("ad", "mps2-an386")])
def test_a_real_model(plugin: Path, tmp_path: Path, model: str, board: str) -> None:
    path = MODELS / f"{model}.tflite"
    if not path.exists():
        pytest.skip(f"there is no {path}")
    target = load_board(board)
    tree = compile_model(path, CompileOptions(features=frozenset(target.features)))
    generator = np.random.default_rng(0)
    inputs = [generator.integers(-128, 128, spec.shape).astype(spec.dtype) for spec in tree.inputs]
    _compare(write_project(tree, target, tmp_path), plugin, "zig", inputs)


def _compare(project: Project, plugin: Path, compiler: str, inputs: Sequence[NDArray[Any]]) -> Measurement:
    """Two inferences on both emulators: outputs, counts and stack are equal. Returns what Unicorn measured."""
    with RUNNER.open(project, project.path / "build", compiler=compiler) as session:
        emulated = session.measure(inputs, runs=2)
    built = build_project(project, project.path / "build", compiler=compiler)
    with Qemu(project.board, built.elf, f"{project.model.prefix}_invoke", plugin) as qemu:
        client = BenchClient(qemu)
        client.boot()
        for _ in range(2):
            for index, array in enumerate(inputs):
                client.load(index, array.tobytes())
            client.infer()
            for index, array in enumerate(emulated.outputs):
                assert client.output(index) == array.tobytes()
        assert qemu.counts == emulated.runs
        assert client.memory().stack_used == emulated.stack_bytes
    return emulated


def test_helium_board_runs(plugin: Path) -> None:
    """Unicorn has no Cortex-M55: QEMU shows that the port works."""
    built = _built(plugin.parent / "mps3-an547", "mps3-an547")
    with Qemu(built.board, built.elf, "trivial_invoke", plugin) as qemu:
        client = BenchClient(qemu)
        assert client.boot().board == "mps3-an547"
        for index, array in enumerate(trivial_inputs()):
            client.load(index, array.tobytes())
        client.infer()
        assert client.output(0) == trivial_output(*trivial_inputs()).tobytes()
        assert qemu.counts[0] > 0


@pytest.mark.parametrize(
    ("board", "fault", "text"),
    [
        ("mps2-an386", Fault.CALL_NULL, "usage fault in 0x0: jump without the Thumb bit"),
        ("mps2-an386", Fault.READ, "bus fault in .* at 0xa0000000"),
        ("mps3-an547", Fault.STACK, "bus fault: .*stack overflow at 0x2fff"),
        ("hifive1-revb", Fault.STACK, "trap fault in .*: store access fault at 0x7fff"),
        ("hifive1-revb", Fault.READ, "trap fault in .*: load access fault at 0xa0000000"),
    ],
)
def test_the_firmware_reports_its_own_faults(plugin: Path, board: str, fault: Fault, text: str) -> None:
    built = _built(plugin.parent / board, board)
    with Qemu(built.board, built.elf, "trivial_invoke", plugin) as qemu:
        client = BenchClient(qemu)
        client.boot()
        for index, array in enumerate(trivial_inputs(fault)):
            client.load(index, array.tobytes())
        with pytest.raises(TinygenError, match=text) as caught:
            client.infer()
    assert caught.value.code == "TG501"
