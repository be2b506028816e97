"""MAX_POOL_2D by arm_max_pool_s8."""

from __future__ import annotations

from tinygen.backends.cmsis_nn.library import MAX_POOL
from tinygen.backends.cmsis_nn.pooling import pooling_kernel
from tinygen.backends.cmsis_nn.scratch import Unit
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ops.max_pool_2d import MaxPool2D

SOURCES = MAX_POOL


def kernels(op: MaxPool2D, graph: Graph, core: Unit) -> tuple[Kernel, ...]:
    """A call for the whole layer."""
    return (pooling_kernel(op, graph, "arm_max_pool_s8", 0),)
