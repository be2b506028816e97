"""The vocabulary of memory planning: rectangles in time and address, buffers made of them, and plans."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rect:
    """Bytes [start, stop) of a buffer, alive during steps [lower, upper)."""

    lower: int
    upper: int
    start: int
    stop: int


@dataclass(frozen=True)
class Buffer:
    """Something the arena must hold: a rigid set of rectangles that gets one base offset.

    An ordinary buffer is a single rectangle. A tensor that is born and dies row by row is a staircase of them, and a
    ring of R rows has one rectangle for each row's life in its slot. Rectangles of one buffer may overlap: a row that
    is rewritten in place. `size` covers all rectangles, in bytes; `kind` is one of `input`, `output`, `activation`,
    `scratch`, `accumulator` and `state`.
    """

    name: str
    size: int
    rects: tuple[Rect, ...]
    alignment: int = 4
    kind: str = "activation"
    pinned: int | None = None
    """The offset the user wants, or None."""


@dataclass(frozen=True)
class Area:
    """The part of an arena that is in one memory: `bytes` from offset `start`, in C an array of its own.

    `region` is the memory's name; `main` says that it is the memory of the firmware's variables.
    """

    region: str
    start: int
    bytes: int
    main: bool


@dataclass(frozen=True)
class Plan:
    """Where every buffer lives: `offsets[i]` is the byte offset of `buffers[i]` in the arena.

    `arena_bytes` is a multiple of the common divisor of all alignments. `lower_bound` is the maximum over steps of the
    bytes alive, rounded up to that divisor, which no plan can go below; `proof` is `optimal` when no smaller arena
    exists for these buffers, else `gap N` with N the bytes between the arena and the best bound known.

    `areas` are the parts of an arena over several memories, in ascending order; empty when it is one range of bytes. No
    buffer reaches from one into another. The gap is then also what spreading costs.
    """

    buffers: tuple[Buffer, ...]
    offsets: tuple[int, ...]
    arena_bytes: int
    lower_bound: int
    proof: str
    areas: tuple[Area, ...] = ()
