"""Valid operators with a few things changed: verify does not raise, and what it still accepts can be computed."""

from __future__ import annotations

import random
from dataclasses import fields, replace

import numpy as np
import pytest

from tests.ops.builder import TensorDef
from tests.ops.test_conv_2d import CONV, DEPTHWISE, layer
from tests.ops.test_fully_connected import model as dense_model
from tests.ops.test_mean import mean
from tests.ops.test_pad import pad
from tests.ops.test_pool import KINDS, VALID, pool
from tests.ops.test_softmax import softmax
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op
from tinygen.ir.tensor import Array, DType, Quantization, Tensor
from tinygen.ops.activation import Activation
from tinygen.tflite import read_bytes

MUTANTS = 300
"""Of each operator."""

_SOURCE = TensorDef.activation((1, 5, 6, 4), 0.1, -3)

MODELS = {
    "CONV_2D": layer(CONV, (5, 6, 4), (3, 2), 3),
    "DEPTHWISE_CONV_2D": layer(DEPTHWISE, (5, 6, 4), (3, 2), 8),
    "FULLY_CONNECTED": dense_model(6, 4),
    "AVERAGE_POOL_2D": pool(KINDS[0], _SOURCE, (2, 3), (1, 2), VALID),
    "global AVERAGE_POOL_2D": pool(KINDS[0], _SOURCE, (5, 6), (1, 1), VALID),
    "MAX_POOL_2D": pool(KINDS[1], _SOURCE, (2, 3), (1, 2), VALID),
    "MEAN": mean(_SOURCE, [1, 2], TensorDef.activation((1, 4), 0.05, 1), False),
    "SOFTMAX": softmax(_SOURCE),
    "PAD": pad(_SOURCE, np.array([[0, 0], [1, 2], [2, 0], [0, 1]], np.int32)),
    "PADV2": pad(_SOURCE, np.array([[0, 0], [1, 2], [2, 0], [0, 0]], np.int32), 7),
}


@pytest.mark.parametrize("name", MODELS)
def test_near_valid(name: str) -> None:
    graph = read_bytes(MODELS[name], "m.tflite")
    accepted = 0
    for seed in range(MUTANTS):
        mutant = _mutant(graph, random.Random(seed))
        op = mutant.ops[0].resolve(mutant)
        mutant = mutant.with_ops((op,))
        found = list(op.verify(mutant))
        assert {d.code for d in found} <= {"TG202", "TG203", "TG204", "TG205"}, seed
        if not found:
            accepted += 1
            _compute(mutant)
    assert 0 < accepted < MUTANTS


def _mutant(graph: Graph, rng: random.Random) -> Graph:
    tensors = dict(graph.tensors)
    op = graph.ops[0]
    for _ in range(rng.choice((1, 1, 2, 3))):
        if rng.random() < 0.3:
            op = _changed_op(op, rng)
        elif (i := rng.choice(sorted(tensors))) >= 0:
            tensors[i] = _changed_tensor(tensors[i], rng)
    return replace(graph, tensors=tensors, ops=(op,))


def _changed_op(op: Op, rng: random.Random) -> Op:
    """Another set of inputs, or one option with another value of its type."""
    options = [f.name for f in fields(op) if f.name not in ("inputs", "outputs", "origin")]
    if not options or rng.random() < 0.3:
        inputs = list(op.inputs)
        if inputs:
            inputs[rng.randrange(len(inputs))] = rng.choice((-1, *op.inputs))
        return replace(op, inputs=rng.choice((tuple(inputs), op.inputs[:-1], op.inputs + op.inputs[:1], ())))
    name = rng.choice(options)
    return replace(op, **{name: _changed_value(getattr(op, name), rng)})


def _changed_value(value: object, rng: random.Random) -> object:
    if isinstance(value, tuple):
        changed = [*value]
        changed[rng.randrange(len(changed))] = rng.choice((0, 1, 2, 3, -1, 1 << 20))
        return rng.choice((tuple(changed), (-1,) * len(changed)))
    if isinstance(value, Activation):
        return rng.choice(list(Activation))
    if isinstance(value, bool):
        return not value
    return rng.choice((0.0, -1.0, 0.5, float("nan"), float("inf")))


def _changed_tensor(tensor: Tensor, rng: random.Random) -> Tensor:
    shape, dtype, quant, data = tensor.shape, tensor.dtype, tensor.quant, tensor.data
    match rng.randrange(5):
        case 0:
            axis = rng.randrange(max(len(shape), 1))
            size = rng.choice((0, 1, 2, 3, 4, 7))
            shape = rng.choice(((*shape[:axis], size, *shape[axis + 1 :]), shape[1:], (1, *shape), (*shape, 1), ()))
        case 1:
            dtype = rng.choice(list(DType))
        case 2:
            quant = rng.choice((None, _changed_quantization(quant, rng)))
        case 3:
            data = None if data is not None else np.ones(shape, dtype.numpy)
        case 4:
            if data is not None:
                data = rng.choice((0, 1, 2, -1)) * data.astype(np.int64) + rng.choice((0, 1, -1))
                data = data.astype(dtype.numpy)
    if data is not None and (data.shape != shape or data.dtype != dtype.numpy):
        data = np.resize(data, shape).astype(dtype.numpy)
    return Tensor(tensor.id, tensor.name, shape, dtype, quant, data)


def _changed_quantization(quant: Quantization | None, rng: random.Random) -> Quantization:
    count = rng.choice((0, 1, 1, 2, 3, 4, 8))
    scales = rng.choices((0.01, 0.05, 1.0, 1e-30, 1e30, 0.0, -1.0, float("nan"), float("inf")), k=count)
    if quant is not None and rng.random() < 0.5:
        scales = [*quant.scales]
    zero_points = rng.choices((0, 0, 0, 5, -128, 300), k=rng.choice((len(scales), len(scales), 0, 1)))
    return Quantization(tuple(scales), tuple(zero_points), rng.choice((None, 0, 3, 9)))


def _compute(graph: Graph) -> None:
    op, output = graph.ops[0], graph.ops[0].output(graph)
    inputs = [_contents(graph.tensors[i]) if i >= 0 else None for i in op.inputs]
    for numerics in Numerics:
        (result,) = op.reference(graph, inputs, numerics)
        assert (result.shape, result.dtype) == (output.shape, output.dtype.numpy)
        assert [kernel.call() for kernel in op.kernels(graph, numerics)]
    assert op.rows(graph).steps >= 1
    assert op.macs(graph) >= 0


def _contents(tensor: Tensor) -> Array:
    return np.ones(tensor.shape, tensor.dtype.numpy) if tensor.data is None else tensor.data
