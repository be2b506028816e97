"""The kernels for Helium (MVE) against LiteRT, on the host: the same text with the intrinsics in plain C."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.ops.harness import Case, check
from tests.ops.helium import BATCHES, FEATURES, helium_alone
from tests.ops.strategies import examples
from tinygen.backends.options import CompileOptions
from tinygen.ir.op import Numerics


@pytest.mark.parametrize("kind", BATCHES)
def test_equals_litert(kind: str) -> None:
    numerics = tuple(Numerics) if kind == "FULLY_CONNECTED" else (Numerics.LITERT,)

    @examples(2)
    @given(BATCHES[kind])
    def run(batch: list[Case]) -> None:
        with helium_alone():
            check(*batch, numerics=numerics, options=CompileOptions(features=FEATURES))

    run()
