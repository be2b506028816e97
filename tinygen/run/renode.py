"""The `renode` runner: the bench firmware on an installed Renode, instructions counted exactly by hooks."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tinygen.build.builder import Built, build_project
from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.project.model import Project
from tinygen.run.emulator.machine import Program
from tinygen.run.emulator.session import EmulatedSession
from tinygen.run.renode_system.machine import RenodeMachine
from tinygen.run.renode_system.program import HOW_TO_GET, find_renode, renode_program


class RenodeRunner:
    """Runs projects on Renode."""

    name = "renode"
    summary = "Renode's model of the board with its peripherals; instructions are exact, there are no cycles"
    missing = "TG412"

    def available(self) -> str | None:
        for module, package in (("elftools", "pyelftools"), ("capstone", "capstone")):
            if importlib.util.find_spec(module) is None:
                return f'{package} is not installed, pip install "tinygen[emulate]" brings it'
        return None if renode_program() is not None else f"renode is not installed; {HOW_TO_GET}"

    def open(
        self, project: Project, build: Path, *, compiler: str | None = None, optimize: str = DEFAULT_OPTIMIZATION
    ) -> EmulatedSession:
        """As every runner; TG503 when Renode has no such board, TG412 when it is missing or too old for the board."""
        find_renode(project.board)

        def built(profile: bool) -> Built:
            return build_project(project, build, compiler=compiler, optimize=optimize, profile=profile)

        def boot(firmware: Built) -> RenodeMachine:
            program = Program.of(firmware.elf, project.model.prefix, project.model.layer_slots)
            return RenodeMachine(project.board, program)

        return EmulatedSession(self.name, project, built, boot)


RUNNER = RenodeRunner()
