"""The text protocol of MLPerf Tiny's runner, from its description: on emulated boards, and the same on the host."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.emulated.host_bench import answers, build_host_bench
from tests.ops.builder import OpDef, Options, TensorDef, model, single_op_model
from tests.requirement import require
from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.compile import CompileOptions, compile_model
from tinygen.errors import TinygenError
from tinygen.ir.interpret import interpret
from tinygen.project import Project, load_project, write_project
from tinygen.project.mlperf import mlperf_answers
from tinygen.protocol import BenchClient
from tinygen.run.emulator.machine import Machine, Program
from tinygen.source_tree import SourceTree
from tinygen.tflite import read_bytes

CHUNK = 31
SCALE, ZERO_POINT = 0.0625, 5


def _dense(depth: int, channels: int) -> bytes:
    """A layer that consumes its input, so that one inference after the other needs it written again."""
    rng = np.random.default_rng(depth)
    weights = TensorDef.constant(rng.integers(-127, 128, (channels, depth)).astype(np.int8), [0.002])
    source = TensorDef.activation((1, depth), SCALE, ZERO_POINT)
    result = TensorDef.activation((1, channels), 0.25, -3)
    return single_op_model("FULLY_CONNECTED", Options("FullyConnectedOptions"), [source, weights, None], [result])


def _autoencoder() -> bytes:
    source, result = TensorDef.activation((1, 640), SCALE, ZERO_POINT), TensorDef.activation((1, 640), 0.07, 2)
    return single_op_model("LEAKY_RELU", Options("LeakyReluOptions", {"Alpha": 0.3}), [source], [result])


def _two_of_each() -> bytes:
    source = TensorDef.activation((1, 8), SCALE, ZERO_POINT)
    ops = [OpDef("RELU", (0,), (2,)), OpDef("RELU", (1,), (3,))]
    return model([source, source, source, source], ops, [0, 1], [2, 3])


MODELS: dict[str, Callable[[], bytes]] = {
    "kws01": lambda: _dense(490, 12),
    "vww01": lambda: _dense(96 * 96 * 3, 2),
    "ic01": lambda: _dense(32 * 32 * 3, 10),
    "ad01": _autoencoder,
    "pair": _two_of_each,
}


@functools.cache
def _file(name: str) -> bytes:
    return MODELS[name]()


@functools.cache
def _tree(folder: Path, name: str) -> SourceTree:
    path = folder / f"my_{name}.tflite"
    path.write_bytes(_file(name))
    return compile_model(path, CompileOptions())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("zig", "unicorn")
    return tmp_path_factory.mktemp("mlperf")


@functools.cache
def _project(folder: Path, name: str, board: str) -> Project:
    return write_project(_tree(folder, name), load_board(board), folder / f"{name}-{board}")


class Target:
    """A board that speaks the protocol: a command gives the lines up to m-ready."""

    def __init__(self, project: Project) -> None:
        elf = build_project(project, project.path / "build", compiler="zig").elf
        program = Program(elf, f"{project.model.prefix}_invoke", "", "", project.model.layer_slots)
        self.machine = Machine(project.board, project.path, program)
        self.boot = self._lines()

    def __call__(self, command: str) -> list[str]:
        self.machine.write(f"{command}%".encode("latin-1"))
        return self._lines()

    def load(self, data: bytes) -> list[str]:
        assert self(f"db load {len(data)}") == [f"m-[Expecting {len(data)} bytes]"]
        said = [self(f"db {data[i : i + CHUNK].hex()}") for i in range(0, len(data), CHUNK)]
        assert not any(said[:-1])
        return said[-1]

    def _lines(self) -> list[str]:
        lines: list[str] = []
        while not lines or lines[-1] != "m-ready":
            line = self.machine.read_line()
            assert line.endswith(b"\r\n")
            lines.append(line[:-2].decode("ascii"))
        return lines[:-1]


@functools.cache
def _target(folder: Path, name: str, board: str = "mps2-an386") -> Target:
    return Target(_project(folder, name, board))


def _sample(name: str) -> tuple[bytes, np.ndarray]:
    """What the runner sends, and the int8 input it stands for."""
    rng = np.random.default_rng(7)
    elements = 16 if name == "pair" else int(np.prod(_spec(name)))
    if name == "ad01":
        values = rng.normal(0, 6, elements).astype("<f4")
        values[:6] = (1e3, -1e3, SCALE / 2, -SCALE / 2, 1.5 * SCALE, -2.5 * SCALE)
        steps = values / np.float32(SCALE)
        nearest = np.sign(steps) * np.floor(np.abs(steps) + np.float32(0.5))
        return values.tobytes(), np.clip(nearest + ZERO_POINT, -128, 127).astype(np.int8)
    data = rng.integers(0, 256, elements).astype(np.uint8)
    if name in ("vww01", "ic01"):
        return data.tobytes(), (data.astype(np.int16) - 128).astype(np.int8)
    return data.tobytes(), data.view(np.int8)


def _spec(name: str) -> tuple[int, ...]:
    graph = read_bytes(_file(name), "m.tflite")
    return graph.tensors[graph.inputs[0]].shape


def _reals(name: str, inputs: np.ndarray) -> list[np.ndarray]:
    """The outputs as real numbers, by the reference of each operator."""
    graph = read_bytes(_file(name), "m.tflite")
    parts = np.split(inputs, len(graph.inputs))
    shaped = [part.reshape(graph.tensors[i].shape) for part, i in zip(parts, graph.inputs, strict=True)]
    reals = []
    for tensor, output in zip(graph.outputs, interpret(graph, shaped), strict=True):
        quant = graph.tensors[tensor].quant
        assert quant is not None
        zero_point = quant.zero_points[0]
        reals.append((output.astype(np.int32) - zero_point).astype(np.float32) * np.float32(quant.scales[0]))
    return reals


def _results(name: str) -> str:
    data, inputs = _sample(name)
    values = np.concatenate([real.reshape(-1) for real in _reals(name, inputs)])
    if name == "ad01":
        total = np.float32(0)
        for value, sent in zip(values, np.frombuffer(data, "<f4"), strict=True):
            total += (value - sent) * (value - sent)
        values = np.array([total / np.float32(len(values))])
    return f"m-results-[{','.join(f'{float(v):.3f}' for v in values)}]"


@pytest.mark.parametrize(
    ("name", "board"),
    [
        *((name, "mps2-an386") for name in MODELS),
        ("ad01", "rpi-pico"),
        ("ad01", "hifive1-revb"),
        ("kws01", "hifive1-revb"),
        ("ic01", "arduino-nano-33-ble"),
    ],
)
def test_a_measurement(folder: Path, name: str, board: str) -> None:
    """What the runner does: which board and model, an input, inferences that all begin with it, the results."""
    target = _target(folder, name, board)
    assert target("name") == [f"m-name-dut-[{board}]"]
    identity = "my_pair" if name == "pair" else name
    assert target("profile") == ["m-profile-[tinygen c]", f"m-model-[{identity}]"]
    assert target.load(_sample(name)[0]) == ["m-load-done"]
    lines = target("infer 3 2")
    assert lines[:3] == ["m-warmup-start-2", "m-warmup-done", "m-infer-start-3"]
    first, second = (int(line.removeprefix("m-lap-us-")) for line in lines[3:5])
    assert first <= second
    assert lines[5:] == ["m-infer-done", _results(name)]
    assert target("results") == [_results(name)]


def test_boot_timestamp_and_help(folder: Path) -> None:
    target = Target(_project(folder, "kws01", "mps2-an386"))
    assert target.boot[-1] == "m-init-done"
    assert [line.startswith("m-lap-us-") for line in target("timestamp")] == [True]
    assert len(target("help")) > 5


def test_warmups_are_ten_by_default(folder: Path) -> None:
    target = _target(folder, "kws01")
    target.load(_sample("kws01")[0])
    assert target("infer 1")[0] == "m-warmup-start-10"
    assert target("infer 1 0")[0] == "m-warmup-start-0"


def test_the_buffer_in_hex(folder: Path) -> None:
    target = _target(folder, "kws01")
    assert target.load(bytes(range(0xF6, 0x100))) == ["m-load-done"]
    assert target("db print") == ["m-buffer-f6-f7-f8-f9-fa-fb-fc-fd", "m-buffer-fe-ff"]
    assert target("infer 1") == ["e-[Input has 10 bytes, expected 490]"]


REFUSED = {
    "bogus 1 2": "Unknown command: bogus",
    "tg hello": "Unknown command: tg",
    "namee": "Unknown command: namee",
    "\x01\xff": "Unknown command: ",
    "db": "Command 'db' requires a subcommand",
    "db load": "Command 'db load' requires the number of bytes",
    "db load x": "Command 'db load' requires the number of bytes",
    "db load -1": "Command 'db load' requires the number of bytes",
    "db load 1 1": "Command 'db load' requires the number of bytes",
    "db load 4294967296": "Command 'db load' requires the number of bytes",
    "db load 0": "Command 'db load' must be >0 bytes",
    "db load 4294967295": "The buffer has ",
    "db 00": "Command 'db' requires 'db load' first",
    "infer 0": "Inference iterations must be >0",
    "infer x": "Inference iterations must be >0",
    "infer -1": "Inference iterations must be >0",
    "infer 1000001": "Inference iterations must be >0",
    "infer 1 -1": "Inference warmup must be >=0",
    "infer 1 2 3": "Inference warmup must be >=0",
    "infer": "Input has 0 bytes, expected 490",
    "results": "There are no results",
    "x" * 90: "The command is too long",
}


@pytest.mark.parametrize("command", REFUSED)
def test_refusals(folder: Path, command: str) -> None:
    target = _target(folder, "kws01", "mps2-an500")
    (line,) = target(command)
    assert line.startswith(f"e-[{REFUSED[command]}")
    assert line.endswith("]")
    assert target("name") == ["m-name-dut-[mps2-an500]"]


def test_wrong_digits_leave_the_buffer_as_it_was(folder: Path) -> None:
    target = _target(folder, "kws01")
    target("db load 4")
    assert target("db 01") == []
    assert target("db 0g") == ["e-[Invalid hex digit]"]
    assert target("db 123") == ["e-[Odd number of hex digits]"]
    assert target("db print") == ["m-buffer-01"]
    assert target("db aBcDeFff") == ["m-load-done"]
    assert target("db 00") == ["e-[All bytes are there already]"]
    assert target("db print") == ["m-buffer-01-ab-cd-ef"]


def test_line_ends_between_commands_are_nothing(folder: Path) -> None:
    target = _target(folder, "kws01")
    target.machine.write(b"\r\nname%\r\n\r\n% name%")
    assert [target._lines() for _ in range(3)] == [["m-name-dut-[mps2-an386]"], [], ["m-name-dut-[mps2-an386]"]]


def test_both_protocols_on_one_line(folder: Path) -> None:
    """An inference of the one makes the input of the other stale, and says so."""
    target = _target(folder, "ad01")
    data, inputs = _sample("ad01")
    client = BenchClient(target.machine)
    target.load(data)
    client.load(0, inputs.tobytes())
    client.infer()
    assert target("results") == ["e-[There are no results]"]
    assert target("infer 1 0")[-1] == _results("ad01")
    with pytest.raises(TinygenError, match="refused: inputs"):
        client.infer()


def test_the_same_transcript_on_this_computer(folder: Path) -> None:
    """Sanitizers see no access outside the buffer, and the board's answers are the computer's."""
    require("cc")
    project = _project(folder, "kws01", "mps2-an386")
    data = _sample("kws01")[0]
    commands = ["name", "profile", f"db load {len(data)}"]
    commands += [f"db {data[i : i + CHUNK].hex()}" for i in range(0, len(data), CHUNK)]
    commands += ["db print", "infer 2 1", "results", "db load 5000", "bogus"]
    said = answers(build_host_bench(project), "".join(f"{c}%" for c in commands).encode())
    target = Target(project)
    lines = [line.encode() for command in commands for line in (*target(command), "m-ready")]
    boot = [line for line in said[: said.index(b"m-ready") + 1] if not line.startswith(b"tg ")]
    assert boot == [b"m-init-done", b"m-ready"]
    differ = [pair for pair in zip(said[said.index(b"m-ready") + 1 :], lines, strict=True) if pair[0] != pair[1]]
    allowed = (b"m-lap-us-", b"e-[The buffer has ", b"m-[Expecting 5000")
    assert all(pair[0].startswith(allowed) for pair in differ)


def test_the_model_is_guessed_unless_named(folder: Path, tmp_path: Path) -> None:
    trees = [_tree(folder, name) for name in ("kws01", "pair")]
    assert [a.id for a in mlperf_answers(trees)] == ["kws01", "my_pair"]
    assert [a.id for a in mlperf_answers(trees, ("none", "none"))] == ["my_kws01", "my_pair"]
    (raw,) = mlperf_answers([_tree(folder, "ic01")], ("none",))
    assert (raw.id, raw.sends, raw.wants) == ("my_ic01", "raw", "outputs")
    with pytest.raises(TinygenError, match="my_pair is not vww01: found 2 inputs and 2 outputs") as caught:
        write_project(trees[1], load_board("mps2-an386"), tmp_path / "p", mlperf=("vww01",))
    assert caught.value.code == "TG316"
    assert not (tmp_path / "p").exists()
    with pytest.raises(TinygenError, match="found 490 elements of input, accepted: 640"):
        mlperf_answers([_tree(folder, "kws01")], ("ad01",))


def test_the_manifest_says_as_what_it_answers(folder: Path) -> None:
    written = _project(folder, "vww01", "mps2-an386")
    assert load_project(written.path).model.mlperf == "vww01"
