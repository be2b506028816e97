"""Finds the drive that a UF2 bootloader shows: it has a file INFO_UF2.TXT."""

from __future__ import annotations

import string
from pathlib import Path

from tinygen.errors import error

INFO = "INFO_UF2.TXT"
MOUNTS = ("/media/*", "/media/*/*", "/run/media/*/*", "/mnt/*", "/Volumes/*")
"""Where Linux and macOS mount drives; Windows gives them letters."""


def find_drive() -> Path | None:
    """The one drive, None when there is none; TG526 when there are several."""
    letters = [Path(f"{letter}:/") for letter in string.ascii_uppercase]
    folders = [path for pattern in MOUNTS for path in Path("/").glob(pattern.removeprefix("/"))]
    found = [folder for folder in (*folders, *letters) if _has_info(folder)]
    if len(found) > 1:
        hints = tuple(f"--drive {folder}" for folder in found)
        raise error("TG526", f"found {len(found)} boards' drives, accepted: one", hints=hints)
    return found[0] if found else None


def _has_info(folder: Path) -> bool:
    try:
        return (folder / INFO).is_file()
    except OSError:
        return False
