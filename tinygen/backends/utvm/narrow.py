"""The end of every sum: from int32 to the int8 output, in TFLite's rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygen.ops.requantize import Requantization

_MOST_RIGHT = 22
"""The furthest shift before which an int8 zero point can be added: 129 << 22 is below 2^30."""


@dataclass(frozen=True)
class Narrow:
    """Which function of tg_narrow.h requantizes, and the constants that all channels share."""

    rounding: str
    """`positive`, `fast` and `once` shift to the right and clamp to int8, `double` and `single` any way."""
    zero_point: int
    low: int
    high: int

    def value(self, acc: Any, multiplier: Any, shift: Any) -> Any:
        """The expression of an output element."""
        from tvm.script import tirx

        limits = [self.low, self.high] if self.rounding in ("double", "single") else []
        shift = shift.astype("int32")
        return tirx.call_extern("int8", f"tg_narrow_{self.rounding}", acc, multiplier, shift, self.zero_point, *limits)

    def shifts(self, requantization: Requantization) -> NDArray[np.int8]:
        """The shifts of the channels as that function takes them."""
        less = {"positive": 1, "fast": 1, "once": 2}.get(self.rounding)
        return requantization.shifts if less is None else (-requantization.shifts - less).astype(np.int8)


def narrow(requantization: Requantization, *, single_rounding: bool = False) -> Narrow:
    """How a layer's accumulators become outputs."""
    right = -requantization.shifts.astype(np.int32)
    near = requantization.limits == (-128, 127) and right.max() <= _MOST_RIGHT
    if single_rounding:
        rounding = "once" if near and right.min() >= 2 else "single"
    elif near and requantization.fast:
        rounding = "positive" if requantization.zero_point == -128 else "fast"
    else:
        rounding = "double"
    return Narrow(rounding, requantization.zero_point, *requantization.limits)
