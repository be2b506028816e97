"""What the tests of kernels for Helium (MVE) share: models for them, and a compiler that knows no other kernels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import strategies as st

from tests.ops import test_fully_connected as fully_connected
from tests.ops.binary import binary_cases
from tests.ops.harness import Case
from tests.ops.strategies import BATCH
from tests.ops.test_conv_2d import CONV, DEPTHWISE, cases
from tinygen.backends import c
from tinygen.backends.options import CompileOptions
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op

FEATURES = frozenset({"dsp", "mve"})


def _batches(cases: st.SearchStrategy[Case], size: int = BATCH) -> st.SearchStrategy[list[Case]]:
    return st.lists(cases, min_size=size, max_size=size)


BATCHES = {
    CONV: _batches(cases(CONV)),
    DEPTHWISE: _batches(cases(DEPTHWISE) | cases(DEPTHWISE, 40, 1)),
    "FULLY_CONNECTED": _batches(fully_connected.cases()),
    # Each layer has its own copy of the kernel, which takes a compiler long.
    "ADD": _batches(binary_cases("ADD"), BATCH // 3),
}
"""Models of one operator, for each that has such kernels."""


@contextmanager
def helium_alone() -> Iterator[None]:
    """Where an operator has kernels for Helium, the compiler takes one of them, however slow or large."""
    portable = c.portable_kernels

    def kernels(op: Op, graph: Graph, options: CompileOptions) -> tuple[Kernel, ...]:
        offered = portable(op, graph, options)
        return tuple(kernel for kernel in offered if "mve" in kernel.requires) or offered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(c, "portable_kernels", kernels)
        yield
