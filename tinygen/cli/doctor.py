"""`tinygen doctor`: what is installed, what is missing, and how to get it."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from dataclasses import dataclass

import click

from tinygen import __version__, flash
from tinygen.build.gcc import gcc_version
from tinygen.build.zig import zig_command, zig_version
from tinygen.cli import _options as options
from tinygen.cli._output import Output
from tinygen.flash.program import find_program
from tinygen.run import runners
from tinygen.run.qemu_system.program import PROGRAMS, qemu_version
from tinygen.run.renode_system.program import HOW_TO_GET, renode_program, renode_version

_EMULATE, _VERIFY = 'pip install "tinygen[emulate]"', 'pip install "tinygen[verify]"'

_PACKAGES = (
    ("unicorn", "run firmware on emulated cores: --on unicorn", _EMULATE),
    ("pyelftools", "read firmware sizes: fit, build, bench", _EMULATE),
    ("capstone", "name the function and instruction of a fault", _EMULATE),
    ("pyserial", "talk to firmware over a serial port", _EMULATE),
    ("ai-edge-litert", "the oracle of verify and bench: LiteRT BUILTIN_REF", _VERIFY),
    ("apache-tvm", "generate with --backend utvm, tune", 'pip install "tinygen[utvm]"'),
    ("distributed", "tune on a cluster: --scheduler", 'pip install "tinygen[cluster]"'),
)
_GNU = (
    ("arm-none-eabi-gcc", "build for Arm with --compiler gcc", "apt install gcc-arm-none-eabi"),
    ("riscv64-unknown-elf-gcc", "build for RISC-V with --compiler gcc", "apt install gcc-riscv64-unknown-elf"),
)
_QEMU = {"qemu-system-arm": "Arm", "qemu-system-riscv32": "RISC-V"}


@dataclass(frozen=True)
class Tool:
    """Something tinygen can use."""

    name: str
    version: str | None
    """null when it is not installed."""
    purpose: str
    """What it is needed for."""
    install: str
    """How to get it."""


@dataclass(frozen=True)
class RunnerItem:
    """Something that runs projects: a name for `--on`."""

    name: str
    summary: str
    missing: str | None
    """What it lacks and how to get it; null when it can be used."""


@dataclass(frozen=True)
class FlasherItem:
    """Something that programs boards: a name for `flash --tool`."""

    name: str
    summary: str
    program: str | None
    """Where it is; null where it is missing, or tinygen does it by itself."""
    missing: str | None
    """How to get it; null when it can be used."""


@dataclass(frozen=True)
class DoctorDocument:
    """`tinygen doctor`."""

    tinygen: str
    python: str
    platform: str
    tools: tuple[Tool, ...]
    runners: tuple[RunnerItem, ...]
    flashers: tuple[FlasherItem, ...]


DOCUMENT = DoctorDocument


@click.command("doctor")
@options.common
def command(output: Output) -> None:
    """Say what is installed, what is missing, and how to get it."""
    with output.status("looking around"):
        tools = (_zig(), *map(_gnu, _GNU), _host_compiler(), *_qemus(), _renode(), *map(_package, _PACKAGES))
        found = tuple(RunnerItem(r.name, r.summary, r.available()) for r in runners().values())
        flashers = tuple(map(_flasher, flash.tools().values()))
    document = DoctorDocument(__version__, platform.python_version(), platform.platform(), tools, found, flashers)

    def show() -> None:
        output.line(f"tinygen {document.tinygen}, Python {document.python}, {document.platform}")
        output.line()
        rows = [(t.name, t.version or "missing", t.purpose, "" if t.version else t.install) for t in tools]
        output.table(("tool", "version", "needed to", "how to get it"), rows)
        output.line()
        output.table(("--on", "runs on"), [(r.name, r.missing or r.summary) for r in found])
        output.line()
        rows = [(f.name, f.summary, "missing" if f.missing else "yes", f.missing or "") for f in flashers]
        output.table(("flash --tool", "programs boards by", "installed", "how to get it"), rows)

    output.result(document, show)


def _zig() -> Tool:
    version = zig_version() if zig_command() is not None else None
    return Tool("zig", version, "build firmware for every board", _EMULATE)


def _gnu(described: tuple[str, str, str]) -> Tool:
    name, purpose, install = described
    program = shutil.which(name)
    return Tool(name, None if program is None else gcc_version(program), purpose, install)


def _host_compiler() -> Tool:
    found = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    version = None if found is None else gcc_version(found)
    return Tool("cc", version, "run generated code on this computer: --on host", f"apt install gcc, or {_EMULATE}")


def _qemus() -> tuple[Tool, ...]:
    return tuple(
        Tool(name, _qemu_version(name), f"run firmware for {_QEMU[name]} on QEMU: --on qemu", f"apt install {package}")
        for name, package in PROGRAMS.values()
    )


def _renode() -> Tool:
    program = renode_program()
    found = None if program is None else renode_version(program)
    version = None if program is None else "unknown" if found is None else found.text
    return Tool("renode", version, "run firmware with a board's peripherals: --on renode", HOW_TO_GET)


def _flasher(tool: flash.Tool) -> FlasherItem:
    program = find_program(tool)
    missing = tool.install if tool.programs and program is None else None
    return FlasherItem(tool.name, tool.summary, program, missing)


def _qemu_version(name: str) -> str | None:
    program = shutil.which(name)
    return None if program is None else ".".join(map(str, qemu_version(program))) or "unknown"


def _package(described: tuple[str, str, str]) -> Tool:
    name, purpose, install = described
    try:
        version: str | None = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = None
    return Tool(name, version, purpose, install)
