"""Whether a model fits a board: measured on the linked firmware, or bounded where nothing can be linked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BufferSize:
    """One of the arena's buffers."""

    name: str
    kind: str
    """`input`, `output`, `activation`, `scratch`, `accumulator` or `state`."""
    bytes: int


@dataclass(frozen=True)
class Fit:
    """The verdict for one board."""

    model: str
    board: str
    fits: bool | None
    """null when only a link could tell: the bound exceeds the board, the arena and the constants alone do not."""
    basis: str
    """`elf`: sizes of the linked firmware; `bound`: sizes it cannot exceed."""
    compiler: str | None
    """Name and version; null with basis `bound`."""
    arena_bytes: int
    lower_bound_bytes: int
    """What no memory plan of this schedule can go below."""
    proof: str
    """`optimal`, or the gap in bytes between the plan and the best bound known."""
    constant_bytes: int
    """Weights, biases and tables, part of flash_bytes."""
    stack_bytes: int
    """The stack's reserve, part of ram_bytes."""
    ram_bytes: int
    ram_available_bytes: int
    flash_bytes: int
    flash_available_bytes: int
    largest_buffers: tuple[BufferSize, ...]
    """The three largest buffers alive when the most bytes are alive."""
    nearest: str | None
    """A board that has the memory needed; null when the model fits or no board has it."""
