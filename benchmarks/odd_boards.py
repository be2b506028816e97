"""Boards that nobody sells: odd sizes of flash, RAM and stack, often with a second memory, near what a model needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinygen.boards import Board, Memory

STACKS = (400, 1000, 2048, 4096)
FAR = 1 << 24
"""Bytes from a memory's start to that of one beside it; no data region of a shipped board is this large."""


def odd_board(base: Board, seed: int, ram: int, flash: int) -> Board:
    """A board with the core and the code's address of `base`; `ram` and `flash` are bytes that a model needs there."""
    draw = np.random.default_rng(seed)
    stack = int(draw.choice(STACKS))
    main = replace(base.data[0], size=stack + _near(draw, ram), use=("data", "stack"))
    code = replace(base.code, size=base.boot.application_offset + base.boot.header_bytes + _near(draw, flash))
    memories = [code, main]
    if draw.random() < 0.6:
        memories.append(_beside(draw, main, [code, main], ram))
    ordered = tuple(sorted(memories, key=lambda m: m.address))
    return replace(base, id=f"odd-{seed}-{base.id}", stack_bytes=stack, memories=ordered)


def _beside(draw: np.random.Generator, main: Memory, taken: list[Memory], ram: int) -> Memory:
    """A memory for buffers, sometimes a quick one, at an address of its own."""
    address = main.address + FAR
    while any(m.address < address + FAR and address < m.end for m in taken):
        address += FAR
    size, quick = _near(draw, ram // 2), bool(draw.random() < 0.5)
    return replace(
        main, name="beside", address=address, data_address=None, size=size, use=("arena",), tightly_coupled=quick
    )


def _near(draw: np.random.Generator, need: int) -> int:
    """Between a third and three times the need, mostly close to it, in words."""
    return 4 * max(16, int(need * np.exp(np.clip(draw.normal(0, 0.3), -1, 1))) // 4)
