"""Options for a board: what its core can do, and the memories that an arena may be in."""

from __future__ import annotations

from dataclasses import replace

from tinygen.backends.options import CompileOptions
from tinygen.boards import Board
from tinygen.errors import Origin, error
from tinygen.plan.regions import Region


def for_board(options: CompileOptions, board: Board) -> CompileOptions:
    """The options with the board's features, and with its memories where arenas may be over several.

    Raises:
        TinygenError: TG309 for memories asked for that the board does not have.
    """
    regions = () if options.memories == () else _regions(board, options.memories)
    return replace(options, features=frozenset(board.features), regions=regions)


def _regions(board: Board, wanted: tuple[str, ...] | None) -> tuple[Region, ...]:
    """By default all, the tightly coupled first; none where the board has one memory only."""
    first = board.data[0]
    main = first.name
    there = {main: Region(main, board.main_room, main=True, address=first.address)}
    there |= {memory.name: Region(memory.name, board.room(memory), address=memory.address) for memory in board.arena}
    if wanted is None:
        order = [m.name for m in board.arena if m.tightly_coupled]
        return tuple(there[name] for name in dict.fromkeys((*order, *there))) if len(there) > 1 else ()
    for name in wanted:
        if name not in there:
            found = f"'{name}' is not a memory of {board.id} that an arena can be in, accepted: {', '.join(there)}"
            raise error("TG309", found, origin=Origin(str(board.file)), hints=("tinygen boards shows the memories",))
    # Variables, and buffers that are pinned, are in the main memory in any case.
    return tuple(there[name] for name in dict.fromkeys((*wanted, main)))
