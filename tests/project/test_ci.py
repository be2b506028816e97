"""`generate --ci`: the workflow's own commands, Renode's tests with QEMU in its place, and what must fail does."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.emulated.noisy_line import Target
from tests.project.layouts import ECOSYSTEMS
from tests.requirement import need, require
from tests.unit.trivial_model import trivial_tree
from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.ci import continuous_integration
from tinygen.compile import CompileOptions, compile_models
from tinygen.errors import TinygenError
from tinygen.paths import EXAMPLES
from tinygen.project import Project, write_project
from tinygen.project.ci import Ci, Golden, GoldenSample
from tinygen.run import find_runner
from tinygen.samples import random_sample
from tinygen.tflite.reader import read_model

MODEL = EXAMPLES / "digits.tflite"
BOARD = load_board("hifive1-revb")
"""QEMU and Renode know it, and with -icount QEMU's mcycle counts instructions, as Renode's does."""

TEXT = {"type": "string", "minLength": 1}
STEP = {
    "type": "object",
    "properties": {"name": TEXT, "uses": TEXT, "run": TEXT, "with": {"type": "object"}, "if": TEXT},
    "additionalProperties": False,
    "oneOf": [{"required": ["uses"]}, {"required": ["run"]}],
}
WORKFLOW = {
    "type": "object",
    "required": ["name", "jobs"],
    "properties": {
        "jobs": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["runs-on", "steps"],
                "properties": {"steps": {"type": "array", "items": STEP}},
            },
        }
    },
}


def generate(folder: Path, *prefixes: str, board: str = BOARD.id, instructions: int | None = None) -> Project:
    """The digit classifier's project with CI, once for each prefix."""
    files = [MODEL] * len(prefixes)
    trees = compile_models(files, CompileOptions(), prefixes=prefixes)
    target = load_board(board)
    ci = continuous_integration(files, trees, target, instructions=instructions)
    return write_project(trees, target, folder, ci=ci)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    require("zig", "unicorn")
    return generate(tmp_path_factory.mktemp("ci") / "project", "digits")


@pytest.fixture(scope="module")
def elf(project: Project) -> Path:
    return build_project(project, project.path / "build", compiler="zig").elf


