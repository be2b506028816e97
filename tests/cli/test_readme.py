"""The commands of README.md run as they are written there, in a folder that has only the examples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.commands import ROOT, console_blocks, run_commands

BLOCKS = console_blocks((ROOT / "README.md").read_text(encoding="utf-8"))


def test_blocks_were_found() -> None:
    assert len(BLOCKS) == 5
    assert all(BLOCKS)
    assert {command.split()[0] for block in BLOCKS for command in block} == {"make", "tinygen"}


@pytest.mark.parametrize("target", [c.split()[1] for block in BLOCKS for c in block if c.startswith("make ")])
def test_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b[0].startswith("tinygen")], ids=lambda b: b[0].split()[1])
def test_commands_succeed(block: list[str], tmp_path: Path) -> None:
    run_commands(block, tmp_path)
