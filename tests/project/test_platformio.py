"""`pio run` builds what is generated: real PlatformIO, with a platform of our own that needs no download."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.layouts import ECOSYSTEMS, contents, run, written
from tests.requirement import need
from tests.unit.trivial_model import trivial_tree
from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.project import write_project
from tinygen.project.formats import formats

BOARD = load_board("stm32f746g-disco")


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    """A copy of the local platform, and a core folder whose SCons is that of pip."""
    for package in ("SCons", "platformio"):
        need("platformio", importlib.util.find_spec(package) is not None, package)
    from platformio.dependencies import get_core_dependencies

    shutil.copytree(ECOSYSTEMS / "platformio", tmp_path / "local")
    scons = tmp_path / "core" / "packages" / "tool-scons"
    scons.mkdir(parents=True)
    version = get_core_dependencies()["tool-scons"].removeprefix("~")
    spec = {"owner": "platformio", "id": None, "name": "tool-scons", "requirements": None, "uri": None}
    package = {"name": "tool-scons", "version": version}
    (scons / "package.json").write_text(json.dumps({**package, "description": "SCons as pip installed it"}))
    (scons / ".piopm").write_text(json.dumps({"type": "tool", **package, "spec": spec}))
    (scons / ".piokeep").write_text("")
    (scons / "scons.py").write_text("import SCons.Script\n\nSCons.Script.main()\n")
    return tmp_path / "local"


def board(platform: Path, name: str, prefix: str) -> None:
    """Adds a board to the platform whose compilers begin with `prefix`."""
    (platform / "boards").mkdir(exist_ok=True)
    content = {
        "name": name,
        "vendor": "",
        "url": "",
        "frameworks": [],
        "build": {"mcu": "", "f_cpu": "1L", "prefix": prefix},
        "upload": {"maximum_size": BOARD.flash_capacity, "maximum_ram_size": BOARD.ram_capacity},
    }
    (platform / "boards" / f"{name}.json").write_text(json.dumps(content))


def pio_run(platform: Path, project: Path) -> str:
    """What `pio run` says; it must succeed, and cannot download anything."""
    environment = {
        **os.environ,
        "PLATFORMIO_CORE_DIR": str(platform.parent / "core"),
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL": "100000",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "platformio", "run"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_firmware(platform: Path, tmp_path: Path) -> None:
    """It is the very firmware that tinygen builds with the same compiler."""
    need("gcc", shutil.which(BOARD.core.gcc) is not None, BOARD.core.gcc)
    assert BOARD.platformio is not None
    board(platform, BOARD.platformio.board, BOARD.core.gcc.removesuffix("gcc"))
    project = write_project(trivial_tree(), BOARD, tmp_path / "project", format=formats()["platformio"])
    ini = tmp_path / "project" / "platformio.ini"
    text = ini.read_text()
    ini.write_text(text.replace(f"platform = {BOARD.platformio.platform}\n", f"platform = symlink://{platform}\n"))
    assert ini.read_text() != text
    said = pio_run(platform, tmp_path / "project")
    assert "warning" not in said
    built = build_project(project, tmp_path / "build", compiler="gcc")
    elf = tmp_path / "project" / ".pio" / "build" / BOARD.id / "program.elf"
    assert contents(elf) == contents(built.elf)
    assert re.search(r"Flash:.*used [1-9]\d+ bytes", said)


def test_a_library(platform: Path, tmp_path: Path) -> None:
    """In lib/ it is found by its header, and the example runs on this computer."""
    need("cc", shutil.which("gcc") is not None, "gcc")
    board(platform, "computer", "")
    project = tmp_path / "project"
    written(formats()["platformio"], "two", project / "lib" / "first_second")
    (project / "src").mkdir()
    shutil.copy(project / "lib/first_second/examples/first_second/main.c", project / "src")
    (project / "platformio.ini").write_text(f"[env:computer]\nplatform = symlink://{platform}\nboard = computer\n")
    said = pio_run(platform, project)
    assert "first_second @ 1.0.0" in said
    assert run(project / ".pio/build/computer/program.elf").startswith("First output 0: ")
