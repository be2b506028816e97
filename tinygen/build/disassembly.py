"""What each instruction of an ELF does to the stack pointer and where it goes, for Thumb and RV32."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from tinygen.errors import error


class Goes(Enum):
    """Where control goes after an instruction, besides the next one where `falls` says so."""

    ON = "on"
    CALL = "call"
    JUMP = "jump"
    TABLE = "table"
    """To an address in a register: one of the function's own where a table was read, else anywhere."""
    CALL_REGISTER = "call register"
    RETURN = "return"
    NOWHERE = "nowhere"
    """A trap."""


@dataclass(frozen=True)
class Instruction:
    """`sp` is by how many bytes the stack pointer moves, None when that cannot be told."""

    address: int
    size: int
    sp: int | None
    goes: Goes = Goes.ON
    target: int | None = None
    falls: bool = True
    """Whether the next instruction may follow: always after a call; after a return only when that was not taken."""
    idle: bool = False
    """Does nothing, so it may be filling up to the next alignment and never run."""


@dataclass(frozen=True)
class Code:
    """The instructions of an ELF by address, and its functions as name, start and end, ascending."""

    instructions: dict[int, Instruction]
    functions: tuple[tuple[str, int, int], ...]

    def function(self, address: int) -> tuple[str, int, int] | None:
        """The function that has an instruction at the address."""
        return next((f for f in reversed(self.functions) if f[1] <= address < f[2]), None)


def disassemble(elf: Path) -> Code:
    """Every instruction in an ELF's executable sections; TG404 without capstone and pyelftools."""
    try:
        import capstone
        from elftools.elf.elffile import ELFFile
    except ImportError as problem:
        hint = 'pip install "tinygen[emulate]"'
        message = "capstone and pyelftools are needed to bound the stack and are not both installed"
        raise error("TG404", message, hints=(hint,)) from problem
    with elf.open("rb") as file:
        parsed = ELFFile(file)
        thumb = parsed["e_machine"] == "EM_ARM"
        sections = [s for s in parsed.iter_sections() if s["sh_flags"] & 4 and s["sh_type"] == "SHT_PROGBITS"]
        marks: list[tuple[int, bool]] = []
        names: list[tuple[int, int, str]] = []
        for symbol in parsed.get_section_by_name(".symtab").iter_symbols():
            address = symbol["st_value"]
            if symbol.name[:2] in ("$t", "$d", "$a", "$x") and symbol["st_shndx"] != "SHN_UNDEF":
                marks.append((address, symbol.name[1] in "tx"))
            elif symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_shndx"] != "SHN_UNDEF":
                names.append((address & ~1 if thumb else address, symbol["st_size"], symbol.name))
        if thumb:
            engine = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_V8)
        else:
            engine = capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC)
        instructions: dict[int, Instruction] = {}
        ends: list[int] = []
        for section in sections:
            start, data = section["sh_addr"], section.data()
            ends.append(start + len(data))
            for low, high in _code_ranges(start, start + len(data), marks, thumb):
                lines = _lines(engine, data[low - start : high - start], low, thumb)
                decoded = _thumb(lines, start, data) if thumb else _riscv(lines)
                instructions.update((i.address, i) for i in decoded)
    return Code(instructions, _functions(sorted(names), ends))


def _code_ranges(start: int, end: int, marks: list[tuple[int, bool]], thumb: bool) -> list[tuple[int, int]]:
    """Where the mapping symbols say code, not literals and tables; RISC-V keeps data out of the code."""
    if not thumb:
        return [(start, end)]
    inside = sorted((address, code) for address, code in dict(sorted(marks)).items() if start <= address < end)
    stops = [address for address, _ in inside[1:]] + [end]
    return [(address, stop) for (address, code), stop in zip(inside, stops, strict=True) if code]


def _functions(names: list[tuple[int, int, str]], ends: list[int]) -> tuple[tuple[str, int, int], ...]:
    """A function without a size, from assembly, reaches to the next symbol."""
    starts = sorted({address for address, _, _ in names} | set(ends))
    found: dict[int, tuple[str, int, int]] = {}
    for address, size, name in names:
        end = address + size if size else next((s for s in starts if s > address), address)
        if address not in found or end > found[address][2]:
            found[address] = (name, address, end)
    return tuple(found[address] for address in sorted(found))


@dataclass(frozen=True)
class _Line:
    """A disassembled instruction; an unknown one has no mnemonic."""

    address: int
    size: int
    mnemonic: str
    operands: str


def _lines(engine: Any, data: bytes, address: int, thumb: bool) -> Iterator[_Line]:
    at = 0
    while at + 2 <= len(data):
        for start, size, mnemonic, operands in engine.disasm_lite(data[at:], address + at):
            yield _Line(start, size, mnemonic, operands)
            at = start + size - address
        if at + 2 <= len(data):
            first = int.from_bytes(data[at : at + 2], "little")
            size = (4 if first >> 11 in (0b11101, 0b11110, 0b11111) else 2) if thumb else (4 if first & 3 == 3 else 2)
            yield _Line(address + at, size, "", "")
            at += size


