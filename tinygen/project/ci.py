"""What a project has for continuous integration: golden files, Renode's tests, and a workflow for GitHub."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from tinygen.boards import Board
from tinygen.project.model import Manifest, Model
from tinygen.project.renode import renode_script
from tinygen.project.templates import render


@dataclass(frozen=True)
class GoldenSample:
    """The bytes of every input, and of every output that they give."""

    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]


@dataclass(frozen=True)
class Golden:
    """What CI holds a model to."""

    samples: tuple[GoldenSample, ...]
    """At least one."""
    instructions_at_most: int


@dataclass(frozen=True)
class Ci:
    """What a project's CI needs to know that its manifest does not say."""

    golden: Sequence[Golden]
    """One for each model, in the project's order."""
    zig: str
    """The version of zig that the workflow installs: with another, instructions would differ."""


def ci_files(manifest: Manifest, board: Board, ci: Ci) -> dict[str, str]:
    """The files by path. Renode's and QEMU's parts are left out where the emulator does not know the board."""
    values = {
        "board": board,
        "core": board.core,
        "models": manifest.models,
        "name": "_".join(model.prefix for model in manifest.models),
        "zig": ci.zig,
    }
    files = {
        ".github/workflows/firmware.yml": render("ci/firmware.yml.j2", **values),
        "golden/bench_library.py": render("ci/bench_library.py.j2"),
    }
    for model, golden in zip(manifest.models, ci.golden, strict=True):
        files[f"golden/{model.prefix}.json"] = _golden_text(model, board, golden)
    if board.emulators.renode is not None:
        files["renode/bench.robot"] = render("ci/bench.robot.j2", **values)
        files[f"renode/{board.id}.resc"] = renode_script(board)
    return files


def _golden_text(model: Model, board: Board, golden: Golden) -> str:
    content = {
        "model": model.prefix,
        "sha256": model.model_sha256[:16],
        "board": board.id,
        "arena_bytes": model.arena_bytes,
        "instructions_at_most": golden.instructions_at_most,
        "samples": [
            {"inputs": _encoded(sample.inputs), "outputs": _encoded(sample.outputs)} for sample in golden.samples
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def _encoded(data: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(item).decode("ascii") for item in data]
