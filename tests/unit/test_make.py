"""The Makefile without its tools: help for every target, and clear words when python3 is not good enough."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.requirement import need

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    need("make", shutil.which("make") is not None, "make")
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_make_alone_shows_every_target(tmp_path: Path) -> None:
    done = make(tmp_path)
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.M)
    assert phony is not None
    assert re.findall(r"^  make ([a-z-]+)", done.stdout, re.M) == phony[1].split()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile", "pyproject.toml"]


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ('[ "$1" = --version ] && echo Python 3.9.2 || exit 1', "tinygen needs python3 >= 3.11, found Python 3.9.2"),
        ('case "$2" in *version_info*) ;; *) exit 1 ;; esac', "apt-get install python3-venv"),
    ],
    ids=["too old", "no venv"],
)
def test_an_unusable_python_is_named(script: str, complaint: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    done = make(tmp_path, f"PYTHON={python}", "demo")
    assert done.returncode != 0
    assert complaint in done.stdout
    assert not (tmp_path / ".venv").exists()


def test_an_absent_python_is_named(tmp_path: Path) -> None:
    done = make(tmp_path, "PYTHON=no-such-python", "demo")
    assert done.returncode != 0
    assert "there is no 'no-such-python'" in done.stdout


def test_continuous_integration_uses_targets_that_exist() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=False).returncode == 0
    targets = re.findall(r"^(?:retry )?make ([^ \n]+)", script, re.M)
    assert {"demo", "test"} <= set(targets)
    assert all(re.search(rf"^{re.escape(t.replace('.venv', '$(VENV)'))}:", MAKEFILE, re.M) for t in targets)
