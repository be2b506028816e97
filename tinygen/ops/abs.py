"""ABS, int8 to int8 by a table of all 256 results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.fixedpoint import Int
from tinygen.ir.op import register
from tinygen.ir.tensor import Quantization
from tinygen.ops.check import Check
from tinygen.ops.rescale import check_factor, rescale, single_ratio
from tinygen.ops.table import TableOp

_WIDE = (-(1 << 31), (1 << 31) - 1)


@register("ABS")
@dataclass(frozen=True, kw_only=True)
class Abs(TableOp):
    """Rescaled to the output's scale with double rounding, where that is another; LiteRT divides in float32."""

    kind: ClassVar[str] = "ABS"

    def check_scales(self, check: Check, source: Quantization, result: Quantization) -> None:
        check_factor(check, single_ratio(source.scale, result.scale))

    def table(self, steps: Int, source: Quantization, result: Quantization) -> Int:
        return rescale(np.abs(steps), single_ratio(source.scale, result.scale), result.zero_point, _WIDE)
