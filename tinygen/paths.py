"""Where templates, boards, firmware and the other data are: beside the package in a checkout, in it in a wheel."""

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
