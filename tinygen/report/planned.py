"""What is said of a plan beside its bytes: how much dearer its schedule is, and what of it is in which memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinygen.boards import Board
from tinygen.source_tree import MAIN, SourceTree, memory_bytes

TOLD_PERCENT = 5
"""People are told of a schedule that costs this much more than the objective's; programs always."""


@dataclass(frozen=True)
class ArenaPart:
    """What arenas take of one memory."""

    memory: str
    """The name of those of memories that follow each other is joined by ` + `."""
    bytes: int
    available_bytes: int
    """What the memory has beside the stack, in the main one for variables, too."""


def arena_parts(trees: Sequence[SourceTree], board: Board) -> tuple[ArenaPart, ...]:
    """The memories of the board that the arenas of one firmware are in, the main one first."""
    there = memory_bytes(trees)
    main = ArenaPart(board.main_name, there[MAIN], board.main_room)
    return main, *(ArenaPart(m.name, there[m.name], board.room(m)) for m in board.arena if m.name in there)


def excess_line(percent: float, model: str = "") -> str:
    """What to know of a schedule that the objective would not have chosen."""
    costs = f"the schedule{' of ' + model if model else ''} costs an estimated {percent:.0f} % more instructions"
    return f"{costs}: no cheaper one could be spread over the memories"
