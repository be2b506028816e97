"""Parts of hand-written pages that a program writes, between `<!-- NAME -->` and `<!-- end of NAME -->`."""

from __future__ import annotations

import re


def replace_between(text: str, name: str, content: str) -> str:
    """The text with what is between the markers replaced.

    Raises:
        ValueError: the markers are not there once.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"the lines {begin} and {end} must be there once")
    return re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{content}\n{end}", text, flags=re.S)
