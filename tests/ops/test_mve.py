"""The kernels for Helium (MVE) against LiteRT, on the host: the same text with the intrinsics in plain C."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.ops import test_fully_connected as fully_connected
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples
from tests.ops.test_conv_2d import CONV, DEPTHWISE, cases
from tinygen.backends.options import CompileOptions
from tinygen.ir.op import Numerics
from tinygen.schedule.choose import Objective

HELIUM = CompileOptions(optimize=Objective.SPEED, features=frozenset({"dsp", "mve"}))


@examples(2)
@given(st.lists(cases(CONV), min_size=BATCH, max_size=BATCH))
def test_conv_2d(batch: list[Case]) -> None:
    check(*batch, options=HELIUM)


@examples(2)
@given(st.lists(cases(DEPTHWISE) | cases(DEPTHWISE, 40, 1), min_size=BATCH, max_size=BATCH))
def test_depthwise_conv_2d(batch: list[Case]) -> None:
    check(*batch, options=HELIUM)


@examples(2)
@given(st.lists(fully_connected.cases(), min_size=BATCH, max_size=BATCH))
def test_fully_connected(batch: list[Case]) -> None:
    check(*batch, numerics=tuple(Numerics), options=HELIUM)
