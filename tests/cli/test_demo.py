"""The demo reaches the accuracy the model was made with, on this machine and on an emulated board."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.cli.conftest import RunJson
from tests.requirement import need
from tinygen import oracle
from tinygen.cli import demo as command
from tinygen.demo import REFERENCE, Accuracy, expected_outputs, held_out


def test_demo(run_json: RunJson, tmp_path: Path) -> None:
    for name, package in (("zig", "ziglang"), ("unicorn", "unicorn"), ("litert", "ai_edge_litert")):
        need(name, importlib.util.find_spec(package) is not None, package)
    document = run_json("demo", "-o", tmp_path / "demo")
    assert document["fit"]["fits"] is True
    assert document["fit"]["arena_bytes"] >= document["fit"]["lower_bound_bytes"]
    assert "BUILTIN_REF" in document["compared_with"]
    correct, samples = held_out().int8_correct, len(held_out().samples)
    assert document["accuracies"] == [
        {"runner": runner, "samples": samples, "correct": correct, "mismatches": 0} for runner in ("host", "unicorn")
    ]
    assert document["benchmark"]["outputs_match"] is True
    assert (tmp_path / "demo" / "project" / "src" / "digits.c").is_file()
    assert "<svg" in (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")


def test_without_litert_the_reference_gives_the_same_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    need("litert", oracle.available(), "ai_edge_litert")
    samples = held_out().samples[:50]
    expected, _ = expected_outputs(samples)
    monkeypatch.setattr(oracle, "available", lambda: False)
    ours, name = expected_outputs(samples)
    assert name == REFERENCE
    assert all((a == b).all() for x, y in zip(ours, expected, strict=True) for a, b in zip(x, y, strict=True))


@pytest.mark.parametrize(("correct", "mismatches"), [(354, 0), (355, 1)])
def test_a_wrong_answer_ends_in_an_error(correct: int, mismatches: int) -> None:
    problem = command.failure((Accuracy("unicorn", 360, correct, mismatches),), expected_correct=355)
    assert problem is not None
    assert problem.code == "TG504"
    assert command.failure((Accuracy("unicorn", 360, 355, 0),), expected_correct=355) is None
