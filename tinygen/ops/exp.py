"""EXP and LOG, int8 to int8 by tables of all 256 results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.fixedpoint import Int
from tinygen.ir.op import register
from tinygen.ir.tensor import Quantization
from tinygen.ops.table import Floats, TableOp, rounded, single


@register("EXP")
@dataclass(frozen=True, kw_only=True)
class Exp(TableOp):
    """In float32, as LiteRT fills its table."""

    kind: ClassVar[str] = "EXP"

    def table(self, steps: Int, source: Quantization, result: Quantization) -> Int:
        return rounded(lambda x: single(np.exp, x), steps, source, result)


@register("LOG")
@dataclass(frozen=True, kw_only=True)
class Log(TableOp):
    """In float32, as LiteRT fills its table; of what is not positive the least number that the output has."""

    kind: ClassVar[str] = "LOG"

    def table(self, steps: Int, source: Quantization, result: Quantization) -> Int:
        def log(x: Floats) -> Floats:
            least = np.float32(-128 - result.zero_point) * np.float32(result.scale)
            return np.where(x > 0, single(np.log, x), least)

        return rounded(log, steps, source, result)
