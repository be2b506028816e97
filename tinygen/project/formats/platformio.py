"""PlatformIO: the firmware for a board that its public platforms know, or a library with an example."""

from __future__ import annotations

from tinygen.boards import Board
from tinygen.project.formats import Format


def _unknown(board: Board) -> str | None:
    return "no public platform of PlatformIO builds for it without a framework" if board.platformio is None else None


FORMAT = Format(
    name="platformio",
    summary="PlatformIO: firmware for a board, or a library",
    firmware={
        "platformio.ini": "platformio.ini.j2",
        "platformio_flags.py": "platformio_flags.py.j2",
        "README.md": "README.md.j2",
    },
    library={
        "library.json": "platformio/library.json.j2",
        "examples/{name}/main.c": "library/main.c.j2",
        "README.md": "platformio/README.md.j2",
    },
    # Its script gives C and C++ the same flags.
    cxx=False,
    unknown=_unknown,
)
