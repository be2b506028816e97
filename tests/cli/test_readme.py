"""The commands of README.md run as they are written there, in a folder that has only the examples."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirement import need

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [re.findall(r"^\$ (.+)$", block, re.M) for block in re.findall(r"```console\n(.*?)```", README, re.S)]
# A word of a command: the word in TINYGEN_REQUIRE and the package that command needs.
NEEDS = {
    "unicorn": ("unicorn", "unicorn"),
    "build": ("zig", "ziglang"),
    "fit": ("zig", "elftools"),
    "verify": ("litert", "ai_edge_litert"),
}


def test_blocks_were_found() -> None:
    assert len(BLOCKS) == 5
    assert all(BLOCKS)
    assert {command.split()[0] for block in BLOCKS for command in block} == {"make", "tinygen"}


@pytest.mark.parametrize("target", [c.split()[1] for block in BLOCKS for c in block if c.startswith("make ")])
def test_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b[0].startswith("tinygen")], ids=lambda b: b[0].split()[1])
def test_commands_succeed(block: list[str], tmp_path: Path) -> None:
    text = "\n".join(block)
    for word, (name, package) in NEEDS.items():
        if word in text:
            need(name, importlib.util.find_spec(package) is not None, package)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    script = f'set -euo pipefail\ntinygen() {{ "{sys.executable}" -m tinygen "$@"; }}\n{text}\n'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
