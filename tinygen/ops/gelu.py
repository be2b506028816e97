"""GELU and ELU, int8 to int8 by tables of all 256 results."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Origin
from tinygen.fixedpoint import Int
from tinygen.ir.op import Options, register
from tinygen.ir.tensor import Quantization
from tinygen.ops.table import Floats, TableOp, rounded, single

_BETA = np.float32(math.sqrt(2 / math.pi))
_KAPPA = np.float32(0.044715)


@register("GELU")
@dataclass(frozen=True, kw_only=True)
class Gelu(TableOp):
    """x times the normal distribution's function: by erf in double, or as LiteRT approximates it by tanh in float32."""

    kind: ClassVar[str] = "GELU"
    approximate: bool

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(inputs=inputs, outputs=outputs, origin=origin, approximate=options.boolean("approximate"))

    def table(self, steps: Int, source: Quantization, result: Quantization) -> Int:
        return rounded(_by_tanh if self.approximate else _by_erf, steps, source, result)


@register("ELU")
@dataclass(frozen=True, kw_only=True)
class Elu(TableOp):
    """exp(x) - 1 of negative numbers in float32, as LiteRT fills its table."""

    kind: ClassVar[str] = "ELU"

    def table(self, steps: Int, source: Quantization, result: Quantization) -> Int:
        return rounded(lambda x: np.where(x < 0, single(np.exp, x) - np.float32(1), x), steps, source, result)


def _by_erf(x: Floats) -> Floats:
    half = np.float32(0.5) * x
    erf = np.array([math.erf(v * math.sqrt(0.5)) for v in x.astype(np.float64).tolist()])
    return np.asarray(half * (1 + erf), np.float32)


def _by_tanh(x: Floats) -> Floats:
    inner = _BETA * (x + _KAPPA * x * x * x)
    return np.float32(0.5) * x * (np.float32(1) + single(np.tanh, inner))
