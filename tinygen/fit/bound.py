"""The verdict where nothing can be linked, from sizes that no firmware of these models exceeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tinygen.boards import ARRAY_ALIGNMENT, Board
from tinygen.build.elf import MemorySize, RegionSize, Sizes
from tinygen.fit.verdict import Fit, verdict
from tinygen.schedule.spread import VARIABLE_BYTES, VARIABLE_BYTES_PER_LAYER
from tinygen.source_tree import MAIN, Models, SourceTree, libraries_of, memory_bytes, trees_of

CODE_BYTES = 16 * 1024
"""More than start-up, the minimal main and compiler support need on any core."""
CXX_VARIABLE_BYTES = 4 * 1024
"""More than the variables of a C library and of a C++ runtime."""
CODE_BYTES_PER_LAYER = 8 * 1024
"""More than a layer's kernel comes to on any core, specialised and unrolled, with its parameters and its alignment."""

STACK_BYTES = 1024
"""More than start-up and the deepest path from a layer into its kernel take on any core."""
STACK_BYTES_PER_PULL = 96
"""More than the frame of a function that pulls rows: interleaved, they call one another."""


def bounded(models: Models, board: Board) -> Fit:
    """The verdict without a compiler: sizes the linked firmware cannot exceed, and unknown where that is too much.

    It is a no only where what is certain, the arena with the stack or the constants, exceeds the board by itself.
    """
    trees = trees_of(models)
    layers = sum(len(tree.layers) for tree in trees)
    constants = sum(tree.constant_bytes for tree in trees)
    certain_ram, ram = ram_bounds(trees, board)
    stack = stack_bytes(trees)
    flash = constants + CODE_BYTES + CODE_BYTES_PER_LAYER * layers + board.boot.header_bytes
    fits: bool | None = None
    if certain_ram > board.ram_capacity or constants > board.flash_capacity:
        fits = False
    elif ram <= board.ram_capacity and flash <= board.flash_capacity:
        fits = True if stack is not None and stack <= board.stack_bytes else None
    regions = _areas(trees, board)
    sizes = Sizes(
        flash_bytes=flash,
        ram_bytes=ram + sum(r.bytes for r in regions),
        stack_bytes=board.stack_bytes,
        flash_capacity=board.flash_capacity,
        ram_capacity=board.ram_capacity + sum(r.capacity for r in regions),
        regions=regions,
        memories=_memories(ram, regions, board),
    )
    return verdict(trees, board, fits, None, sizes, None)


def ram_bounds(trees: Sequence[SourceTree], board: Board) -> tuple[int, int]:
    """Bytes that the models certainly need of the board's main memory, and bytes that they cannot exceed."""
    layers = sum(len(tree.layers) for tree in trees)
    outside = sum(tree.outside_bytes for tree in trees)
    certain = memory_bytes(trees)[MAIN] + outside + board.stack_bytes
    padding = ARRAY_ALIGNMENT * len(trees)
    cxx = any(library.language == "c++" for library in libraries_of(trees))
    variables = VARIABLE_BYTES + VARIABLE_BYTES_PER_LAYER * layers + (CXX_VARIABLE_BYTES if cxx else 0)
    return certain, certain + padding + variables


def stack_bytes(trees: Sequence[SourceTree]) -> int | None:
    """What no path takes, interrupts apart; None with libraries in C++, as virtual functions have no bound."""
    if any(library.language == "c++" for library in libraries_of(trees)):
        return None
    pulled = max(sum(steps > 1 for steps in Counter(tree.steps).values()) for tree in trees)
    return STACK_BYTES + STACK_BYTES_PER_PULL * pulled


def _memories(ram: int, regions: Sequence[RegionSize], board: Board) -> tuple[MemorySize, ...]:
    """Each memory with what is bounded in it, the main one first; `ram` is without `regions` and with the stack."""
    apart = board.stack not in board.data
    main = MemorySize(board.main_name, ram - board.stack_bytes * apart, sum(m.size for m in board.data))
    parts = {r.name: r.bytes for r in regions}
    others = [m for m in board.memories if m.name in parts or (apart and m == board.stack)]
    used = [parts.get(m.name, 0) + m.size - board.room(m) for m in others]
    return main, *(MemorySize(m.name, size, m.size) for m, size in zip(others, used, strict=True))


def _areas(trees: Sequence[SourceTree], board: Board) -> tuple[RegionSize, ...]:
    """The parts of arenas outside the main memory; their planner has kept within the capacities."""
    there = memory_bytes(trees)
    return tuple(RegionSize(m.name, there[m.name], board.room(m)) for m in board.arena if m.name in there)
