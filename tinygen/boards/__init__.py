"""Boards as data: what a board is, and how `boards/*.toml` become that."""

from tinygen.boards.board import ARRAY_ALIGNMENT, STACK_ALIGNMENT, Board, Memory, serial_way
from tinygen.boards.load import FLASH_TOOLS, all_boards, load_board, load_board_file

__all__ = [
    "ARRAY_ALIGNMENT",
    "FLASH_TOOLS",
    "STACK_ALIGNMENT",
    "Board",
    "Memory",
    "all_boards",
    "load_board",
    "load_board_file",
    "serial_way",
]
