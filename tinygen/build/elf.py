"""What the linked ELF says: bytes of flash and RAM by region, and symbols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tinygen.boards import Board
from tinygen.errors import error

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile


@dataclass(frozen=True)
class Section:
    """A section that occupies memory: `load_address` is where its bytes are stored, None when it stores none."""

    name: str
    address: int
    size: int
    load_address: int | None


@dataclass(frozen=True)
class Symbol:
    """A function (`func`) or variable (`object`) with its address (without the Thumb bit) and bytes."""

    name: str
    kind: str
    address: int
    size: int


@dataclass(frozen=True)
class RegionSize:
    """The part of the arena in a memory of its own, and what that memory has for it, in bytes."""

    name: str
    bytes: int
    capacity: int


@dataclass(frozen=True)
class MemorySize:
    """What a firmware takes of one memory, from its start to the last byte, and how large the memory is."""

    name: str
    bytes: int
    capacity: int


@dataclass(frozen=True)
class Sizes:
    """Bytes of a firmware on its board, paddings included, and what the board has for them.

    A stack with a memory of its own counts with its reserve on both sides.
    """

    flash_bytes: int
    """The image: code, constants and the initial values of variables."""
    ram_bytes: int
    """Variables, the arena and the stack's reserve, in all memories."""
    stack_bytes: int
    """The stack's reserve, part of `ram_bytes`."""
    flash_capacity: int
    ram_capacity: int
    """Of the main memory, and of those of `regions`."""
    regions: tuple[RegionSize, ...]
    """Memories besides the main one with a part of the arena; what they lack cannot be had from another."""
    memories: tuple[MemorySize, ...]
    """Every memory with variables, a part of the arena or the stack, the main one first."""

    @property
    def missing_ram_bytes(self) -> int:
        """What the memories lack, each for itself; 0 when RAM suffices."""
        main = self.ram_bytes - self.ram_capacity - sum(r.bytes - r.capacity for r in self.regions)
        return max(0, main) + sum(max(0, r.bytes - r.capacity) for r in self.regions)

    @property
    def fits(self) -> bool:
        return self.flash_bytes <= self.flash_capacity and self.missing_ram_bytes == 0


def read_sections(elf: Path) -> tuple[Section, ...]:
    """The sections with the ALLOC flag and at least a byte, by address; TG404 without pyelftools."""
    with elf.open("rb") as file:
        parsed = _parse(file)
        segments = [s for s in parsed.iter_segments() if s["p_type"] == "PT_LOAD"]
        sections = []
        for section in parsed.iter_sections():
            address, size = section["sh_addr"], section["sh_size"]
            if not section["sh_flags"] & 2 or size == 0:  # SHF_ALLOC
                continue
            load_address = None
            if section["sh_type"] != "SHT_NOBITS":
                segment = next(s for s in segments if s["p_vaddr"] <= address < s["p_vaddr"] + s["p_filesz"])
                load_address = segment["p_paddr"] + address - segment["p_vaddr"]
            sections.append(Section(section.name, address, size, load_address))
    return tuple(sorted(sections, key=lambda s: s.address))


def load_segments(elf: Path) -> tuple[tuple[int, bytes], ...]:
    """Load address and bytes of every segment that has some, by address; TG404 without pyelftools."""
    with elf.open("rb") as file:
        segments = [s for s in _parse(file).iter_segments() if s["p_type"] == "PT_LOAD" and s["p_filesz"]]
        return tuple(sorted((s["p_paddr"], s.data()) for s in segments))


def read_symbols(elf: Path) -> tuple[Symbol, ...]:
    """The functions and variables of the symbol table, by address; TG404 without pyelftools."""
    kinds = {"STT_FUNC": "func", "STT_OBJECT": "object"}
    with elf.open("rb") as file:
        parsed = _parse(file)
        thumb = parsed["e_machine"] == "EM_ARM"
        table = parsed.get_section_by_name(".symtab")
        symbols = []
        for symbol in table.iter_symbols() if table is not None else ():
            kind = kinds.get(symbol["st_info"]["type"])
            if kind is None or symbol["st_shndx"] == "SHN_UNDEF":
                continue
            address = symbol["st_value"] & ~1 if thumb and kind == "func" else symbol["st_value"]
            symbols.append(Symbol(symbol.name, kind, address, symbol["st_size"]))
    return tuple(sorted(symbols, key=lambda s: (s.address, s.name)))


def read_sizes(elf: Path, board: Board) -> Sizes:
    """The bytes of flash and RAM of a firmware linked for `board`; TG404 without pyelftools.

    Each is the distance from where the firmware's part of the memory starts to its last byte, so gaps count.
    """
    sections = read_sections(elf)
    code = board.code
    image_start = code.address + board.boot.application_offset
    image_end = image_start
    for section in sections:
        if section.load_address is not None:
            end = section.load_address + section.size
            if (
                code.data_address is not None
                and code.data_address <= section.load_address < code.data_address + code.size
            ):
                end += code.address - code.data_address
            image_end = max(image_end, end)
    stack_bytes = sum(s.size for s in sections if s.name == ".stack")
    data_start = board.data[0].address
    variables = [
        s for s in sections if s.name in (".data", ".bss") or (s.name == ".stack" and board.stack in board.data)
    ]
    ram_bytes = max((s.address + s.size - data_start for s in variables), default=0)
    ram_capacity = sum(m.size for m in board.data)
    main = MemorySize(board.main_name, ram_bytes, ram_capacity)
    if board.stack not in board.data:
        ram_bytes += stack_bytes
        ram_capacity += min(stack_bytes, board.stack.size)
    regions = tuple(_region_sizes(sections, board))
    memories = (main, *_other_memories(regions, stack_bytes, board))
    return Sizes(
        flash_bytes=image_end - image_start,
        ram_bytes=ram_bytes + sum(r.bytes for r in regions),
        stack_bytes=stack_bytes,
        flash_capacity=board.flash_capacity,
        ram_capacity=ram_capacity + sum(r.capacity for r in regions),
        regions=regions,
        memories=memories,
    )


def _region_sizes(sections: Sequence[Section], board: Board) -> Iterator[RegionSize]:
    """The arenas' parts; not by addresses, as a firmware that is too large is linked with the memories far apart."""
    found = {s.name: s for s in sections}
    for memory in board.arena:
        part = found.get(f".arena_{memory.name}")
        if part is not None and memory == board.stack:
            yield RegionSize(memory.name, part.size, memory.size - (part.address - found[".stack"].address))
        elif part is not None:
            yield RegionSize(memory.name, part.size, board.room(memory))


def _other_memories(regions: Sequence[RegionSize], stack_bytes: int, board: Board) -> Iterator[MemorySize]:
    """The memories besides the main one with the stack or a part of the arena."""
    parts = {r.name: r for r in regions}
    for memory in board.memories:
        if (part := parts.get(memory.name)) is not None:
            yield MemorySize(memory.name, memory.size - part.capacity + part.bytes, memory.size)
        elif memory == board.stack and memory not in board.data:
            yield MemorySize(memory.name, stack_bytes, memory.size)


def _parse(file: BinaryIO) -> ELFFile:
    try:
        from elftools.elf.elffile import ELFFile
    except ImportError as problem:
        hint = 'pip install "tinygen[emulate]"'
        raise error("TG404", "pyelftools is needed to read the ELF and is not installed", hints=(hint,)) from problem
    return ELFFile(file)
