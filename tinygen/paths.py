"""Where templates, boards, firmware and the other data are: beside the package in a checkout, in it in a wheel."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_PACKAGED = _PACKAGE / "_data"
_ROOT = _PACKAGED if _PACKAGED.is_dir() else _PACKAGE.parent

TEMPLATES = _ROOT / "templates"
BOARDS = _ROOT / "boards"
FIRMWARE = _ROOT / "firmware"
RENODE = _ROOT / "renode"
EXAMPLES = _ROOT / "examples"
"""The digit classifier that `tinygen demo` compiles."""


def cache_folder() -> Path:
    """Where objects of libraries are kept between builds; TINYGEN_CACHE_DIR says otherwise. It may be removed."""
    if chosen := os.environ.get("TINYGEN_CACHE_DIR"):
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "tinygen"
