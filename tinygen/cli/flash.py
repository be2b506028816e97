"""`tinygen flash`: a project's firmware onto its board."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tinygen.build.builder import build_project, elf_name
from tinygen.build.compiler import find_compiler
from tinygen.cli import _options as options
from tinygen.cli._output import Output
from tinygen.flash import Firmware, choose_tool, tools
from tinygen.flash.program import image_path, make_image, program
from tinygen.project import Project, load_project
from tinygen.run import find_runner


@dataclass(frozen=True)
class FlashDocument:
    """`tinygen flash`."""

    model: str
    board: str
    tool: str
    command: tuple[str, ...]
    """The program and its arguments."""
    image: str
    """The file that is written; the project where the tool builds by itself."""
    flashed: bool
    """False with --dry-run."""
    verified: bool
    """Whether the firmware has answered with the model's hash; false when it was not asked."""


DOCUMENT = FlashDocument


@click.command("flash")
@options.project
@click.option("--tool", "name", type=click.Choice(tuple(tools())), help="By default the one the board's file names.")
@click.option("--port", metavar="PORT", help="The board's serial port; found by its USB id where it has one.")
@click.option("--probe", metavar="ID", help="The debug probe's serial number, where there are several.")
@click.option("--drive", type=options.FILE, metavar="DIR", help="The bootloader's drive, for UF2.")
@options.compiler
@options.level
@click.option("--model", "prefix", metavar="PREFIX", help="Which of several answers; the first by default.")
@click.option("--dry-run", is_flag=True, help="Print the command and do nothing.")
@click.option("--ask/--no-ask", default=True, help="Ask the firmware for its model afterwards, on the serial port.")
@options.common
def command(
    output: Output,
    project: Path,
    name: str | None,
    port: str | None,
    probe: str | None,
    drive: Path | None,
    compiler: str | None,
    level: str,
    prefix: str | None,
    dry_run: bool,
    ask: bool,
) -> None:
    """Build a project's firmware, write it to the board, and ask it which model it runs.

    The board's file says which tool writes it; docs/flash.md lists them. The answer counts only with the hash of the
    project's model file.
    """
    loaded = load_project(project)
    if prefix is not None:
        loaded = loaded.select(prefix)
    board = loaded.board
    tool, target = choose_tool(board, name)
    out = loaded.path / "build"
    if not tool.image:
        image = loaded.path
    elif dry_run:
        image = image_path(tool, out / elf_name(loaded, find_compiler(board.core, compiler).name, level))
    else:
        with output.status("building the firmware"):
            elf = build_project(loaded, out, compiler=compiler, optimize=level).elf
            image = make_image(tool, elf, board, target)
    firmware = Firmware(loaded.path, board, image, target, port, probe, drive)
    words = tool.command(firmware)
    if not dry_run:
        say = (lambda line: None) if output.json else output.note
        say(shlex.join(words))
        program(tool, firmware, say)
        if ask:
            with output.status("asking the firmware for its model"):
                _ask(loaded, port)
    document = FlashDocument(
        model=loaded.model.model_name,
        board=board.id,
        tool=tool.name,
        command=words,
        image=str(image),
        flashed=not dry_run,
        verified=ask and not dry_run,
    )
    output.result(document, lambda: _show(output, document))


def _ask(project: Project, port: str | None) -> None:
    """TG5xx unless the firmware on the port answers with the hash of the project's model."""
    with TemporaryDirectory(prefix="tinygen-") as folder:
        find_runner("serial" if port is None else f"serial:{port}").open(project, Path(folder)).close()


def _show(output: Output, document: FlashDocument) -> None:
    if not document.flashed:
        output.line(shlex.join(document.command))
        return
    answer = ", it answers with the model's hash" if document.verified else ""
    output.line(f"{document.model} is on {document.board}{answer}")
