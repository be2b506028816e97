"""House rules that a linter does not know: what every file of the repository keeps to."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import tinygen.ops  # noqa: F401 - registers every operator
from tinygen.ir.op import REGISTRY

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("tinygen", "templates", "boards", "firmware", "renode", "tests", "benchmarks", "examples", "docs", ".ci")
LONGEST = 400
TESTS = sorted((ROOT / "tests" / "ops").glob("test_*.py"))
SOURCES = (".py", ".c", ".h", ".S", ".j2")
TEXTS = (*SOURCES, ".md", ".toml", ".css", ".yaml", ".json", ".ir", ".csv", ".txt", "")

# Names of places and things that are no part of the project; in pieces, so that this file passes too.
FORBIDDEN = ("/wo" + "rk/", "helper" + " session", "pypi" + ".org", "python" + "hosted", "crates" + ".io", "npm" + "js")


def _files() -> list[Path]:
    nested = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    return sorted(path for path in (*ROOT.iterdir(), *nested) if path.is_file())


FILES = _files()
PYTHON = [path for path in FILES if path.suffix == ".py"]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", PYTHON, ids=_name)
def test_modules_begin_with_one_sentence(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, "there is no docstring"
    first_paragraph = docstring.split("\n\n")[0]
    assert first_paragraph.endswith((".", ":", "?")), f"not a sentence: {first_paragraph}"


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix in (".c", ".h")], ids=_name)
def test_c_files_begin_with_a_comment(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("/* ")


def test_files_are_short() -> None:
    lengths = {_name(p): p.read_text(encoding="utf-8").count("\n") for p in FILES if p.suffix in SOURCES}
    # Golden files and generated ones are as long as what they show.
    assert not {n: lines for n, lines in lengths.items() if lines > LONGEST and not n.startswith("tests/golden/")}


def test_there_is_no_module_for_leftovers() -> None:
    assert not [_name(p) for p in PYTHON if p.stem in ("utils", "util", "helpers", "misc", "common")]


def test_every_operator_has_a_test() -> None:
    """In the file of its name, or with relatives in one that names its kinds."""
    tests = {p.stem: p.read_text(encoding="utf-8") for p in TESTS if "verify" not in p.stem}
    named = {kind for text in tests.values() for kind in re.findall(r'"([A-Z0-9_]+)"', text)}
    files: dict[str, set[str]] = {}
    for kind, operator in REGISTRY.items():
        files.setdefault(operator.__module__.rpartition(".")[2], set()).add(kind)
    assert files
    assert not {name: kinds for name, kinds in files.items() if f"test_{name}" not in tests and not kinds <= named}


def test_files_speak_of_the_project_only() -> None:
    texts = {
        _name(p): p.read_text(encoding="utf-8").lower() for p in FILES if p.suffix in TEXTS and ".git" not in p.name
    }
    assert not [(name, word) for name, text in texts.items() for word in FORBIDDEN if word in text]
