"""The code addresses to watch when counting from outside: a function, and where the calls of functions return to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinygen.build.disassembly import Goes, disassemble
from tinygen.build.elf import read_symbols

_TABLE = "layer_counts"
"""The figures of bench.c's hooks, one of 8 bytes for each slot."""


@dataclass(frozen=True)
class Hooks:
    """The hooks of a profiling build: where calls of the first return to, and the code of the second."""

    begin_returns: tuple[int, ...]
    end: int
    end_stop: int
    table: int
    """Where the firmware keeps its own figures of layers, 8 bytes each."""


@dataclass(frozen=True)
class Calls:
    """Addresses without the Thumb bit. `hooks` is None in a build without them."""

    function: int
    returns: tuple[int, ...]
    hooks: Hooks | None


def find_calls(elf: Path, function: str, begin: str, end: str) -> Calls:
    """Where a firmware calls its model's `function`, and that the hooks, if it has them; TG404 without capstone."""
    code = disassemble(elf)
    functions = {name: (start, stop) for name, start, stop in code.functions}

    def returns(target: int) -> tuple[int, ...]:
        calls = (i for i in code.instructions.values() if i.goes is Goes.CALL and i.target == target)
        return tuple(sorted(i.address + i.size for i in calls))

    hooks = None
    if begin in functions:
        table = next(s.address for s in read_symbols(elf) if s.name == _TABLE)
        hooks = Hooks(returns(functions[begin][0]), *functions[end], table)
    entry = functions[function][0]
    return Calls(entry, returns(entry), hooks)
