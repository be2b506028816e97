"""What a chain of element-wise operators makes of every byte: the exhaustive proof several passes rest on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.ir.tensor import Array, DType, Tensor
from tinygen.ops.elementwise import ElementwiseOp

INT8_VALUES = np.arange(-128, 128).astype(np.int8)
"""All of them, in order."""


def byte_map(graph: Graph, *chain: ElementwiseOp) -> Array | None:
    """The int8 results for INT8_VALUES through operators of which each reads the one before.

    None where the chain does not lead from int8 to int8, or the numerics disagree.
    """
    ends = (chain[0].input(graph, 0).dtype, chain[-1].output(graph).dtype)
    if ends != (DType.INT8, DType.INT8):
        return None
    tensors = {i: _flat(graph.tensors[i]) for op in chain for i in (*op.inputs, *op.outputs)}
    flat = replace(graph, tensors=tensors)
    results = []
    for numerics in Numerics:
        values: Array = INT8_VALUES
        for op in chain:
            (values,) = op.reference(flat, [values], numerics)
        results.append(values)
    return results[0] if all(np.array_equal(results[0], other) for other in results) else None


def _flat(tensor: Tensor) -> Tensor:
    return replace(tensor, shape=INT8_VALUES.shape, data=None)
