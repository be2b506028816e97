"""AVERAGE_POOL_2D by arm_avgpool_s8."""

from __future__ import annotations

from tinygen.backends.cmsis_nn.library import AVERAGE_POOL
from tinygen.backends.cmsis_nn.pooling import pooling_kernel
from tinygen.backends.cmsis_nn.scratch import Unit, average_pool
from tinygen.ir.call import Kernel
from tinygen.ir.graph import Graph
from tinygen.ops.average_pool_2d import AveragePool2D

SOURCES = AVERAGE_POOL
SYMBOL = "arm_avgpool_s8"


def kernels(op: AveragePool2D, graph: Graph, core: Unit) -> tuple[Kernel, ...]:
    """A call for the whole layer."""
    scratch = average_pool(op.output(graph).shape[3], core)
    return (pooling_kernel(op, graph, SYMBOL, scratch, f"tg_{SYMBOL}_scratch"),)
