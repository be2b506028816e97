"""The small FileCheck finds what is there, in order, and nothing else."""

from __future__ import annotations

import pytest

from tests.passes.filecheck import filecheck

TEXT = "%1 = PAD(%0)\n%2 = CONV_2D(%1)\n"


@pytest.mark.parametrize(
    "expectations",
    ["CHECK: PAD(%0)\nCHECK: CONV_2D", "CHECK: {{P.D}}(%{{[0-9]}})", "CHECK-NOT: ADD\nCHECK: PAD\nCHECK-NOT: ADD"],
)
def test_met(expectations: str) -> None:
    filecheck(TEXT, expectations)


@pytest.mark.parametrize(
    "expectations",
    ["CHECK: ADD", "CHECK: CONV_2D\nCHECK: PAD", "CHECK-NOT: PAD\nCHECK: CONV_2D", "CHECK: PAD\nCHECK-NOT: CONV"],
)
def test_not_met(expectations: str) -> None:
    with pytest.raises(AssertionError):
        filecheck(TEXT, expectations)


def test_a_misspelt_expectation() -> None:
    with pytest.raises(ValueError, match="not an expectation"):
        filecheck(TEXT, "CHEK: PAD")
