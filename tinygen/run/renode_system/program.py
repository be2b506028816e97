"""The installed Renode: which executable, which version, and whether that knows a board's core."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass

from tinygen.boards import Board
from tinygen.errors import error

VARIABLE = "TINYGEN_RENODE"
"""The environment variable that names the executable."""

OLDEST = (1, 16, 0)
HOW_TO_GET = "https://github.com/renode/renode/releases has it: unpack the portable package, name it in TINYGEN_RENODE"
_HELIUM_AFTER = ((1, 16, 1), "20260216")
"""The last version without all of Helium, and the day of its release: builds between versions keep the number."""

_SECONDS = 60


@dataclass(frozen=True)
class RenodeVersion:
    """What `renode --version` says; `built` is yyyymmdd, empty when it does not say."""

    number: tuple[int, ...]
    built: str

    @property
    def text(self) -> str:
        return ".".join(map(str, self.number))

    @property
    def has_helium(self) -> bool:
        """Whether it executes all of Helium that compilers emit."""
        number, day = _HELIUM_AFTER
        return self.number > number or (self.number == number and self.built > day)


def renode_program() -> str | None:
    """The executable in TINYGEN_RENODE, else `renode` on the path; None when there is none."""
    return shutil.which(os.environ.get(VARIABLE) or "renode")


def find_renode(board: Board) -> str:
    """A Renode that can be this board; TG412 when it is missing or too old, TG503 when it has no such platform."""
    if board.emulators.renode is None:
        hints = ("tinygen boards --json shows which emulators know a board",)
        raise error("TG503", f"Renode has no platform for {board.id}", hints=hints)
    program = renode_program()
    if program is None:
        named = os.environ.get(VARIABLE)
        found = f"{VARIABLE} names {named}, which is no program" if named else "renode is not installed"
        raise error("TG412", found, hints=(HOW_TO_GET,))
    version = renode_version(program)
    oldest = ".".join(map(str, OLDEST))
    if version is None:
        raise error("TG412", f"{program} does not say its version, accepted: {oldest} and newer", hints=(HOW_TO_GET,))
    if version.number < OLDEST:
        message = f"found Renode {version.text}, accepted: {oldest} and newer"
        raise error("TG412", message, hints=(HOW_TO_GET,))
    if board.core.has("mve") and not version.has_helium:
        message = (
            f"found Renode {version.text}, whose {board.cpu} lacks Helium instructions, accepted: newer than 1.16.1"
        )
        newer = ("https://builds.renode.io has builds between releases", "--on qemu has Helium, on mps3-an547")
        raise error("TG412", message, hints=newer)
    return program


@functools.cache
def renode_version(program: str) -> RenodeVersion | None:
    """Its version; None when it does not say."""
    try:
        said = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=True, timeout=_SECONDS
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"\bv(?:ersion )?(\d+)\.(\d+)\.(\d+)", said)
    built = re.search(r"[-+](20\d{6})", said)
    return RenodeVersion(tuple(map(int, number.groups())), built[1] if built else "") if number else None
