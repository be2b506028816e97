"""The script that makes a board of a Renode platform: what it adds to it, and where its serial line is served."""

from __future__ import annotations

from tinygen.boards import Board
from tinygen.project.templates import render

_MIPS = 100
"""Instructions for each microsecond of emulated time; any number will do, Renode is as fast."""


def renode_script(board: Board) -> str:
    """The text of a `.resc`; the board has a Renode platform."""
    assert board.emulators.renode is not None
    thumb = board.core.arch == "thumb"
    dwt = thumb and board.cpu != "cortex-m0plus" and not board.emulators.renode_dwt
    return render("renode.resc.j2", board=board, thumb=thumb, dwt=dwt, mips=_MIPS)