_IDLE = (("nop", ""), ("mov", "r8, r8"), ("movs", "r0, r0"), ("c.nop", ""))
_CONDITIONS = ("eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")
_IT = re.compile(r"it[te]{0,3}")
_SP_WRITE = re.compile(r"sp(!|$|,)|\[sp[^\]]*\]!|\[sp\], ")
_STORES_AND_COMPARES = re.compile(r"(str|stm|vstr|cmp|cmn|tst|teq|push|vpush|vstm|msr)")


def _thumb(lines: Iterator[_Line], start: int, data: bytes) -> Iterator[Instruction]:
    conditional, alike = 0, True
    block: list[Instruction] = []
    constants: dict[str, int] = {}
    for line in lines:
        decoded = _thumb_one(line, conditional > 0, constants)
        if decoded.goes is not Goes.ON:
            constants.clear()
        else:
            _follow_thumb(line, constants, start, data)
        if conditional:
            conditional -= 1
            block.append(decoded)
        else:
            yield decoded
        if _IT.fullmatch(line.mnemonic):
            conditional, alike = len(line.mnemonic) - 1, "e" not in line.mnemonic
        elif block and not conditional:
            yield from _block(block, alike)
            block = []


def _block(block: list[Instruction], alike: bool) -> Iterator[Instruction]:
    """An IT block: released stack counts with the return at its end; else the stack pointer may not move in it.

    `alike` says that all its instructions are executed or none.
    """
    moves = [step.sp for step in block if step.sp is not None]
    if alike and block[-1].goes is Goes.RETURN and len(moves) == len(block):
        yield from (replace(step, sp=0) for step in block[:-1])
        yield replace(block[-1], sp=sum(moves))
    else:
        for step in block:
            yield step if step.goes is Goes.RETURN or step.sp == 0 else replace(step, sp=None)


def _thumb_one(line: _Line, in_block: bool, constants: dict[str, int]) -> Instruction:
    name, operands = line.mnemonic.removesuffix(".w"), line.operands
    base = name[:-2] if in_block and name[-2:] in _CONDITIONS else name
    at, size = line.address, line.size
    if base in ("bl", "blx"):
        if operands.startswith("#"):
            return Instruction(at, size, 0, Goes.CALL, int(operands[1:], 0))
        return Instruction(at, size, 0, Goes.CALL_REGISTER)
    if base == "b" or (name[0:1] == "b" and name[1:] in _CONDITIONS):
        return Instruction(at, size, 0, Goes.JUMP, int(operands[1:], 0), in_block or base != "b")
    if base in ("cbz", "cbnz"):
        return Instruction(at, size, 0, Goes.JUMP, int(operands.split("#")[1], 0), True)
    if base == "bx":
        return Instruction(at, size, 0, Goes.RETURN if operands == "lr" else Goes.TABLE, falls=in_block)
    if base in ("tbb", "tbh") or (base in ("mov", "add", "ldr") and operands.startswith("pc,")):
        popped = "[sp]" in operands
        kind = Goes.RETURN if popped else Goes.TABLE  # ldr pc, [sp], #4 is a pop
        return Instruction(at, size, 4 * popped, kind, falls=in_block)
    if base in ("udf", "bkpt"):
        return Instruction(at, size, 0, Goes.NOWHERE, falls=False)
    moved = _thumb_sp(base, operands, constants)
    if base.startswith(("pop", "ldm")) and "pc" in operands:
        return Instruction(at, size, moved, Goes.RETURN, falls=in_block)
    return Instruction(at, size, moved, idle=(name, operands) in _IDLE)


def _thumb_sp(base: str, operands: str, constants: dict[str, int]) -> int | None:
    """By how much an instruction moves the stack pointer."""
    listed = re.fullmatch(r"(?:sp!, )?\{(.*)\}", operands)
    if base in ("push", "pop", "vpush", "vpop") or (listed is not None and operands.startswith("sp!")):
        if listed is None:
            return None
        registers = listed[1].split(", ")
        if any("-" in r for r in registers):
            return None
        moved = sum(8 if r[0] == "d" else 4 for r in registers)
        return {"push": -moved, "vpush": -moved, "stmdb": -moved, "vstmdb": -moved}.get(
            base, moved if base in ("pop", "vpop", "ldm", "ldmia", "vldmia") else None
        )
    if base in ("add", "sub", "addw", "subw"):
        fixed = re.fullmatch(r"sp, (?:sp, )?(?:#(\w+)|(\w+))", operands)
        if fixed is not None:
            amount: int | None = int(fixed[1], 0) if fixed[1] else constants.get(fixed[2])
            return None if amount is None else (amount if base.startswith("add") else -amount)
    stepped = re.search(r"\[sp, #(-?\w+)\]!$|\[sp\], #(-?\w+)$", operands)
    if stepped is not None:
        return int(stepped[1] or stepped[2], 0)
    if _SP_WRITE.search(operands) is None or not base:
        return 0
    written = operands.startswith("sp") and not _STORES_AND_COMPARES.match(base)
    return None if written or "!" in operands or "[sp], " in operands else 0


