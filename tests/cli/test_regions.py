"""Arenas over several memories of a board: only where one is too small, or where the user names them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.requirement import require
from tinygen.paths import BOARDS, EXAMPLES

MODELS = Path(__file__).parents[3] / "shared" / "models"
DIGITS = EXAMPLES / "digits.tflite"


@pytest.fixture
def two_memories(tmp_path):
    """A board file with so many bytes of DTCM, for the stack and the arena, and of AXI SRAM, and no other RAM."""

    def board(dtcm: int, axi: int, stack: int = 4096) -> Path:
        text = (BOARDS / "nucleo-h743zi2.toml").read_text()
        text = re.sub(r'\[\[memory\]\]\nname = "(sram\d|itcm)".*?\n\n', "", text, flags=re.DOTALL)
        text = text.replace('"nucleo-h743zi2"', '"two-memories"').replace('"128 KiB"', f'"{dtcm} B"')
        text = re.sub("^stack = .*", f'stack = "{stack} B"', text, flags=re.MULTILINE)
        file = tmp_path / "two-memories.toml"
        file.write_text(text.replace('"512 KiB"', f'"{axi} B"'))
        return file

    return board


def test_what_is_too_large_for_either_memory_fits_over_both(run, run_json, two_memories):
    model = MODELS / "person_detect.tflite"
    if not model.is_file():
        pytest.skip(f"no {model}")
    require("unicorn")
    board = two_memories(14 * 1024, 12 * 1024)
    alone = run_json("fit", model, "--board", board, "--regions", "single", exit_code=1)
    both = run_json("fit", model, "--board", board)
    assert (alone["fits"], alone["basis"], alone["regions"]) == (False, "elf", [])
    assert (both["fits"], both["basis"]) == (True, "elf")
    assert [region["name"] for region in both["regions"]] == ["dtcm"]
    assert 0 < both["regions"][0]["bytes"] <= both["regions"][0]["available_bytes"] == 10 * 1024
    main, dtcm = both["memories"]
    assert (main["name"], dtcm["name"]) == ("axi_sram", "dtcm")
    assert main["arena_bytes"] + dtcm["arena_bytes"] == both["arena_bytes"]
    assert main["bytes"] + dtcm["bytes"] == both["ram_bytes"]
    assert dtcm["arena_bytes"] + both["stack_bytes"] == dtcm["bytes"] <= dtcm["available_bytes"] == 14 * 1024
    assert f"  dtcm       {dtcm['bytes']:>6,}     14,336" in run("fit", model, "--board", board).stdout
    verified = run_json("verify", model, "--board", board, "--on", "unicorn", "--samples", "2")
    assert verified["mismatches"] == 0


def test_named_memories_hold_the_hottest_buffers_first(run_json, two_memories, tmp_path):
    require("unicorn")
    board = two_memories(8192, 64 * 1024, stack=8192 - 512)
    run_json("generate", DIGITS, "--board", board, "--regions", "dtcm,axi_sram", "-o", tmp_path / "project")
    header = (tmp_path / "project" / "include" / "digits.h").read_text()
    sizes = dict(re.findall(r"#define (DIGITS_ARENA\w*)_BYTES (\d+)", header))
    assert 0 < int(sizes["DIGITS_ARENA_DTCM"]) <= 512
    assert int(sizes["DIGITS_ARENA"]) > 0
    verified = run_json(
        "verify", DIGITS, "--board", board, "--regions", "dtcm,axi_sram", "--on", "unicorn", "--samples", "3"
    )
    assert verified["mismatches"] == 0


def test_every_memory_is_shown_wherever_the_arena_is(run, run_json, two_memories, tmp_path):
    require("unicorn")
    to = ("--board", two_memories(8192, 64 * 1024, stack=8192 - 512), "--regions", "dtcm,axi_sram")
    document = run_json("generate", DIGITS, *to, "-o", tmp_path / "project")
    main, dtcm = document["arena_parts"]
    assert (dtcm["memory"], dtcm["available_bytes"]) == ("dtcm", 512)
    assert main["bytes"] + dtcm["bytes"] == document["total_arena_bytes"]
    generated = run("generate", DIGITS, *to, "-o", tmp_path / "project").stdout
    assert re.search(rf"^dtcm +{dtcm['bytes']} +512$", generated, re.M)
    measured = run_json("bench", DIGITS, *to, "--on", "unicorn", "--report", tmp_path / "report.html")
    assert [m["arena_bytes"] for m in measured["memories"]] == [main["bytes"], dtcm["bytes"]]
    assert sum(m["bytes"] for m in measured["memories"]) == measured["ram_bytes"]
    page = (tmp_path / "report.html").read_text()
    assert "RAM, dtcm" in page
    assert "at 0 of dtcm" in page
    planned = run_json("plan", DIGITS, *to, "--svg", tmp_path / "map.svg")
    assert {m["name"]: m["address"] for m in planned["memories"]} == {"dtcm": 0x20000000, "axi_sram": 0x24000000}
    assert {b["memory"] for b in planned["placed"]} == {"dtcm", "axi_sram"}
    assert "dtcm from 0x20000000" in (tmp_path / "map.svg").read_text()


def test_a_schedule_beyond_the_objective_says_what_it_costs(run, run_json, two_memories, tmp_path, monkeypatch):
    """The fastest schedule of digits needs 2,288 bytes and is in no two memories of 900."""
    board = two_memories(8192, 1024 + 20 * 10 + 900, stack=8192 - 900)
    to = ("--board", board, "--optimize", "speed")
    (found,) = run_json("generate", DIGITS, *to, "-o", tmp_path / "project")["models"]
    assert found["excess_percent"] > 0
    (kept,) = run_json("generate", DIGITS, "--board", board, "-o", tmp_path / "project")["models"]
    assert kept["excess_percent"] == 0
    said = f"an estimated {found['excess_percent']:.0f} % more instructions: no cheaper one could be spread"
    assert said not in run("generate", DIGITS, *to, "-o", tmp_path / "project").stdout
    monkeypatch.setattr("tinygen.cli.generate.TOLD_PERCENT", 0)
    assert said in run("generate", DIGITS, *to, "-o", tmp_path / "project").stdout


def test_a_model_that_fits_one_memory_stays_there(run_json, two_memories, tmp_path):
    project = tmp_path / "project"
    run_json("generate", DIGITS, "--board", two_memories(64 * 1024, 64 * 1024), "-o", project)
    assert "arena_dtcm" not in (project / "src" / "digits.c").read_text()


@pytest.mark.parametrize(
    ("regions", "code", "found"),
    [("itcm", "TG309", "accepted: axi_sram, dtcm"), ("dtcm", "TG308", "dtcm 64, axi_sram")],
)
def test_memories_that_cannot_be_had_are_refused(run, two_memories, tmp_path, regions, code, found):
    board = two_memories(4096 + 64, 2048)
    result = run("generate", DIGITS, "--board", board, "--regions", regions, "-o", tmp_path / "project", exit_code=1)
    assert code in result.stderr
    assert found in result.stderr
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("separate", [(), ("--separate-arenas",)])
def test_several_models_spread_over_named_memories(run_json, two_memories, separate):
    require("unicorn")
    to = ("--board", two_memories(8192, 64 * 1024, stack=8192 - 512), "--regions", "dtcm,axi_sram", *separate)
    fitted = run_json("fit", DIGITS, EXAMPLES / "zoo.tflite", *to)
    (dtcm,) = fitted["regions"]
    assert (fitted["fits"], dtcm["name"], dtcm["available_bytes"]) == (True, "dtcm", 512)
    assert 0 < dtcm["bytes"] <= 512
    verified = run_json("verify", DIGITS, EXAMPLES / "zoo.tflite", *to, "--on", "unicorn", "--samples", "2")
    assert [v["mismatches"] for v in verified["verifications"]] == [0, 0]


def test_arenas_side_by_side_go_where_there_is_room(run_json, two_memories):
    """Two arenas of digits, 1,088 bytes each, of which either memory holds one."""
    require("unicorn")
    board = two_memories(8192, 1024 + 2 * 10 * 20 + 1160, stack=8192 - 1160)
    alone = run_json("fit", DIGITS, DIGITS, "--board", board, "--separate-arenas", "--regions", "single")
    assert alone["regions"] == []
    both = run_json("fit", DIGITS, DIGITS, "--board", board, "--separate-arenas")
    assert both["fits"] is True
    assert both["arena_bytes"] == alone["arena_bytes"]
    assert [region["bytes"] for region in both["regions"]] == [alone["arena_bytes"] // 2]
