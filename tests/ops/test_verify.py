"""Every operator's verify on arbitrary tensors: it never raises, and what it lets through can be computed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tinygen.ops  # noqa: F401  registers all operators
from tinygen.errors import Origin
from tinygen.ir.graph import Graph
from tinygen.ir.op import REGISTRY, Numerics, Op
from tinygen.ir.tensor import Array, DType, Quantization, Tensor

GRAPHS = 400
"""Of each operator: a valid one, and what a few random changes make of it."""

ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
ENUMERATORS = {"padding": ("SAME", "VALID"), "weights_format": ("DEFAULT", "SHUFFLED4x16INT8")}
FUSED = {"SVDF": "RELU", "UNIDIRECTIONAL_SEQUENCE_LSTM": "TANH"}
"""The fused activation of the operators that must have one."""
EXTENTS = (1, 1, 2, 3, 4)
SCALES = (1.0, 1 / 256, 0.05, 1e-30, 1e30, 0.0, -1.0, float("inf"), float("nan"))
ZERO_POINTS = (0, -128, 127, 3, 128, 1 << 40)

IMAGE, ROW = (1, 4, 3, 2), (1, 6)
INT8, INT16, INT32, FLOAT32 = DType.INT8, DType.INT16, DType.INT32, DType.FLOAT32
PLAIN, SHARE = Quantization((1.0,), (0,)), Quantization((1 / 256,), (-128,))
SIGNED, CELL = Quantization((1 / 128,), (0,)), Quantization((1 / 2048,), (0,))
NONE = -1
"""An optional input that is absent."""


def tensor(shape: tuple[int, ...], dtype: DType = INT8, values: object = None, quant: Quantization = PLAIN) -> Tensor:
    data = None if values is None else np.broadcast_to(np.array(values, dtype.numpy), shape).copy()
    return Tensor(0, "t", shape, dtype, quant, data)


def state(elements: int, dtype: DType, quant: Quantization = PLAIN) -> Tensor:
    return replace(tensor((1, elements), dtype, quant=quant), variable=True)


VALID: dict[str, tuple[Tensor | None, ...]] = {
    "ADD": (tensor(IMAGE), tensor(IMAGE), tensor(IMAGE)),
    "ARG_MAX": (tensor(IMAGE), tensor((), INT32, 1), tensor((1, 3, 2), INT32)),
    "ARG_MIN": (tensor(IMAGE), tensor((), INT32, 1), tensor((1, 3, 2), INT32)),
    "AVERAGE_POOL_2D": (tensor(IMAGE), tensor(IMAGE)),
    "BATCH_MATMUL": (tensor((1, 3, 2)), tensor((1, 2, 4)), tensor((1, 3, 4))),
    "SQUARED_DIFFERENCE": (tensor(IMAGE), tensor(IMAGE), tensor(IMAGE)),
    "CONCATENATION": (tensor(IMAGE), tensor(IMAGE), tensor((1, 8, 3, 2))),
    "CONV_2D": (tensor(IMAGE), tensor((5, 1, 1, 2), INT8, 1), tensor((5,), INT32, 7), tensor((1, 4, 3, 5))),
    "DEPTH_TO_SPACE": (tensor(IMAGE), tensor(IMAGE)),
    "SPACE_TO_DEPTH": (tensor(IMAGE), tensor(IMAGE)),
    "GATHER": (tensor(IMAGE), tensor((2,), INT32, [0, 3]), tensor((1, 2, 3, 2))),
    "DEPTHWISE_CONV_2D": (tensor(IMAGE), tensor((1, 1, 1, 2), INT8, 1), tensor((2,), INT32, 7), tensor(IMAGE)),
    "DEQUANTIZE": (tensor(IMAGE), tensor(IMAGE, FLOAT32)),
    "EXPAND_DIMS": (tensor(ROW), tensor((), INT32, 1), tensor((1, 1, 6))),
    "FULLY_CONNECTED": (tensor(ROW), tensor((3, 6), INT8, 1), tensor((3,), INT32, 7), tensor((1, 3))),
    "L2_NORMALIZATION": (tensor(IMAGE), tensor(IMAGE, quant=Quantization((1 / 128,), (0,)))),
    "LOGISTIC": (tensor(IMAGE), tensor(IMAGE, quant=SHARE)),
    "MAX_POOL_2D": (tensor(IMAGE), tensor(IMAGE)),
    "MAXIMUM": (tensor(IMAGE), tensor(IMAGE), tensor(IMAGE)),
    "MEAN": (tensor(IMAGE), tensor((2,), INT32, [1, 2]), tensor((1, 1, 1, 2))),
    "MINIMUM": (tensor(IMAGE), tensor(IMAGE), tensor(IMAGE)),
    "MUL": (tensor(IMAGE), tensor(IMAGE), tensor(IMAGE)),
    "PACK": (tensor((1, 3, 2)), tensor((1, 3, 2)), tensor((1, 2, 3, 2))),
    "PAD": (tensor(IMAGE), tensor((4, 2), INT32, [[0, 0], [1, 1], [1, 1], [0, 0]]), tensor((1, 6, 5, 2))),
    "PADV2": (
        tensor(IMAGE),
        tensor((4, 2), INT32, [[0, 0], [1, 1], [1, 1], [0, 0]]),
        tensor((1,), INT8, 5),
        tensor((1, 6, 5, 2)),
    ),
    "PRELU": (tensor(IMAGE), tensor((1, 1, 2), INT8, 3), tensor(IMAGE)),
    "QUANTIZE": (tensor(IMAGE, FLOAT32), tensor(IMAGE)),
    "REDUCE_MAX": (tensor(IMAGE), tensor((2,), INT32, [1, 2]), tensor((1, 1, 1, 2))),
    "REDUCE_MIN": (tensor(IMAGE), tensor((2,), INT32, [1, 2]), tensor((1, 1, 1, 2))),
    "RESHAPE": (tensor(IMAGE), tensor((2,), INT32, [1, -1]), tensor((1, 24))),
    "RESIZE_BILINEAR": (tensor(IMAGE), tensor((2,), INT32, [8, 3]), tensor((1, 8, 3, 2))),
    "RESIZE_NEAREST_NEIGHBOR": (tensor(IMAGE), tensor((2,), INT32, [8, 3]), tensor((1, 8, 3, 2))),
    "SLICE": (
        tensor(IMAGE),
        tensor((4,), INT32, [0, 1, 0, 1]),
        tensor((4,), INT32, [1, 2, -1, 1]),
        tensor((1, 2, 3, 1)),
    ),
    "SOFTMAX": (tensor(ROW), tensor(ROW, quant=SHARE)),
    "SPLIT": (tensor((), INT32, 1), tensor(IMAGE), tensor(IMAGE)),
    "SPLIT_V": (tensor(IMAGE), tensor((1,), INT32, -1), tensor((1,), INT32, 2), tensor(IMAGE)),
    "SQUEEZE": (tensor((1, 1, 6)), tensor((6,))),
    "STRIDED_SLICE": (
        tensor(IMAGE),
        *(tensor((4,), INT32, values) for values in ([0, 1, 0, 0], [0, 3, 3, 1], [1, 1, 2, 1])),
        tensor((1, 2, 2, 1)),
    ),
    "UNPACK": (tensor((1, 1, 6)), tensor((1, 6))),
    "SUB": (tensor(IMAGE), tensor(IMAGE), tensor(IMAGE)),
    "SVDF": (
        tensor(ROW),
        tensor((4, 6), INT8, 1),
        tensor((4, 3), INT16, 1),
        tensor((4,), INT32, 7),
        state(12, INT16),
        tensor((1, 4)),
    ),
    "TANH": (tensor(IMAGE), tensor(IMAGE, quant=SIGNED)),
    "TRANSPOSE_CONV": (
        tensor((4,), INT32, [1, 4, 3, 5]),
        tensor((5, 1, 1, 2), INT8, 1),
        tensor(IMAGE),
        tensor((5,), INT32, 7),
        tensor((1, 4, 3, 5)),
    ),
    "TRANSPOSE": (tensor(IMAGE), tensor((4,), INT32, [0, 3, 1, 2]), tensor((1, 2, 4, 3))),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (
        tensor((3, 1, 2), quant=SIGNED),
        *[tensor((4, 2), INT8, 1, SIGNED)] * 4,
        *[tensor((4, 4), INT8, 1, SIGNED)] * 4,
        *[None] * 3,
        *[tensor((4,), INT32, 7, SIGNED)] * 4,
        *[None] * 2,
        state(4, INT8, SIGNED),
        state(4, INT16, CELL),
        tensor((3, 1, 4), quant=SIGNED),
    ),
}
"""Inputs and the output of a valid operator, None for an absent one; others take and return an int8 activation."""


class Chosen:
    """Options that are 1 (dimensions of batches 0), true (offsets false), VALID and without activation.

    With `odd` they are anything now and then.
    """

    def __init__(self, kind: str, rng: random.Random, odd: bool) -> None:
        self._kind = kind
        self._rng = rng
        self._odd = odd
        self.intermediates: tuple[Quantization | None, ...] = self._any((SIGNED,) * 5, ((), (SIGNED,), (None,) * 5))

    def _any(self, usual: Any, others: Sequence[Any]) -> Any:
        return self._rng.choice(others) if self._odd and self._rng.random() < 0.3 else usual

    def integer(self, name: str) -> int:
        return self._any(int(name != "batch_dims"), (2, 3, 0, -1, 1 << 30))

    def real(self, name: str) -> float:
        return self._any(1.0, (0.5, 0.0, -1.0, float("inf"), float("nan")))

    def boolean(self, name: str) -> bool:
        return self._any(name not in ("offset", "half_pixel_centers", "adj_x", "adj_y"), (True, False))

    def integers(self, name: str) -> tuple[int, ...]:
        return self._any((), ((1,), (-1, 5)))

    def enum(self, name: str) -> str:
        known = ENUMERATORS.get(name, ACTIVATIONS)
        usual = FUSED.get(self._kind, known[0]) if name == "fused_activation_function" else known[0]
        return self._any(usual, known)


@pytest.mark.parametrize("kind", sorted(REGISTRY))
def test_never_raises_and_means_what_it_says(kind: str) -> None:
    accepted = 0
    for seed in range(GRAPHS):
        graph = _graph(kind, random.Random(seed), changes=seed % 4)
        op = graph.ops[0].resolve(graph)
        found = list(op.verify(graph))
        assert {d.code for d in found} <= {"TG202", "TG203", "TG204", "TG205"}, seed
        if not found:
            _compute(op, graph)
            accepted += 1
    assert GRAPHS // 4 <= accepted < GRAPHS


def _graph(kind: str, rng: random.Random, changes: int) -> Graph:
    """A valid operator after some changes to its tensors, their number and its options."""
    given = VALID.get(kind, (tensor(IMAGE), tensor(IMAGE)))
    tensors = [t for t in given if t is not None]
    ids = [tensors.index(t) if t is not None else NONE for t in given[:-1]]
    outputs: tuple[int, ...] = (len(tensors) - 1,)
    for _ in range(changes):
        at = rng.randrange(len(tensors))
        what = rng.randrange(12)
        if what == 0 and ids:
            ids[rng.randrange(len(ids))] = rng.choice((-1, *ids))
        elif what == 1:
            ids = rng.choice((ids[:-1], [*ids, *ids[:1]], []))
        elif what == 2:
            outputs = rng.choice(((), outputs * 2, outputs))
        else:
            tensors[at] = _changed(rng, tensors[at], tensors[0])
    table = {i: replace(t, id=i) for i, t in enumerate(tensors)}
    op = REGISTRY[kind].parse(tuple(ids), outputs, Origin("any.tflite", 0, kind), Chosen(kind, rng, odd=changes > 1))
    sources = tuple(i for i in range(len(tensors) - 1) if table[i].data is None)
    return Graph("any", "0" * 64, table, (op,), sources, outputs)


def _changed(rng: random.Random, t: Tensor, first: Tensor) -> Tensor:
    """Another shape, type, quantization or content; data always fits shape and type, as in any graph."""
    shape, dtype, quant, data = t.shape, t.dtype, t.quant, t.data
    what = rng.randrange(6)
    if what == 0:
        shape = rng.choice((shape[1:], (1, *shape), (), first.shape, tuple(rng.choices(EXTENTS, k=rng.randrange(7)))))
    elif what == 1 and shape:
        at = rng.randrange(len(shape))
        shape = (*shape[:at], rng.choice(EXTENTS), *shape[at + 1 :])
    elif what == 2:
        dtype = rng.choice(list(DType))
    elif what == 3:
        data = None if data is not None else np.array(rng.choices((0, 1, 2, 3, -1), k=t.elements))
    elif what == 4 and data is not None:
        data = np.array(rng.choices((0, 1, 2, 3, -1, 7), k=t.elements))
    else:
        count = rng.choice((1, 1, 1, 1, 0, 2, max(shape, default=1)))
        scales, points = rng.choices(SCALES, k=count), rng.choices(ZERO_POINTS, k=count)
        quant = rng.choice((None, Quantization(tuple(scales), tuple(points), rng.choice((None, 0, 3, -1, 7)))))
    if data is not None:
        data = np.resize(data.astype(np.int64), shape).astype(dtype.numpy)
    return replace(t, shape=shape, dtype=dtype, quant=quant, data=data)


def _compute(op: Op, graph: Graph) -> None:
    for part in op.parts(graph):
        assert not list(part.verify(graph))
        _compute_part(part, graph)


def _compute_part(op: Op, graph: Graph) -> None:
    output = op.output(graph)
    inputs = [_contents(graph.tensors[i]) if i >= 0 else None for i in op.inputs]
    for numerics in Numerics:
        result, *_ = op.reference(graph, inputs, numerics)
        assert (result.shape, result.dtype) == (output.shape, output.dtype.numpy)
        calls = [kernel.call() for kernel in op.kernels(graph, numerics)]
        assert op.alias or calls
    assert op.rows(graph).steps >= 1
    assert op.macs(graph) >= 0


def _contents(tensor: Tensor) -> Array:
    if tensor.data is not None:
        return tensor.data
    return np.arange(tensor.elements).astype(tensor.dtype.numpy).reshape(tensor.shape)
