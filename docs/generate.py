"""Writes the pages and pictures of docs/ that follow from the code: `make docs`, or `python -m docs.generate`."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

import tinygen.ops  # noqa: F401 - registers every operator
from docs.drawings import drawings
from docs.json_schema import json_pages
from docs.markers import replace_between
from tinygen.boards import all_boards, serial_way
from tinygen.compile import CompileOptions, compile_model
from tinygen.errors import CODES
from tinygen.ir.op import REGISTRY
from tinygen.paths import EXAMPLES
from tinygen.report.comparison import comparison
from tinygen.report.layered import layered_plan
from tinygen.report.memory_map import svg
from tinygen.report.timeline import layered_timeline, timeline
from tinygen.source_tree import SourceTree

DOCS = Path(__file__).resolve().parent
DIGITS = EXAMPLES / "digits.tflite"
BANNER = "<!-- Written by `make docs`; edit the code it comes from. -->"
OPERATORS = """\
Batch 1, static shapes, bit-exact with LiteRT's reference kernels. What of an operator is not supported is an error
TG2xx that says what was found and what is accepted; every such operator of a model is named at once."""
BOARDS = """\
One file each in [boards](../boards), with the document each fact is from. Flash is what a boot loader leaves, RAM what
variables, arena and stack may use together. Verified names the runners that have run the board's firmware."""
WIRES = """\
## Serial line, clock and trigger pin

Where the USB connector is no UART bridge, a USB-serial adapter of 3.3 V is wanted: its RX on the board's TX, its TX on
the board's RX, and ground. The clock is the one the bench firmware raises the core to; its steps are in the board's
file. The trigger pin is high while the model runs ([firmware](design/firmware.md), [MLPerf Tiny](mlperf.md))."""
ERRORS = "An error of the user's ends a command with exit code 1; warnings use the same codes."
GROUPS = {
    "1": "Model file and graph",
    "2": "Operators",
    "3": "Memory and boards",
    "4": "Toolchains and files",
    "5": "Running",
}


def pages() -> dict[str, str]:
    """Every generated file's content by its path below docs/."""
    return {
        "operators.md": operators(),
        "boards.md": boards(),
        "errors.md": errors(),
        "images/digits_memory.svg": memory_map(),
        "images/digits_plan.svg": beside_layer_by_layer(),
        "rows.md": rows(),
        **drawings(),
        **json_pages(BANNER),
    }


def operators() -> str:
    """The operators, file by file, with the sentence each file begins with."""
    by_module: dict[str, list[str]] = {}
    for kind, cls in sorted(REGISTRY.items()):
        by_module.setdefault(cls.__module__, []).append(f"`{kind}`")
    rows = []
    for module, kinds in sorted(by_module.items()):
        sentence = (sys.modules[module].__doc__ or "").partition("\n")[0]
        file = f"{module.rpartition('.')[2]}.py"
        rows.append((", ".join(kinds), sentence, f"[{file}](../tinygen/ops/{file})"))
    return _page("Operators", OPERATORS) + _table(("operator", "", "defined in"), rows)


def boards() -> str:
    """The boards, with the bytes left for firmware and for variables."""
    rows = [
        (
            f"[`{b.id}`](../boards/{b.id}.toml)",
            b.name,
            b.mcu,
            " ".join((b.cpu, *b.features)),
            f"{b.clock_hz / 1e6:g} MHz",
            _kib(b.flash_capacity),
            _kib(b.ram_capacity),
            ", ".join(b.verified) or "-",
        )
        for b in all_boards()
    ]
    header = ("board", "name", "chip", "core", "clock", "flash", "RAM", "verified")
    wires = [
        (
            f"`{b.id}`",
            f"{b.serial.name}, {b.serial.baud} baud",
            b.serial.tx,
            b.serial.rx,
            serial_way(b),
            f"{b.clock.hz / 1e6:g} MHz" if b.clock is not None else "as after reset",
            b.trigger.pin if b.trigger is not None else "-",
        )
        for b in all_boards()
    ]
    titles = ("board", "serial line", "TX", "RX", "reached by", "clock", "trigger pin")
    return f"{_page('Boards', BOARDS)}{_table(header, rows)}\n{WIRES}\n\n{_table(titles, wires)}"


def errors() -> str:
    """The error codes by their first digit."""
    parts = [_page("Errors", ERRORS)]
    for digit, title in GROUPS.items():
        rows = [(code, text) for code, text in sorted(CODES.items()) if code[2] == digit]
        parts.append(f"## {title}\n\n{_table(('code', 'meaning'), rows)}\n")
    return "".join(parts).rstrip() + "\n"


@cache
def digits() -> SourceTree:
    """The digit classifier as it is compiled by default."""
    return compile_model(DIGITS, CompileOptions())


def memory_map() -> str:
    """The digit classifier's arena over time."""
    return svg(digits().plan, timeline(digits()))


def beside_layer_by_layer() -> str:
    """What `tinygen plan examples/digits.tflite --svg` draws."""
    layered = layered_plan(DIGITS, CompileOptions())
    return comparison("digits", layered, layered_timeline(digits()), digits().plan, timeline(digits()))


def rows() -> str:
    """The page on rows with the digit classifier's pull functions in it."""
    source = digits().files["src/digits.c"]
    functions = ("digits_00_rows", "digits_01_rows", "digits_layers_00_to_04")
    code = "\n\n".join(excerpt(source, name) for name in functions)
    return replace_between((DOCS / "rows.md").read_text(encoding="utf-8"), "pulling", f"```c\n{code}\n```")


def excerpt(source: str, function: str) -> str:
    """A function of generated C with the comment above it and, between them, the variables that belong to it."""
    variables = r"(?:(?:static [^(\n]*;[^\n]*\n)+\n)?"
    found = re.search(rf"^/\*[^/]*\*/\n{variables}static void {function}\(.*?^}}$", source, re.M | re.S)
    if found is None:
        raise ValueError(f"the generated C has no {function}: choose another for docs/rows.md")
    return found[0]


def _page(title: str, introduction: str) -> str:
    return f"# {title}\n\n{BANNER}\n\n{introduction}\n\n"


def _kib(size: int) -> str:
    return f"{size / 1024:,g} KiB"


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def main() -> None:
    for name, content in pages().items():
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
