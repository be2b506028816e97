"""Who may import whom: the direction of the architecture as a table, checked on every import statement."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "tinygen").rglob("*.py"))

# A room is a top-level module or folder of tinygen. A module with a row of its own is a room of its own.
BASE = {"errors", "paths"}
GRAPH = {"ir", "ops"}
COMPILER = {"tflite", "passes", "schedule", "backends", "compile"}
FIRMWARE = {"boards", "cores", "measurement", "protocol", "registers", "source_tree", "strict_toml"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "paths": set(),
    "cores": set(),
    "strict_toml": {"errors"},
    "fixedpoint": BASE,
    "plan": BASE,
    "measurement": BASE,
    "protocol": BASE,
    "registers": {"errors", "strict_toml"},
    "boards": BASE | {"cores", "registers", "strict_toml"},
    "source_tree": BASE | {"plan"},
    "ir": BASE,
    "ops": BASE | {"ir", "fixedpoint"},
    "tflite": BASE | GRAPH,
    "passes": BASE | GRAPH | {"fixedpoint"},
    "schedule": BASE | GRAPH | {"plan"},
    "backends": BASE | GRAPH | {"fixedpoint", "passes", "plan", "schedule", "source_tree", "tflite"},
    "apportion": BASE | {"plan", "schedule", "source_tree"},
    "compile": BASE | GRAPH | COMPILER | {"apportion", "plan", "source_tree"},
    "build.flags": set(),
    "project": BASE | FIRMWARE | {"build.flags"},
    "build": BASE | FIRMWARE | {"build.flags", "project"},
    "run": BASE | FIRMWARE | {"build", "build.flags", "project"},
    "flash": BASE | FIRMWARE | {"build", "build.flags", "project"},
    "oracle": BASE | {"ir"},
    "samples": BASE | {"ir", "source_tree"},
}
# What a command does, without the command line: free to use every room but `cli`.
TASKS = {
    "arena",
    "ci",
    "fit",
    "verify",
    "bench",
    "energy",
    "regression",
    "demo",
    "report",
    "target",
    "tune",
    "device",
    "pytest_plugin",
}
TOP = {"cli", "__main__"}

# Third-party packages and the only rooms that know them; numpy is everywhere.
PLACES: dict[str, set[str]] = {
    "click": {"cli"},
    "rich": {"cli"},
    "jinja2": {"backends", "project", "report"},
    "markupsafe": {"report"},
    "tflite": {"tflite", "oracle"},
    "flatbuffers": {"tflite"},
    "ai_edge_litert": {"oracle"},
    "unicorn": {"run"},
    "elftools": {"build", "run"},
    "capstone": {"build", "run"},
    "serial": {"run.serial"},
    "pytest": {"pytest_plugin"},
    "tvm": {"backends.utvm"},
    "distributed": {"tune"},
}


def rooms_of(module: str) -> set[str]:
    """The names by which a table may know a module: `run.serial` is `run` and `run.serial`."""
    parts = module.split(".")
    return {".".join(parts[:n]) for n in range(1, len(parts) + 1)}


def room(module: str) -> str:
    """The room of a module without the leading `tinygen.`: the longest name that has a row, else the first part."""
    return max(rooms_of(module) & set(ALLOWED), key=len, default=module.split(".")[0])


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of everything a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            assert node.module is not None
            # `from tinygen.build import flags` imports a module, `from tinygen.errors import error` a name.
            yield from ((node.lineno, _target(node.module, alias.name)) for alias in node.names)


def _target(module: str, name: str) -> str:
    file = ROOT / Path(*module.split("."), name)
    return f"{module}.{name}" if file.with_suffix(".py").is_file() or file.is_dir() else module


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT / "tinygen").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def allowed(importer: str, imported: str) -> bool:
    here, there = room(importer), room(imported)
    if here == there or here in TOP:
        return True
    if here in TASKS:
        return there not in TOP
    return there in ALLOWED[here]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_direction(path: Path) -> None:
    importer = module_name(path)
    wrong = []
    for line, name in imports(path):
        package, _, rest = name.partition(".")
        if package == "tinygen":
            if rest and not allowed(importer, rest):
                wrong.append(f"line {line}: {room(importer)} must not import {rest}")
        elif package in PLACES:
            if not PLACES[package] & rooms_of(importer):
                wrong.append(f"line {line}: {package} belongs in {', '.join(sorted(PLACES[package]))}")
        elif package != "numpy" and package not in sys.stdlib_module_names:
            wrong.append(f"line {line}: {package} has no place in the table of third-party packages")
    assert not wrong, "\n".join(wrong)


def test_every_room_has_a_row() -> None:
    found = {room(module_name(path)) for path in FILES} - {"__init__"}
    assert found <= set(ALLOWED) | TASKS | TOP


def test_the_table_has_no_cycle() -> None:
    done: set[str] = set()
    while len(done) < len(ALLOWED):
        ready = {name for name, needs in ALLOWED.items() if name not in done and needs - {name} <= done}
        assert ready, f"a cycle among {sorted(set(ALLOWED) - done)}"
        done |= ready


def test_the_rule_can_fail() -> None:
    assert not allowed("ir.graph", "ops.conv_2d")
    assert not allowed("run.host", "ir.graph")
    assert not allowed("project.writer", "build.zig")
    assert not allowed("report.html", "cli.bench")
    assert allowed("project.cmake", "build.flags")
    assert allowed("backends.c", "schedule.steps")
