"""The memories of a board file: each by itself, and that together they are a place for everything."""

from __future__ import annotations

import re
from itertools import pairwise

from tinygen.boards.board import Board, Memory
from tinygen.strict_toml import ADDRESS_SPACE, StrictTable

MEMORY_KINDS = ("flash", "ram", "external_flash", "external_ram")
USES = ("code", "data", "stack", "arena")


def read_memory(table: StrictTable) -> Memory:
    """A table `[[memory]]`; TG303 for what firmware cannot use as it says."""
    memory = Memory(
        name=table.text("name"),
        kind=table.choice("kind", MEMORY_KINDS),
        address=table.address("address"),
        size=table.size("size"),
        use=table.texts("use", USES) if table.has("use") else (),
        data_address=table.address("data_address") if table.has("data_address") else None,
        tightly_coupled=table.flag("tightly_coupled") if table.has("tightly_coupled") else False,
        source=table.text("source"),
    )
    table.finish()
    if not re.fullmatch(r"[a-z][a-z0-9_]*", memory.name):
        raise table.fail("name", f"found '{memory.name}', accepted: lower-case letters, digits and underscores")
    for key, start in (("address", memory.address), ("data_address", memory.data_address)):
        if start is not None and start + memory.size > ADDRESS_SPACE:
            raise table.fail(key, f"found {start:#x} + {memory.size:#x}, accepted: a region inside 32 bits of address")
    writable = memory.kind in ("ram", "external_ram")
    if not writable and {"data", "stack", "arena"} & set(memory.use):
        raise table.fail(
            "use", f"found {list(memory.use)} of kind '{memory.kind}', accepted: data, stack and arena in RAM only"
        )
    if "arena" in memory.use and "data" in memory.use:
        found = f"found {list(memory.use)}, accepted: arena in memories that are not data, which may hold it anyway"
        raise table.fail("use", found)
    return memory


def check_memories(root: StrictTable, board: Board) -> None:
    """TG303 unless names and addresses are distinct and code, data and stack each have exactly one place."""
    ranges = [(m.address, m.size, m.name) for m in board.memories]
    ranges += [
        (m.data_address, m.size, f"{m.name} (data_address)") for m in board.memories if m.data_address is not None
    ]
    ranges.sort()
    for (start, size, name), (next_start, _, next_name) in pairwise(ranges):
        if start + size > next_start:
            found = f"found {name} up to {start + size:#x} and {next_name} from {next_start:#x}"
            raise root.fail("memory", f"{found}, accepted: regions that do not overlap")
    names = [m.name for m in board.memories]
    if len(set(names)) != len(names):
        raise root.fail("memory", f"found names {', '.join(names)}, accepted: each once")
    for use in ("code", "stack"):
        count = sum(use in m.use for m in board.memories)
        if count != 1:
            raise root.fail("memory", f'found {count} regions with use = ["{use}"], accepted: exactly one')
    data = board.data
    if not data:
        raise root.fail("memory", 'found no region with use = ["data"], accepted: one, or adjacent ones')
    for low, high in pairwise(data):
        if low.end != high.address:
            found = f"found {low.name} up to {low.end:#x} and {high.name} from {high.address:#x}"
            raise root.fail("memory", f"{found}, accepted: data regions that follow each other without a gap")
    if board.stack in data[1:]:
        raise root.fail("memory", f"found the stack in {board.stack.name}, accepted: the first data region or its own")
    if board.stack_bytes >= board.stack.size:
        raise root.fail("stack", f"found {board.stack_bytes} bytes, accepted: less than {board.stack.name} has")
    if board.boot.application_offset + board.boot.header_bytes >= board.code.size:
        raise root.fail("boot", f"found an application outside {board.code.name}, accepted: an offset inside it")
