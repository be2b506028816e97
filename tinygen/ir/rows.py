"""The row model: which input rows one step of an operator reads and which output rows it writes.

A step is the smallest piece of a layer. Most operators have a step for each output row; an accumulating operator
(global mean) has a step for each input row; anything else has a single step that reads and writes everything.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Step y reads input rows y * stride / repeat - pad + k * dilation for k in [0, size), those inside the tensor.

    The division rounds down: with a stride of 1 that many steps in turn have the same window.
    """

    size: int = 1
    stride: int = 1
    pad: int = 0
    dilation: int = 1
    repeat: int = 1

    def first(self, step: int) -> int:
        """The first row of the window of a step; may be negative."""
        return step * self.stride // self.repeat - self.pad

    def end(self, step: int, height: int) -> int:
        """One past the last row that must exist before the step, at most `height`; 0 when it needs none."""
        return max(0, min(self.first(step) + (self.size - 1) * self.dilation + 1, height))

    def rows(self, step: int, height: int) -> range:
        """The rows of a tensor of `height` rows that a step reads, as a range (possibly empty)."""
        first = self.first(step)
        below = max(0, -(first // self.dilation)) if first < 0 else 0
        begin = first + below * self.dilation
        end = min(first + (self.size - 1) * self.dilation + 1, height)
        return range(begin, max(begin, end), self.dilation)


SAME_ROW = Window()
"""Step y reads row y."""

WHOLE: None = None
"""Every step reads the whole tensor, through one pointer to its first row."""


@dataclass(frozen=True)
class Inlay:
    """A tensor that is part of another: pixel p of its row r is at byte first + r * pitch + p * pixel_pitch of `whole`.

    A pixel is what the part's last index runs over.
    """

    part: int
    """Tensors' ids."""
    whole: int
    first: int
    pitch: int
    pixel_pitch: int


@dataclass(frozen=True)
class Rows:
    """How an operator's work divides into steps.

    `steps` is their number; `inputs` has an entry for each activation or row-wise constant the kernel reads, as
    (position in op.inputs, Window or WHOLE), in the order of the kernel's row pointers. With `writes_row` step y writes
    row y of output 0, otherwise the single output is complete after the last step; with `accumulates` an int32
    accumulator of Call.accumulator_bytes lives from the first step to the last.
    """

    steps: int
    inputs: tuple[tuple[int, Window | None], ...]
    writes_row: bool = True
    accumulates: bool = False
