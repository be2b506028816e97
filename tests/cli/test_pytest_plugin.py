"""The plugin for pytest, run as users run it: in a process of its own, on a project of theirs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.cli.commands import ROOT, console_blocks
from tests.requirement import require
from tests.unit.trivial_model import trivial_tree
from tinygen.boards import load_board
from tinygen.project import write_project

PLUGIN = "tinygen.pytest_plugin"
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.S)

# The trivial model answers offset - x, with offsets that depend on x; see tests/unit/trivial_model.py.
TESTS = """
import numpy as np
import pytest

from tinygen.errors import TinygenError

INPUT = np.array([[0, 1, 2, 3]], np.int8)


def test_infer(device):
    (found,) = device.infer([INPUT])
    assert (found.shape, found.dtype) == ((1, 4), np.int8)
    device.load(0, INPUT)
    assert (device.infer()[0] == found).all()


def test_every_test_begins_with_nothing_loaded(device):
    with pytest.raises(TinygenError, match="nothing was loaded into in") as caught:
        device.infer()
    assert caught.value.code == "TG505"


def test_wrong_inputs(device):
    for index, array in ((0, INPUT.astype(np.float32)), (0, INPUT[0]), (1, INPUT), (-1, INPUT)):
        with pytest.raises(TinygenError) as caught:
            device.load(index, array)
        assert caught.value.code == "TG505"
    with pytest.raises(TinygenError, match="found 2 input arrays, accepted: 1"):
        device.infer([INPUT, INPUT])
"""
COUNTS = """
def test_counts(device):
    device.load(0, INPUT)
    assert device.measure(3).runs == (device.measure().count,) * 3
    (layer,) = device.layers()
    assert (layer.op, layer.count > 0) == ("NEG", True)
    memory = device.memory()
    assert memory.arena_bytes == 64
    assert 0 < memory.stack_used_bytes < memory.stack_bytes
"""


def run_pytest(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """pytest in a folder; the plugin is named where tinygen is not installed with its entry point."""
    known = any(point.value == PLUGIN for point in entry_points(group="pytest11"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *([] if known else ["-p", PLUGIN])]
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_project(trivial_tree(), load_board("mps2-an386"), tmp_path / "firmware")
    (tmp_path / "test_device.py").write_text(TESTS)
    return tmp_path


def test_on_an_emulator(folder: Path) -> None:
    require("zig", "unicorn")
    (folder / "test_device.py").write_text(TESTS + COUNTS)
    done = run_pytest(folder, "--tinygen-on", "unicorn", "--tinygen-project", "firmware")
    assert "4 passed" in done.stdout, done.stdout


def test_settings_in_a_file(folder: Path) -> None:
    """Relative to that file, wherever pytest is started; the command line goes before."""
    require("cc")
    (folder / "pytest.ini").write_text("[pytest]\ntinygen_on = nowhere\ntinygen_project = firmware\n")
    (folder / "below").mkdir()
    done = run_pytest(folder / "below", "-v", "--tinygen-on", "host", "..")
    assert "3 passed" in done.stdout, done.stdout
    assert "tinygen: firmware on host" in done.stdout


def test_without_the_option_tests_skip(folder: Path) -> None:
    done = run_pytest(folder, "-rs")
    assert done.returncode == 0
    assert "3 skipped" in done.stdout
    assert "pytest --tinygen-on RUNNER --tinygen-project DIR" in done.stdout


def test_errors_are_those_of_the_commands(folder: Path) -> None:
    done = run_pytest(folder, "--tinygen-on", "host", "--tinygen-project", "elsewhere")
    assert "Traceback" not in done.stdout
    assert "error[TG405]: elsewhere has no tinygen.json" in done.stdout
    assert "--tinygen-on needs --tinygen-project DIR" in run_pytest(folder, "--tinygen-on", "host").stdout


def test_other_peoples_tests_pay_nothing() -> None:
    code = f"import sys, {PLUGIN}; print([m for m in sys.modules if m.startswith(('tinygen.', 'numpy', 'jinja2'))])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"['{PLUGIN}']"


def test_pytest_finds_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"tinygen": PLUGIN}


def test_the_example_of_the_page(tmp_path: Path) -> None:
    require("zig", "unicorn")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "test_digits.py").write_text(PYTHON[0])
    for command in [command for block in console_blocks(PAGE) for command in block]:
        program, *arguments = command.split()
        if program == "pytest":
            done = run_pytest(tmp_path, *arguments)
            assert "2 passed" in done.stdout, done.stdout
        else:
            run_python(tmp_path, "-m", program, *arguments)
    assert run_python(tmp_path, "-c", PYTHON[1]) == "(1, 8, 8, 1)\n"


def run_python(folder: Path, *arguments: str) -> str:
    """What a program in Python says; it must succeed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout
