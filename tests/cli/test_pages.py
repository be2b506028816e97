"""The commands of pages whose blocks build on each other: each page from its first to its last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import ROOT, console_blocks, run_commands

PAGES = ("bench.md", "flash.md", "projects.md")


@pytest.mark.parametrize("page", PAGES)
def test_commands_succeed(page: str, tmp_path: Path) -> None:
    blocks = console_blocks((ROOT / "docs" / page).read_text(encoding="utf-8"))
    commands = [command for block in blocks for command in block]
    assert {command.split()[0] for command in commands} == {"tinygen"}
    run_commands(commands, tmp_path)
