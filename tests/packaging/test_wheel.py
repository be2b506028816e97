"""The wheel has everything in it: what git tracks of the data folders, and a demo that runs away from the checkout."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.requirement import need

ROOT = Path(__file__).resolve().parents[2]
DATA = ("templates", "boards", "firmware", "renode", "examples")
LEFT_OUT = {
    "examples/build_person.py",
    "examples/build_zoo.py",
    "examples/person.tflite",
    "examples/quantize.py",
    "examples/train_digits.py",
    "examples/zoo.tflite",
}


def hatchling(target: str, source: Path, out: Path) -> Path:
    """Builds with the backend directly, so that no package index is needed."""
    pytest.importorskip("hatchling", reason="needs hatchling: pip install 'tinygen[dev]'")
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = out.iterdir()
    return built


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hatchling("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def away(**more: str) -> dict[str, str]:
    """The environment without anything that leads back to the checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | more


def test_wheel_has_the_package_and_its_data(wheel: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "tinygen", *DATA], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    present = {name for name in tracked if name and (ROOT / name).is_file()}
    wanted = {n if n.startswith("tinygen/") else f"tinygen/_data/{n}" for n in present - LEFT_OUT}
    assert wanted - files_of(wheel) == set()


def test_wheel_has_nothing_else(wheel: Path) -> None:
    names = files_of(wheel)
    assert all(name.startswith("tinygen/") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("tinygen/_data/tests")]


def test_sdist_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = hatchling("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    assert files_of(hatchling("wheel", source, tmp_path / "again")) == files_of(wheel)


def test_unpacked_wheel_runs_the_demo(wheel: Path, tmp_path: Path) -> None:
    for name, package in (("zig", "ziglang"), ("unicorn", "unicorn"), ("litert", "ai_edge_litert")):
        need(name, importlib.util.find_spec(package) is not None, package)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    command = [sys.executable, "-m", "tinygen", "demo"]
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run(
        command, cwd=empty, env=away(PYTHONPATH=str(tmp_path / "site")), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert (empty / "out" / "demo" / "report.html").is_file()


@pytest.mark.wheel
def test_installed_wheel_runs_the_demo(wheel: Path, tmp_path: Path) -> None:
    index = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(tmp_path / "probe"), "click"],
        capture_output=True,
        text=True,
        check=False,
    )
    if index.returncode != 0:
        pytest.skip(f"no package index can be reached: {index.stderr.strip().splitlines()[-1:]}")
    environment, empty = tmp_path / "environment", tmp_path / "empty"
    venv.create(environment, with_pip=True)
    empty.mkdir()
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", f"{wheel}[emulate,verify]"]
    subprocess.run(pip, cwd=empty, env=away(), check=True)
    demo = [str(environment / "bin" / "tinygen"), "demo"]
    done = subprocess.run(demo, cwd=empty, env=away(), capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert (empty / "out" / "demo" / "report.html").is_file()
