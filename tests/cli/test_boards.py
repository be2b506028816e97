"""`tinygen boards` and `tinygen doctor`."""

from __future__ import annotations

import importlib.metadata

from tinygen import flash
from tinygen.boards import all_boards
from tinygen.cli import doctor
from tinygen.run import runners


def test_boards_lists_every_board(run, run_json):
    ids = [b.id for b in all_boards()]
    assert [b["id"] for b in run_json("boards")["boards"]] == ids
    shown = run("boards").stdout
    assert all(i in shown for i in ids)


def test_doctor_always_succeeds(run, run_json):
    shown = run("doctor").stdout
    tools = {t["name"]: t for t in run_json("doctor")["tools"]}
    assert tools["unicorn"]["version"] == importlib.metadata.version("unicorn")
    assert all(name in shown for name in tools)
    assert [r["name"] for r in run_json("doctor")["runners"]] == list(runners())
    assert [f["name"] for f in run_json("doctor")["flashers"]] == list(flash.tools())


def test_doctor_says_how_to_get_what_is_missing(run, run_json, monkeypatch):
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.importlib.metadata, "version", missing)
    monkeypatch.setattr(doctor.shutil, "which", lambda name, **path: None)
    monkeypatch.setattr(doctor, "zig_command", lambda: None)
    monkeypatch.setenv("PATH", "")
    found = run_json("doctor")
    tools = {t["name"]: t for t in found["tools"]}
    assert all(t["version"] is None for t in tools.values())
    lacking = {r["name"]: r["missing"] for r in found["runners"]}
    assert "apt install qemu-system-arm" in lacking["qemu"]
    assert "TINYGEN_RENODE" in lacking["renode"]
    flashers = {f["name"]: f["missing"] for f in found["flashers"]}
    assert flashers["pyocd"] == "pip install pyocd"
    assert flashers["uf2"] is None
    shown = run("doctor").stdout
    assert 'pip install "tinygen[verify]"' in shown
    assert "apt install gcc-arm-none-eabi" in shown
