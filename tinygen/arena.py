"""Measures on an emulator how large an arena must be of which only a library knows what it keeps there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinygen.boards import Board
from tinygen.build.builder import build_project
from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.errors import TinygenError, error
from tinygen.plan.model import Plan, Rect
from tinygen.project import Project
from tinygen.project.model import MANIFEST, Model
from tinygen.protocol import BenchClient
from tinygen.run import find_runner
from tinygen.run.emulator.machine import Machine, Program
from tinygen.run.qemu_system.process import QemuMachine
from tinygen.source_tree import SourceTree

GRAIN = 16
"""Arenas are multiples of it, and so is the search for the least."""

_NOT_STARTED = ("TG501", "TG502")
"""A model faults, as not all of tflite-micro checks what it allocates, or the firmware greets with an error instead."""

_FINENESS = 64
"""The search ends when it is this part of what is used, or one grain, from the least: every try is a build."""


@dataclass(frozen=True)
class Arena:
    """The arena of a model: what the library used of it, and the least with which the model starts."""

    used_bytes: int
    arena_bytes: int

    @property
    def margin_bytes(self) -> int:
        """What starting needs for a moment beyond what is used later."""
        return self.arena_bytes - self.used_bytes


def settle_arenas(
    project: Project, build: Path, *, compiler: str | None = None, optimize: str = DEFAULT_OPTIMIZATION
) -> tuple[Project, dict[str, Arena]]:
    """The project with arenas as large as its models need, written into its headers and its manifest.

    Measured on Unicorn, or on QEMU where Unicorn has no such core, by starting the firmware with ever smaller arenas;
    models with a plan of tinygen's alone stay as they are. Returns what was measured by prefix, nothing for a board
    that neither of them is: then the bounds stay.

    Raises:
        TinygenError: TG4xx and TG5xx of builds and runs, TG425 when the model does not start with all of the board's
            memory.
    """
    bounded = [model for model in project.manifest.models if model.arena_bound]
    emulator = measuring_emulator(project.board)
    if not bounded or emulator is None:
        return project, {}
    find_runner(emulator)
    found = {
        model.prefix: _measure(project.select(model.prefix), build, compiler=compiler, optimize=optimize)
        for model in bounded
    }
    models = tuple(_sized(project, model, found) for model in project.manifest.models)
    total = project.manifest.arena_bytes - sum(m.arena_bytes for m in project.manifest.models)
    manifest = replace(project.manifest, models=models, arena_bytes=total + sum(model.arena_bytes for model in models))
    (project.path / MANIFEST).write_text(manifest.json(), encoding="utf-8")
    selected = next(model for model in models if model.prefix == project.model.prefix)
    return replace(project, manifest=manifest, model=selected), found


def measuring_emulator(board: Board) -> str | None:
    """The runner that measures arenas for a board; None where no emulator has its core."""
    if board.core.unicorn_model is not None:
        return "unicorn"
    return "qemu" if board.emulators.qemu is not None else None


def used_bytes(
    project: Project, build: Path, size: int, *, compiler: str | None = None, optimize: str = DEFAULT_OPTIMIZATION
) -> int:
    """Bytes in use of an arena of this size, once the firmware waits for its first request; 0 when it did not start.

    Raises:
        TinygenError: TG4xx and TG5xx of builds and runs, TG425 for an arena that does not fit the board.
    """
    prefix = project.model.prefix
    defines = (f"{prefix.upper()}_ARENA_BYTES={size}",)
    try:
        built = build_project(project, build, compiler=compiler, optimize=optimize, defines=defines)
    except TinygenError as problem:
        if problem.code == "TG301":
            raise error("TG425", f"an arena of {size:,} bytes does not fit {project.board.name}") from problem
        raise
    try:
        machine = _boot(project, Program.of(built.elf, prefix, project.model.layer_slots))
        try:
            BenchClient(machine, machine.names.name).boot()
            return machine.word(f"{prefix}_arena_used_bytes")
        finally:
            machine.close()
    except TinygenError as problem:
        if problem.code not in _NOT_STARTED:
            raise
        return 0


def settled_plan(tree: SourceTree, arena_bytes: int) -> Plan:
    """The plan of a tree whose library keeps its structures in the last buffer, with an arena of this size."""
    plan = tree.plan
    size = arena_bytes - plan.offsets[-1]
    last = plan.buffers[-1]
    steps = last.rects[0].upper
    own = replace(last, size=size, rects=(Rect(0, steps, 0, size),))
    bound = plan.lower_bound - last.size + size
    return replace(plan, buffers=(*plan.buffers[:-1], own), arena_bytes=arena_bytes, lower_bound=bound)


def settled_trees(trees: Sequence[SourceTree], arenas: dict[str, Arena]) -> tuple[SourceTree, ...]:
    """The trees with what was measured."""
    return tuple(
        replace(tree, plan=settled_plan(tree, arenas[tree.prefix].arena_bytes), arena_bound=False)
        if tree.prefix in arenas
        else tree
        for tree in trees
    )


def _measure(project: Project, build: Path, *, compiler: str | None, optimize: str) -> Arena:
    """Doubles the bound until the model starts, then halves the distance to what it used."""
    model, tries = project.model, {}

    def used(size: int) -> int:
        if size not in tries:
            tries[size] = used_bytes(project, build, size, compiler=compiler, optimize=optimize)
        return tries[size]

    size = model.arena_bytes
    while used(size) == 0:
        size *= 2
        if size > project.board.ram_capacity:
            message = (
                f"the model does not start with {size // 2:,} bytes of arena, and {project.board.name} has no more"
            )
            raise error("TG425", message, hints=("--profile builds say why, through DebugLog",))
    least = used(size) + -used(size) % GRAIN
    low, high = least - GRAIN, size
    while high - low > max(GRAIN, least // _FINENESS):
        middle = least if low < least else (low + high) // 2 // GRAIN * GRAIN
        low, high = (low, middle) if used(middle) else (middle, high)
    return Arena(used(size), high)


def _boot(project: Project, program: Program) -> Machine | QemuMachine:
    if measuring_emulator(project.board) == "unicorn":
        return Machine(project.board, project.path, program)
    return QemuMachine(project.board, program)


def _sized(project: Project, model: Model, found: dict[str, Arena]) -> Model:
    """The model with the measured arena, which its header then has, too."""
    if model.prefix not in found:
        return model
    arena = found[model.prefix]
    header = project.path / "include" / f"{model.prefix}.h"
    macro = f"{model.prefix.upper()}_ARENA_BYTES"
    text = header.read_text(encoding="utf-8")
    text = re.sub(rf"#define {macro} \d+", f"#define {macro} {arena.arena_bytes}", text)
    note = f"measured: {arena.used_bytes} used and {arena.margin_bytes} for starting"
    text = re.sub(r"arena \d+ bytes \(.*\)", f"arena {arena.arena_bytes} bytes ({note})", text)
    header.write_text(text, encoding="utf-8", newline="\n")
    bound = model.lower_bound - model.arena_bytes + arena.arena_bytes
    return replace(model, arena_bytes=arena.arena_bytes, lower_bound=bound, arena_bound=False)
