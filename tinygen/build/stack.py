"""The most stack a linked firmware can use: every path through its call graph, the stack pointer followed on each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinygen.build.disassembly import Code, Goes, disassemble

_ROOTS = ("tg_start", "main")
"""The first function with a frame: the start-up code's C part, where reset is assembly that uses no stack."""

_TABLE_CALLS = "__gnu_thumb1_case_"
"""libgcc's switch: a call that returns to one of several places behind the table that follows it."""


@dataclass(frozen=True)
class StackBound:
    """Bytes of stack no run can exceed, interrupts apart; or None and why there is no such number."""

    bytes: int | None
    reason: str | None = None


class _NoBoundError(Exception):
    pass


def stack_bound(elf: Path, root: str | None = None) -> StackBound:
    """The stack that a firmware's start-up, main and all they call need at most, or one function, `root`.

    An indirect call, recursion, or a stack pointer moved by an amount that is not a constant leave no bound.

    Raises:
        TinygenError: TG404 without capstone and pyelftools.
    """
    code = disassemble(elf)
    entries = {name: start for name, start, _ in code.functions}
    name = next((n for n in ((root,) if root is not None else _ROOTS) if n in entries), None)
    if name is None:
        return StackBound(None, f"there is no function {root or ' or '.join(_ROOTS)}")
    try:
        return StackBound(_Depths(code).depth(entries[name]))
    except _NoBoundError as problem:
        return StackBound(None, str(problem))


class _Depths:
    """Depths of functions, each explored once."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._known: dict[int, int] = {}
        self._open: list[int] = []

    def depth(self, entry: int) -> int:
        """The most bytes below the stack pointer at entry; jumps to other functions count as part of this one."""
        if entry in self._known:
            return self._known[entry]
        if entry in self._open:
            raise _NoBoundError(f"{self._name(entry)} calls itself")
        self._open.append(entry)
        self._known[entry] = self._explore(entry)
        self._open.pop()
        return self._known[entry]

    def _explore(self, entry: int) -> int:
        seen: dict[int, int] = {}
        work = [(entry, 0)]
        tables: dict[tuple[int, int], int] = {}
        served: set[tuple[int, int]] = set()
        deepest = 0
        while work:
            while work:
                at, before = work.pop()
                if at in seen:
                    if seen[at] != before:
                        raise _NoBoundError(f"the stack's depth at {at:#x} in {self._name(at)} depends on the path")
                    continue
                step = self._code.instructions.get(at)
                if step is None:
                    raise _NoBoundError(f"{self._name(entry)} continues at {at:#x}, where there is no instruction")
                seen[at] = before
                if step.sp is None:
                    raise _NoBoundError(f"{self._name(at)} moves the stack pointer by no constant at {at:#x}")
                after = before + step.sp
                if after > 0:
                    raise _NoBoundError(f"{self._name(at)} releases more stack than it took at {at:#x}")
                deepest = max(deepest, -after)
                falls = step.falls
                if step.goes is Goes.CALL_REGISTER:
                    raise _NoBoundError(f"{self._name(at)} calls an address in a register at {at:#x}")
                if step.goes is Goes.CALL and step.target is not None and self._far_jump(at, step.target):
                    work.append((step.target, after))
                    falls = False
                elif step.goes is Goes.CALL and step.target is not None:
                    deepest = max(deepest, self.depth(step.target) - after)
                    if self._name(step.target).startswith(_TABLE_CALLS):
                        falls = False
                        self._table(tables, at, after)
                elif step.goes is Goes.JUMP and step.target is not None:
                    work.append((step.target, after))
                elif step.goes is Goes.TABLE and not self._name(at).startswith(_TABLE_CALLS):
                    self._table(tables, at, after)
                elif step.goes is Goes.RETURN and after != 0:
                    raise _NoBoundError(f"{self._name(at)} returns with {-after} bytes on the stack at {at:#x}")
                if falls:
                    work.append((at + step.size, before if step.goes is Goes.RETURN else after))
            work = self._behind_tables(tables, seen)
            served |= {function for function in tables if any(function[0] <= at < function[1] for at, _ in work)}
        for low, _ in tables.keys() - served:
            raise _NoBoundError(f"{self._name(low)} jumps to an address in a register")
        return deepest

    def _far_jump(self, at: int, target: int) -> bool:
        """Whether a call is a jump: on ARMv6-M clang reaches with `bl` what is too far for `b`, in one function."""
        function = self._code.function(at)
        return function is not None and function[1] < target < function[2]

    def _table(self, tables: dict[tuple[int, int], int], at: int, depth: int) -> None:
        """Notes a jump through a table; all of a function's have to be at one depth."""
        function = self._code.function(at)
        if function is None or tables.setdefault(function[1:], depth) != depth:
            raise _NoBoundError(f"{self._name(at)} has tables of jumps at several depths of the stack")

    def _behind_tables(self, tables: dict[tuple[int, int], int], seen: dict[int, int]) -> list[tuple[int, int]]:
        """The next instruction that only a table can reach, for each function that jumps through one."""
        found = []
        for (low, high), depth in tables.items():
            steps = (self._code.instructions[a] for a in range(low, high, 2) if a in self._code.instructions)
            at = next((step.address for step in steps if step.address not in seen and not step.idle), None)
            if at is not None:
                found.append((at, depth))
        return found

    def _name(self, address: int) -> str:
        function = self._code.function(address)
        return f"{address:#x}" if function is None else function[0]
