"""Removes a DEQUANTIZE followed by a QUANTIZE that gives every value back."""

from __future__ import annotations

import numpy as np

from tinygen.ir.graph import Graph
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.quantize import Quantize
from tinygen.passes.byte_map import INT8_VALUES, byte_map
from tinygen.passes.rewire import bypass, producers


def fold_quantize_pairs(graph: Graph) -> Graph:
    """The graph in which such pairs are gone; what else reads the float32 between them still does.

    With other parameters the pair is not one requantization: it rounds in float32, not in fixed point, so it is left.
    """
    made_by = producers(graph)
    same: dict[int, int] = {}
    for op in graph.ops:
        before = made_by.get(op.inputs[0]) if isinstance(op, Quantize) else None
        if not isinstance(op, Quantize) or not isinstance(before, Dequantize):
            continue
        source, result = before.input(graph, 0), op.output(graph)
        table = byte_map(graph, before, op) if source.quant == result.quant else None
        if table is not None and np.array_equal(table, INT8_VALUES):
            same[result.id] = source.id
    return bypass(graph, same)
