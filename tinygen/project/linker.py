"""The linker script of a board, from its memories."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinygen.boards import STACK_ALIGNMENT, Board
from tinygen.project.templates import render

_KEPT = ("CODE", "RODATA", "DATA")
"""Regions that are where they are also in an unlimited linker script."""
_FAR, _ADDRESSES = 1 << 28, 1 << 32
"""Bytes between others at most, as code reaches so far on any core, and of the address space."""


@dataclass(frozen=True)
class Region:
    """A region of the linker script."""

    name: str
    access: str
    start: int
    size: int

    @property
    def origin(self) -> str:
        return f"0x{self.start:08x}"

    @property
    def length(self) -> str:
        return f"0x{self.size:x}"


def linker_regions(board: Board) -> tuple[Region, ...]:
    """CODE, RODATA where loads see the flash elsewhere, DATA, STACK where it has a memory of its own, and memories that
    hold parts of arenas by their names."""
    offset = board.boot.application_offset
    code = board.code
    regions = [Region("CODE", "rx", code.address + offset, code.size - offset)]
    if code.data_address is not None:
        regions.append(Region("RODATA", "r", code.data_address + offset, code.size - offset))
    regions.append(Region("DATA", "rw", board.data[0].address, sum(m.size for m in board.data)))
    if board.stack not in board.data:
        regions.append(Region("STACK", "rw", board.stack.address, board.stack.size))
    arenas = [m for m in board.arena if m != board.stack]
    regions += [Region(m.name.upper(), "rw", m.address + m.null_bytes, m.size - m.null_bytes) for m in arenas]
    return tuple(regions)


def linker_script(board: Board, stack_bytes: int, *, unlimited: bool = False) -> str:
    """The linker script; `unlimited` gives each region all addresses up to the next, to measure what does not fit."""
    regions = linker_regions(board)
    if unlimited:
        regions = _far_apart(regions)
    names = {r.name for r in regions}
    return render(
        "linker_arm.ld.j2" if board.core.arch == "thumb" else "linker_riscv.ld.j2",
        board=board,
        regions=regions,
        stack_bytes=stack_bytes,
        header_bytes=board.boot.header_bytes,
        stack_region="STACK" if "STACK" in names else "DATA",
        constants_region="RODATA" if "RODATA" in names else "CODE",
        arenas=[(m.name, "STACK" if m == board.stack else m.name.upper()) for m in board.arena],
    )


def _far_apart(regions: tuple[Region, ...]) -> tuple[Region, ...]:
    """Regions that reach up to the next; the stack's and those of arenas moved behind all, as they may adjoin another.

    Firmware linked like this is never run, and what a memory holds is read from its sections' sizes.
    """
    last = max(r.start for r in regions if r.name in _KEPT)
    moved = [r.name for r in regions if r.name not in _KEPT]
    pace = min(_FAR, (_ADDRESSES - last) // (len(moved) + 1)) // STACK_ALIGNMENT * STACK_ALIGNMENT
    starts = {r.name: r.start for r in regions} | {name: last + pace * n for n, name in enumerate(moved, 1)}
    above = [*sorted(starts.values())[1:], _ADDRESSES]
    ends = dict(zip(sorted(starts.values()), above, strict=True))
    return tuple(replace(r, start=starts[r.name], size=ends[starts[r.name]] - starts[r.name]) for r in regions)
