"""What went wrong on the emulated core, in the names of the firmware: the function, the access, the memory it hit."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from tinygen.boards import Board
from tinygen.build.elf import Symbol

_EXCEPTIONS = {
    "thumb": {
        1: "undefined instruction",
        2: "supervisor call",
        7: "breakpoint",
        17: "floating-point or coprocessor instruction while that unit is off",
        18: "jump without the Thumb bit",
    },
    "riscv": {
        2: "undefined instruction",
        3: "breakpoint",
        11: "environment call",
    },
}
"""What Unicorn's exception numbers mean, by the core's `arch`."""


@dataclass(frozen=True)
class Access:
    """What stopped the core. `kind` is `read`, `write`, `fetch`, `instruction`, `exception` or `stop`."""

    kind: str
    detail: str
    address: int | None
    size: int

    @classmethod
    def from_unicorn(cls, kind: int, address: int, size: int) -> Access:
        import unicorn

        names = {
            unicorn.UC_MEM_READ_UNMAPPED: "read",
            unicorn.UC_MEM_READ_PROT: "read",
            unicorn.UC_MEM_WRITE_UNMAPPED: "write",
            unicorn.UC_MEM_WRITE_PROT: "write",
            unicorn.UC_MEM_FETCH_UNMAPPED: "fetch",
            unicorn.UC_MEM_FETCH_PROT: "fetch",
        }
        return cls(names[kind], "", address, size)


class Names:
    """Names of code addresses."""

    def __init__(self, symbols: Iterable[Symbol]) -> None:
        self._functions = [s for s in symbols if s.kind == "func"]
        self._starts = [s.address for s in self._functions]

    def function(self, address: int) -> str | None:
        """The function that contains an address, None outside of all."""
        i = bisect_right(self._starts, address) - 1
        if i >= 0 and address < self._starts[i] + max(self._functions[i].size, 2):
            return self._functions[i].name
        return None

    def name(self, address: int) -> str:
        """The function and the address, or the address alone."""
        function = self.function(address & ~1)
        return f"{function} ({address & ~1:#010x})" if function is not None else f"{address:#010x}"


def describe_fault(board: Board, names: Names, access: Access, pc: int, return_address: int, stack_pointer: int) -> str:
    """One sentence about a fault."""
    stack = board.stack
    if (
        access.kind in ("read", "write")
        and access.address is not None
        and access.address < stack.address <= access.address + 4096
    ):
        return f"stack overflow in {names.name(pc)}: {access.kind} at {access.address:#010x}, below {stack.name}"
    if access.kind == "fetch" or (access.address is None and names.function(pc) is None):
        target = pc if access.address is None else access.address
        return f"jump to {target:#010x} ({_place(board, target)}) from {names.name(return_address)}"
    if access.address is not None:
        what = f"{access.kind} of {access.size} bytes at {access.address:#010x} ({_place(board, access.address)})"
        return f"{what} in {names.name(pc)}"
    return f"{access.detail or 'undefined instruction'} in {names.name(pc)}, called from {names.name(return_address)}"


def exception_name(arch: str, number: int) -> str:
    """What an exception is called."""
    return _EXCEPTIONS[arch].get(number, f"exception {number}")


def _place(board: Board, address: int) -> str:
    """Which memory an address is in, and what firmware may do there."""
    for memory in board.memories:
        starts = (memory.address,) if memory.data_address is None else (memory.address, memory.data_address)
        if any(start <= address < start + memory.size for start in starts):
            if "code" in memory.use:
                return f"{memory.name}, read-only"
            return f"{memory.name}, not executable" if memory.use else f"{memory.name}, which the firmware does not use"
    return "null" if address < 4096 else "no memory"
