"""The `unicorn` runner: the bench firmware on an emulated board, instructions counted exactly, faults with names."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tinygen.build.builder import Built, build_project
from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.errors import error
from tinygen.project.model import Project
from tinygen.run.emulator.machine import Machine, Program
from tinygen.run.emulator.session import EmulatedSession


class UnicornRunner:
    """Runs projects on Unicorn."""

    name = "unicorn"
    summary = "emulated core with the board's memory map; instructions are exact, there are no cycles"
    missing = "TG404"

    def available(self) -> str | None:
        for module, package in (("unicorn", "unicorn"), ("elftools", "pyelftools")):
            if importlib.util.find_spec(module) is None:
                return f'{package} is not installed, pip install "tinygen[emulate]" brings it'
        return None

    def open(
        self,
        project: Project,
        build: Path,
        *,
        compiler: str | None = None,
        optimize: str = DEFAULT_OPTIMIZATION,
        native_counter: bool | None = None,
    ) -> EmulatedSession:
        """As every runner; `native_counter` picks the counter in C or in Python instead of what there is."""
        missing = self.available()
        if missing is not None:
            raise error(self.missing, missing)

        def built(profile: bool) -> Built:
            return build_project(project, build, compiler=compiler, optimize=optimize, profile=profile)

        def boot(firmware: Built) -> Machine:
            program = Program.of(firmware.elf, project.model.prefix, project.model.layer_slots)
            return Machine(project.board, project.path, program, native=native_counter)

        return EmulatedSession(self.name, project, built, boot)


RUNNER = UnicornRunner()
