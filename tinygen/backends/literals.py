"""C text of values: numbers, arrays, identifiers and comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from tinygen.errors import error
from tinygen.ir.tensor import Array

_WIDTH = 116
_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
        auto break case char const continue default do double else enum extern float for goto if inline int long
        register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
        """,
    )
)
_RESERVED = _KEYWORDS | {"main", "tinygen_arena", "tinygen_board", "tinygen_model", "tinygen_port"}
"""The last four would replace headers of the project."""


def identifier(prefix: str | None, stem: str) -> str:
    """The prefix of all generated names: what the user asked for, or the model file's stem made a C identifier.

    Raises:
        TinygenError: TG406 when the user's prefix is not a C identifier.
    """
    if prefix is None:
        name = re.sub(r"\W+", "_", stem, flags=re.ASCII).strip("_").lower() or "model"
        name = name if name[0].isalpha() else f"model_{name}"
        return f"{name}_model" if name in _RESERVED else name
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", prefix) or prefix in _RESERVED:
        message = (
            f"prefix '{prefix}' is not usable, accepted are letters, digits and _ after a letter, "
            "no C keyword and no name of the firmware"
        )
        raise error("TG406", message, hints=("choose another name with --prefix",))
    return prefix


def identifiers(prefixes: Sequence[str], models: Sequence[Path]) -> tuple[str, ...]:
    """The prefixes of several models in one firmware: those the user gave, one for each, or from the models' files.

    Raises:
        TinygenError: TG406 when one is not a C identifier, or when the names made from two would be the same.
    """
    given: Sequence[str | None] = prefixes or [None] * len(models)
    found = tuple(identifier(prefix, model.stem) for prefix, model in zip(given, models, strict=True))
    for (one, first), (other, second) in combinations(zip(found, models, strict=True), 2):
        # Macros are upper case, some file systems know only one, and a model's weights have a header of their own.
        a, b = one.upper(), other.upper()
        if a == b or a == f"{b}_WEIGHTS" or b == f"{a}_WEIGHTS":
            message = f"the prefixes '{one}' of {first} and '{other}' of {second} make the same names"
            raise error("TG406", message, hints=("give --prefix once for each model, in their order",))
    return found


def comment(text: str) -> str:
    """Text that is safe inside a C comment, whatever a model file calls its tensors."""
    printable = "".join(c if " " <= c <= "~" and c != "\\" else "?" for c in text)
    return printable.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")


def real(value: float) -> str:
    """A float32 literal that reads back as exactly this value."""
    text = np.format_float_scientific(np.float32(value), unique=True, trim="0")
    return f"{text}f"


def integer(value: int) -> str:
    """An int32 literal; the smallest one has no literal of its own."""
    return "(-2147483647 - 1)" if value == -(1 << 31) else str(value)


def array(data: Array) -> str:
    """The elements of an array, in lines that fit."""
    flat = data.reshape(-1)
    literal = real if data.dtype == np.float32 else integer
    items = [literal(v) for v in flat.tolist()]
    size = max(map(len, items), default=1) + 2
    per_line = max(1, _WIDTH // size)
    lines = (items[i : i + per_line] for i in range(0, len(items), per_line))
    return "\n".join("    " + ", ".join(line) + "," for line in lines)
