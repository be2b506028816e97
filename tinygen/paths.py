"""Where templates, boards, firmware, Renode files and examples are: in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

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
