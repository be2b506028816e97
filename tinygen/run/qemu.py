"""The `qemu` runner: the bench firmware on an installed QEMU, instructions counted exactly by a plugin."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from tinygen.build.builder import Built, build_project
from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.project.model import Project
from tinygen.run.emulator.machine import Program
from tinygen.run.emulator.session import EmulatedSession
from tinygen.run.qemu_system.process import QemuMachine
from tinygen.run.qemu_system.program import PROGRAMS, find_qemu, machine_name


class QemuRunner:
    """Runs projects on QEMU."""

    name = "qemu"
    summary = "QEMU's model of the board, Cortex-M55 with Helium too; instructions are exact, there are no cycles"
    missing = "TG411"

    def available(self) -> str | None:
        for module, package in (("elftools", "pyelftools"), ("capstone", "capstone")):
            if importlib.util.find_spec(module) is None:
                return f'{package} is not installed, pip install "tinygen[emulate]" brings it'
        if not any(shutil.which(program) for program, _ in PROGRAMS.values()):
            programs = " and ".join(program for program, _ in PROGRAMS.values())
            packages = " ".join(package for _, package in PROGRAMS.values())
            return f"{programs} are not installed, apt install {packages} brings them"
        return None

    def open(
        self, project: Project, build: Path, *, compiler: str | None = None, optimize: str = DEFAULT_OPTIMIZATION
    ) -> EmulatedSession:
        """As every runner; TG503 when QEMU has no such board, TG411 when it is missing or too old."""
        machine_name(project.board)
        find_qemu(project.board.core)

        def built(profile: bool) -> Built:
            return build_project(project, build, compiler=compiler, optimize=optimize, profile=profile)

        def boot(firmware: Built) -> QemuMachine:
            program = Program.of(firmware.elf, project.model.prefix, project.model.layer_slots)
            return QemuMachine(project.board, program)

        return EmulatedSession(self.name, project, built, boot)


RUNNER = QemuRunner()
