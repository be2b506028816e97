"""The bytes of a firmware as they lie in the board's code memory."""

from __future__ import annotations

from pathlib import Path

from tinygen.boards import Board
from tinygen.build.elf import load_segments
from tinygen.errors import error


def flash_image(elf: Path, board: Board) -> bytes:
    """The code memory from the firmware's first byte to its last; gaps are 0xff, as erased flash is.

    TG404 without pyelftools, TG402 when something is to be loaded elsewhere.
    """
    code = board.code
    start = code.address + board.boot.application_offset
    image = bytearray()
    for address, data in load_segments(elf):
        if code.data_address is not None and code.data_address <= address < code.data_address + code.size:
            address += code.address - code.data_address
        offset = address - start
        if offset < 0 or address + len(data) > code.end:
            raise error("TG402", f"{elf} loads {len(data)} bytes at {address:#x}, outside {code.name}")
        image.extend(b"\xff" * (offset + len(data) - len(image)))
        image[offset : offset + len(data)] = data
    return bytes(image)