@pytest.fixture
def library(project: Project) -> Iterator[ModuleType]:
    """The generated Python, as Robot imports it."""
    spec = importlib.util.spec_from_file_location("bench_library", project.path / "golden" / "bench_library.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    module.disconnect()


def steps(project: Project) -> dict[str, dict[str, object]]:
    """The workflow's named steps."""
    workflow = yaml.safe_load((project.path / ".github/workflows/firmware.yml").read_text(encoding="utf-8"))
    Draft202012Validator(WORKFLOW).validate(workflow)
    (job,) = workflow["jobs"].values()
    assert job["strategy"]["matrix"]["model"] == [model.prefix for model in project.manifest.models]
    return {step["name"]: step for step in job["steps"] if "name" in step}


def test_the_workflow_runs(tmp_path: Path) -> None:
    """Its own lines, but for what it installs: build and QEMU, of two models the second."""
    require("zig", "unicorn", "qemu")
    project = generate(tmp_path / "project", "first", "second")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for name in ("Build; the linker refuses what does not fit", "Sizes", "Run in QEMU"):
        script = str(steps(project)[name]["run"]).replace("${{ matrix.model }}", "second")
        script = "".join(line for line in script.splitlines(keepends=True) if not line.startswith("sudo "))
        done = subprocess.run(
            ["bash", "-e", "-c", script], cwd=project.path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    assert re.findall(r"^(\S+)", done.stdout, re.M) == ["ok"] * 4
    first = (project.path / "golden" / "first.json").read_text(encoding="utf-8")
    (project.path / "golden" / "second.json").write_text(first, encoding="utf-8")
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=project.path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "FAILED  model should be the one of this project: model: found second, expected first" in done.stdout


def test_the_robot_file_runs(project: Project, elf: Path, tmp_path: Path) -> None:
    """By Robot Framework itself, every test of it, with stand-ins for Renode's keywords."""
    require("qemu")
    need("robot", importlib.util.find_spec("robot") is not None, "robotframework")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    variables = {"RENODEKEYWORDS": ECOSYSTEMS / "renode" / "keywords.robot", "ELF": elf, "PORT": port}
    options = [word for name, value in variables.items() for word in ("--variable", f"{name}:{value}")]
    done = subprocess.run(
        [sys.executable, "-m", "robot", *options, "--outputdir", tmp_path, project.path / "renode" / "bench.robot"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "BENCH_SECONDS": "60"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "5 tests, 5 passed, 0 failed" in done.stdout, done.stdout + done.stderr


def test_robot_finds_nothing_wrong_in_the_file(project: Project) -> None:
    need("robot", importlib.util.find_spec("robot") is not None, "robotframework")
    from robot.api import get_model
    from robot.api.parsing import ModelVisitor

    class Errors(ModelVisitor):
        found: tuple[str, ...] = ()

        def visit_Error(self, node) -> None:  # noqa: N802 - Robot's name
            self.found += tuple(node.errors)

    model = get_model(str(project.path / "renode" / "bench.robot"))
    errors = Errors()
    errors.visit(model)
    assert errors.found == ()
    # Robot takes `name=value` for a named argument; the one equals sign is that of an assignment.
    cells = re.split(r" {4,}|\n", (project.path / "renode" / "bench.robot").read_text(encoding="utf-8"))
    assert [cell for cell in cells if "=" in cell and not cell.startswith("#")] == ["${count}="]


def connected(library: ModuleType, project: Project, target: Target, folder: Path, **changes: object) -> ModuleType:
    """The library on a firmware, with a golden file that was changed."""
    golden = json.loads((project.path / "golden" / "digits.json").read_text(encoding="utf-8"))
    (folder / "changed.json").write_text(json.dumps(golden | changes), encoding="utf-8")
    library.connect(folder / "changed.json", "127.0.0.1", str(target.port))
    return library


def test_what_is_wrong_fails(library: ModuleType, project: Project, elf: Path, tmp_path: Path) -> None:
    require("qemu")
    golden = json.loads((project.path / "golden" / "digits.json").read_text(encoding="utf-8"))
    (first, *others) = golden["samples"]
    wrong = [{**first, "outputs": ["AAAAAAAAAAAAAA=="]}, *others]
    short = [{**first, "inputs": ["AAAA"]}, *others]
    checks = [
        ({}, "instructions_should_be_within_the_budget", None),
        ({"sha256": "0" * 16}, "model_should_be_the_one_of_this_project", "sha256: found"),
        ({"board": "rpi-pico"}, "model_should_be_the_one_of_this_project", "board: found hifive1-revb"),
        ({"arena_bytes": 1}, "arena_should_be_as_planned", "planned were 1"),
        ({"instructions_at_most": 1}, "instructions_should_be_within_the_budget", "the budget is 1"),
        ({"samples": wrong}, "golden_inputs_should_give_golden_outputs", "sample 0, output 0: "),
    ]
    with Target(BOARD, elf) as target:
        for changes, check, problem in checks:
            connected(library, project, target, tmp_path, **changes)
            if problem is None:
                assert getattr(library, check)() <= golden["instructions_at_most"]
            else:
                with pytest.raises(AssertionError, match=re.escape(problem)):
                    getattr(library, check)()
            library.disconnect()
            target.restart()
        connected(library, project, target, tmp_path, samples=short)
        with pytest.raises(AssertionError, match="input 0 has 64 bytes in the firmware, 3 in the golden file"):
            library.golden_inputs_should_give_golden_outputs()


def test_a_line_that_is_dead_or_damaged(library: ModuleType, project: Project) -> None:
    library.SECONDS = 0.2
    golden = project.path / "golden" / "digits.json"
    with socket.create_server(("127.0.0.1", 0)) as server:
        library.connect(golden, "127.0.0.1", server.getsockname()[1])
        with pytest.raises(AssertionError, match=r"has said nothing for 0\.2 s"):
            library.firmware_should_be_ready()
        connection, _ = server.accept()
        connection.sendall(b"noise\ntg hello model=digits sum=00000000\n")
        with pytest.raises(AssertionError, match="a line arrived damaged: tg hello"):
            library.firmware_should_be_ready()
        refusal = b"tg error reason=busy"
        connection.sendall(refusal + b" sum=%08x\n" % zlib.crc32(refusal))
        with pytest.raises(AssertionError, match=r"found 'tg error reason=busy .*', expected 'tg hello'"):
            library.firmware_should_be_ready()
        connection.close()
        with pytest.raises(AssertionError, match="the serial line was closed"):
            library.firmware_should_be_ready()
        port = server.getsockname()[1]
    with pytest.raises(OSError, match="refused"):
        library.connect(golden, "127.0.0.1", port)


def test_the_budget_is_what_an_emulator_counts(project: Project, tmp_path: Path) -> None:
    golden = json.loads((project.path / "golden" / "digits.json").read_text(encoding="utf-8"))
    with find_runner("unicorn").open(project, tmp_path) as session:
        count = session.measure(random_sample(read_model(MODEL), 0, 0)).count
    assert golden["instructions_at_most"] == count + count // 20


def test_a_board_that_nothing_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unicorn has no Cortex-M55, and where QEMU is missing the user has to say the budget."""
    require("zig", "unicorn")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TinygenError, match=r"unicorn: .*\nqemu: .*") as caught:
        generate(tmp_path / "project", "digits", board="mps3-an547")
    assert caught.value.code == "TG419"
    project = generate(tmp_path / "project", "digits", board="mps3-an547", instructions=12345)
    golden = json.loads((project.path / "golden" / "digits.json").read_text(encoding="utf-8"))
    assert golden["instructions_at_most"] == 12345


@pytest.mark.parametrize(
    ("board", "qemu", "renode"), [("rpi-pico", False, False), ("nrf52840dk", False, True), ("mps2-an386", True, False)]
)
def test_emulators_without_the_board_are_left_out(board: str, qemu: bool, renode: bool, tmp_path: Path) -> None:
    golden = Golden((GoldenSample((bytes(4),), (bytes(4),)),), 1000)
    project = write_project(trivial_tree(), load_board(board), tmp_path, ci=Ci((golden,), "0.17.0"))
    assert ("Run in QEMU" in steps(project), "Run in Renode" in steps(project)) == (qemu, renode)
    assert (tmp_path / "renode" / "bench.robot").exists() == renode
    assert (tmp_path / "renode" / f"{board}.resc").exists() == renode


def test_renodes_step(project: Project) -> None:
    step = steps(project)["Run in Renode"]
    assert str(step["uses"]).startswith("antmicro/renode-test-action@")
    assert (project.path / str(step["with"]["tests-to-run"])).is_file()
    # Helium works in Renode after its latest release only.
    assert step["with"]["renode-revision"] == "v1.16.1"
