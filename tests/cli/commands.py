"""The commands in console blocks of a page, run as they are written there."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.requirement import need

ROOT = Path(__file__).resolve().parents[2]
# A word of a command: the word in TINYGEN_REQUIRE and the package that command needs.
NEEDS = {
    "unicorn": ("unicorn", "unicorn"),
    "build": ("zig", "ziglang"),
    "fit": ("zig", "elftools"),
    "verify": ("litert", "ai_edge_litert"),
}


def console_blocks(page: str) -> list[list[str]]:
    """The commands of each console block."""
    return [re.findall(r"^\$ (.+)$", block, re.M) for block in re.findall(r"```console\n(.*?)```", page, re.S)]


def run_commands(commands: Sequence[str], folder: Path) -> str:
    """What the commands say, run one after the other in a folder that has only the examples; all must succeed."""
    text = "\n".join(commands)
    for word, (name, package) in NEEDS.items():
        if word in text:
            need(name, importlib.util.find_spec(package) is not None, package)
    (folder / "examples").symlink_to(ROOT / "examples")
    script = f'set -euo pipefail\ntinygen() {{ "{sys.executable}" -m tinygen "$@"; }}\n{text}\n'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