def _follow_thumb(line: _Line, constants: dict[str, int], start: int, data: bytes) -> None:
    """Constants in registers, as far as frames too large for an immediate need them."""
    name = line.mnemonic.removesuffix(".w")
    register = line.operands.split(",")[0]
    literal = re.fullmatch(rf"{register}, \[pc, #(\w+)\]", line.operands)
    value = re.fullmatch(rf"{register}, #(-?\w+)", line.operands)
    known = constants.pop(register, None)
    if name == "ldr" and literal is not None:
        at = ((line.address + 4) & ~3) + int(literal[1], 0) - start
        constants[register] = int.from_bytes(data[at : at + 4], "little", signed=True)
    elif name in ("mov", "movs", "movw") and value is not None:
        constants[register] = int(value[1], 0)
    elif name == "lsls" and known is not None and line.operands.startswith(f"{register}, {register}, #"):
        constants[register] = _signed(known << int(line.operands.split("#")[1], 0))
    elif name == "movt" and value is not None and known is not None:
        constants[register] = _signed((known & 0xFFFF) | int(value[1], 0) << 16)
    elif "{" in line.operands or name[:4] in ("umul", "smul", "umla", "smla", "ldrd"):
        constants.clear()  # more than one register is written


_BRANCHES = ("beq", "bne", "blt", "bge", "bltu", "bgeu", "c.beqz", "c.bnez", "beqz", "bnez", "bltz", "bgez", "blez")


def _riscv(lines: Iterator[_Line]) -> Iterator[Instruction]:
    constants: dict[str, int] = {}
    for line in lines:
        decoded = _riscv_one(line, constants)
        if decoded.goes is not Goes.ON:
            constants.clear()
        else:
            _follow_riscv(line, constants)
        yield decoded


def _riscv_one(line: _Line, constants: dict[str, int]) -> Instruction:
    name, at, size = line.mnemonic, line.address, line.size
    operands = line.operands.split(", ") if line.operands else []
    if name in _BRANCHES or name == "bgtz":
        return Instruction(at, size, 0, Goes.JUMP, at + int(operands[-1], 0), True)
    if name in ("c.j", "j"):
        return Instruction(at, size, 0, Goes.JUMP, at + int(operands[-1], 0), False)
    if name in ("c.jal", "jal"):
        link = operands[0] if len(operands) == 2 else "ra"
        target = at + int(operands[-1], 0)
        return Instruction(at, size, 0, Goes.JUMP if link == "zero" else Goes.CALL, target, link != "zero")
    if name == "ret" or (name in ("c.jr", "jr") and operands == ["ra"]):
        return Instruction(at, size, 0, Goes.RETURN, falls=False)
    if name in ("c.jr", "jr"):
        return Instruction(at, size, 0, Goes.TABLE, falls=False)
    if name in ("c.jalr", "jalr"):
        link, base, offset = operands if len(operands) == 3 else ("ra", operands[0], "0")
        known = constants.get(base)
        call = link != "zero"
        if known is not None:
            target = (known + int(offset, 0)) & 0xFFFFFFFE
            return Instruction(at, size, 0, Goes.CALL if call else Goes.JUMP, target, call)
        if not call and base == "ra":
            return Instruction(at, size, 0, Goes.RETURN, falls=False)
        return Instruction(at, size, 0, Goes.CALL_REGISTER if call else Goes.TABLE, falls=call)
    if name in ("ebreak", "c.ebreak", "unimp", "c.unimp"):
        return Instruction(at, size, 0, Goes.NOWHERE, falls=False)
    return Instruction(at, size, _riscv_sp(name, operands, constants), idle=(name, line.operands) in _IDLE)


def _riscv_sp(name: str, operands: list[str], constants: dict[str, int]) -> int | None:
    if operands[:1] != ["sp"] or re.fullmatch(r"(c\.)?f?s[bhwd](sp)?", name):
        return 0
    if name in ("c.addi16sp", "c.addi", "addi"):
        return int(operands[-1], 0) if len(operands) == 2 or operands[1] == "sp" else None
    if name in ("c.add", "add", "c.sub", "sub"):
        amount = constants.get(operands[-1]) if len(operands) == 2 or operands[1] == "sp" else None
        return None if amount is None else (amount if "add" in name else -amount)
    return None


def _follow_riscv(line: _Line, constants: dict[str, int]) -> None:
    """Constants in registers: upper immediates, and what is added to them."""
    name, operands = line.mnemonic, line.operands.split(", ")
    register = operands[0]
    known = constants.get(operands[1]) if name == "addi" and len(operands) == 3 else constants.get(register)
    constants.pop(register, None)
    if name in ("lui", "c.lui", "auipc"):
        value = (int(operands[1], 0) << 12) + (line.address if name == "auipc" else 0)
        constants[register] = _signed(value)
    elif name in ("c.li", "li") or (name == "addi" and operands[1] == "zero"):
        constants[register] = int(operands[-1], 0)
    elif name in ("addi", "c.addi") and known is not None:
        constants[register] = _signed(known + int(operands[-1], 0))


def _signed(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value
