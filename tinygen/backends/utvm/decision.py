"""What a schedule leaves open: the tile of outputs computed at once, and how its sums are taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_TEXT = re.compile(r"(\d+)x(\d+), (\d+) taps(?:, (dot|wide dot))?")

DOT_TAPS = 4
"""Taps of one call of a dot product, and channels of one call where each channel has taps of its own."""


class Dot(StrEnum):
    """Whether products are taken with the DSP's instructions, which multiply int16."""

    NONE = ""
    BYTES = "dot"
    """Inputs are widened in registers, each time they are read."""
    WIDE = "wide dot"
    """Inputs are widened once a row, in scratch."""


@dataclass(frozen=True, order=True)
class Decision:
    """The choices of one layer's schedule."""

    pixels: int
    """Of an output row, computed together; what does not divide the row is a tile of its own at the end."""
    channels: int
    """Of the output, computed together; divides their number."""
    taps: int
    """Products of each sum that are written out in the innermost loop."""
    dot: Dot = Dot.NONE

    def __str__(self) -> str:
        return f"{self.pixels}x{self.channels}, {self.taps} taps{f', {self.dot}' if self.dot else ''}"

    @property
    def requires(self) -> frozenset[str]:
        """The core features without which it does not pay."""
        return frozenset({"dsp"}) if self.dot else frozenset()


def parse_decision(text: str) -> Decision | None:
    """The decision that `str` wrote; None for anything else."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    pixels, channels, taps, dot = match.groups()
    return Decision(int(pixels), int(channels), int(taps), Dot(dot or ""))
