"""What the two resizing operators share: options, checks of the new size, and windows of rows of any ratio."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import Origin
from tinygen.ir.call import TOGETHER, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options
from tinygen.ir.rows import Rows, Window
from tinygen.ir.tensor import Tensor
from tinygen.ops.check import Check
from tinygen.ops.slicing import check_integers

_LARGEST = (1 << 15) - 1

_MOST_ROWS = 8

Indices = NDArray[np.int16]


@dataclass(frozen=True, kw_only=True)
class Resize(Op):
    """Height and width become those of a constant; how pixels are made of others is the operator's."""

    align_corners: bool
    half_pixel_centers: bool

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(
            inputs=inputs,
            outputs=outputs,
            origin=origin,
            align_corners=options.boolean("align_corners"),
            half_pixel_centers=options.boolean("half_pixel_centers"),
        )

    def window(self, graph: Graph) -> Window | None:
        """The input rows that an output row needs; None for all of them."""
        raise NotImplementedError

    def kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        """With pixels together or apart, the same for both numerics."""
        raise NotImplementedError

    def rows(self, graph: Graph) -> Rows:
        return Rows(steps=self.output(graph).shape[1], inputs=((0, self.window(graph)),))

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        return (self.kernel(graph),)


def check_size(check: Check, source: Tensor, output: Tensor) -> bool:
    """Input 1 is the new height and width, which the output has."""
    size = check_integers(check, 1, "size", 2)
    if size is None or not check.rank(source, "input", 4) or not check.batch(source, "input"):
        return False
    if not check.positive("size", size) or not check.positive("input size", source.shape[1:3]):
        return False
    if max(*size, *source.shape[1:3]) > _LARGEST:
        check.report("TG203", f"height and width must be at most {_LARGEST}, found {source.describe()}", source)
        return False
    return check.shape(output, "output", (1, *size, source.shape[3]))


def ratio(size: int, count: int) -> tuple[int, int]:
    """size / count in lowest terms."""
    common = gcd(size, count)
    return size // common, count // common


def covering_window(first: Indices, last: Indices, stride: int, repeat: int) -> Window | None:
    """The narrowest window, moving on by stride / repeat rows, that has rows first[y] to last[y] at step y.

    None where it would be so many rows that the whole tensor is better read through one pointer.
    """
    starts = np.arange(len(first)) * stride // repeat
    pad = int((starts - first).max())
    size = int((last - starts).max()) + pad + 1
    return Window(size, stride, pad, repeat=repeat) if size <= _MOST_ROWS else None


def taps_of(rows: Indices, window: Window | None) -> Indices:
    """For each step a given row as the kernel finds it: the tap of the window, or the row itself of the whole."""
    if window is None:
        return rows
    return (rows - [window.first(step) for step in range(len(rows))]).astype(np.int16)
