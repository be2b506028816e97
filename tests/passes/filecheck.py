"""A small FileCheck: expectations about a text, in order, written next to what they expect."""

from __future__ import annotations

import re


def filecheck(text: str, expectations: str) -> None:
    """Checks lines `CHECK: part of a line` in order and `CHECK-NOT: part` that must not occur before the next CHECK.

    `{{...}}` in an expectation is a regular expression.

    Raises:
        AssertionError: with the expectation that was not met and the whole text.
        ValueError: an expectation is neither.
    """
    position = 0
    forbidden: list[str] = []
    for line in filter(None, map(str.strip, expectations.splitlines())):
        kind, _, pattern = line.partition(": ")
        if kind == "CHECK-NOT":
            forbidden.append(pattern)
            continue
        if kind != "CHECK":
            raise ValueError(f"not an expectation: {line}")
        found = re.compile(_regex(pattern)).search(text, position)
        assert found is not None, f"{line}\nis not in the text from here on:\n{text[position:]}\nof:\n{text}"
        _absent(forbidden, text[position : found.start()], text)
        forbidden, position = [], found.end()
    _absent(forbidden, text[position:], text)


def _absent(forbidden: list[str], part: str, text: str) -> None:
    for pattern in forbidden:
        assert re.search(_regex(pattern), part) is None, f"CHECK-NOT: {pattern}\nis in the text:\n{text}"


def _regex(pattern: str) -> str:
    pieces = re.split(r"\{\{(.*?)\}\}", pattern)
    return "".join(piece if i % 2 else re.escape(piece) for i, piece in enumerate(pieces))
