"""The end of every sum: from int32 to the int8 output, in TFLite's rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinygen.ops.requantize import Requantization


@dataclass(frozen=True)
class Narrow:
    """Which function of tg_tvm.h requantizes, and the constants that all channels share."""

    rounding: str
    """`fast`, `double` or `single`."""
    zero_point: int
    low: int
    high: int

    def value(self, acc: Any, multiplier: Any, shift: Any) -> Any:
        """The expression of an output element."""
        from tvm.script import tirx

        constants = [self.zero_point] if self.rounding == "fast" else [self.zero_point, self.low, self.high]
        shift = shift.astype("int32")
        return tirx.call_extern("int8", f"tg_narrow_{self.rounding}", acc, multiplier, shift, *constants)


def narrow(requantization: Requantization, *, single_rounding: bool = False) -> Narrow:
    """How a layer's accumulators become outputs."""
    rounding = "single" if single_rounding else "fast" if requantization.fast else "double"
    return Narrow(rounding, requantization.zero_point, *requantization.limits)
