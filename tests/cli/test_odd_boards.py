"""Boards whose memories lie as they rarely do: verdicts agree with the linked ELF, and what fits runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.requirement import require
from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.compile import CompileOptions, compile_model
from tinygen.errors import TinygenError
from tinygen.paths import BOARDS, EXAMPLES
from tinygen.project import write_project
from tinygen.target import for_board

DIGITS = EXAMPLES / "digits.tflite"
STACK = 512
"""Bytes: enough for one inference of digits."""
ARENA = 1088
"""Of digits on a core with DSP."""
MAIN = STACK + ARENA
"""The stack and the arena, and nothing for variables."""

BEHIND = None
"""Where the memory before ends."""

LAYOUTS = {
    "equal": (
        ("sram1", "ram", 0x2000_0000, MAIN, 'use = ["data", "stack"]'),
        ("sram2", "ram", 0x3000_0000, MAIN, 'use = ["arena"]'),
    ),
    "behind": (
        ("sram1", "ram", 0x2000_0000, MAIN, 'use = ["data", "stack"]'),
        ("sram2", "ram", BEHIND, ARENA, 'use = ["arena"]'),
    ),
    "stack-behind": (
        ("sram1", "ram", 0x2000_0000, ARENA, 'use = ["data"]'),
        ("sram2", "ram", BEHIND, MAIN, 'use = ["stack", "arena"]'),
    ),
    "external": (
        ("sdram", "external_ram", 0xC000_0000, MAIN, 'use = ["data"]'),
        ("dtcm", "ram", 0x2000_0000, MAIN, 'use = ["stack", "arena"]\ntightly_coupled = true'),
    ),
    "tiny-tcm": (
        ("sram", "ram", 0x2400_0000, MAIN + 1024, 'use = ["data", "stack"]'),
        ("dtcm", "ram", 0x2000_0000, 304, 'use = ["arena"]\ntightly_coupled = true'),
    ),
}
"""For each the memories besides the flash: name, kind, address, bytes, and what they are for."""

CASES = (
    ("equal", 1.0, True),
    ("equal", 0.55, False),
    ("behind", 1.0, True),
    ("behind", 0.8, False),
    ("stack-behind", 1.0, True),
    ("stack-behind", 0.6, False),
    ("external", 1.0, True),
    ("external", 0.55, False),
    ("tiny-tcm", 1.0, True),
    ("tiny-tcm", 0.6, False),
)
"""A layout, how large its memories are of what is said above, and whether digits fits."""


def board(folder: Path, layout: str, share: float = 1.0, grain: int = 8) -> Path:
    """A board file with the memories of a layout, of whole grains."""
    text = (BOARDS / "nucleo-h743zi2.toml").read_text().replace('"nucleo-h743zi2"', '"odd"')
    text = re.sub(r'\[\[memory\]\]\nname = "(dtcm|axi_sram|sram\d|itcm)".*?\n\n', "", text, flags=re.DOTALL)
    text = re.sub("^stack = .*", f'stack = "{STACK} B"', text, flags=re.MULTILINE)
    tables, end = [], 0
    for name, kind, address, size, use in LAYOUTS[layout]:
        start, there = end if address is BEHIND else address, -(-round(size * share) // grain) * grain
        table = f'[[memory]]\nname = "{name}"\nkind = "{kind}"\naddress = {start:#x}\nsize = "{there} B"\n{use}\n'
        tables.append(table + 'source = "made up"\n')
        end = start + there
    file = folder / "odd.toml"
    file.write_text(text.replace("[serial]", "\n".join(tables) + "\n[serial]"))
    return file


@pytest.mark.parametrize(("layout", "share", "fits"), CASES)
def test_the_verdict_is_the_linked_elfs(run_json, tmp_path, layout, share, fits):
    require("zig")
    pytest.importorskip("capstone")
    file = board(tmp_path, layout, share)
    found = run_json("fit", DIGITS, "--board", file, "--compiler", "zig", exit_code=0 if fits else 1)
    assert (found["basis"], found["fits"], found["missing_ram_bytes"] == 0) == ("elf", fits, fits)
    assert all(m["bytes"] <= m["available_bytes"] for m in found["memories"]) == fits
    target = load_board(str(file))
    tree = compile_model(DIGITS, for_board(CompileOptions(), target))
    assert found["arena_bytes"] == tree.plan.arena_bytes
    project = write_project(tree, target, tmp_path / "project")
    refused = None
    try:
        built = build_project(project, tmp_path / "build", compiler="zig", program="minimal")
        assert built.ram_bytes == found["ram_bytes"]
    except TinygenError as problem:
        refused = problem.code
    assert refused == (None if fits else "TG301")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_arena_in_the_other_memory_runs(run_json, tmp_path, layout):
    require("unicorn")
    other = LAYOUTS[layout][1][0]
    to = ("--board", board(tmp_path, layout, 2.0, grain=1024), "--regions", other, "--on", "unicorn")
    verified = run_json("verify", DIGITS, *to, "--samples", "1")
    assert verified["mismatches"] == 0


def test_an_emulator_of_whole_pages_says_so(run, tmp_path):
    require("unicorn")
    file = board(tmp_path, "equal", 2.0)
    shown = run("verify", DIGITS, "--board", file, "--on", "unicorn", "--samples", "1", exit_code=1).stderr
    assert "TG503" in shown
    assert "found sram1 of 3,200 bytes at 0x20000000, accepted by Unicorn: memories of whole pages of " in shown
