"""Small graphs for the tests of passes, and the check that a pass changes no output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygen.errors import Origin
from tinygen.ir.graph import Graph
from tinygen.ir.interpret import interpret
from tinygen.ir.op import Numerics, Op
from tinygen.ir.tensor import Array, DType, Quantization, Tensor
from tinygen.ir.text import to_text
from tinygen.ops.activation import Activation
from tinygen.ops.conv_2d import Conv2D

WEIGHTS = Quantization((0.02,), (0,))


@dataclass
class Builder:
    """Collects tensors and operators; tensors get ids in order, which the expected texts count on."""

    tensors: dict[int, Tensor] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)

    def tensor(self, shape: tuple[int, ...], scale: float = 0.5, zero_point: int = 0, dtype: DType = DType.INT8) -> int:
        """An activation; float32 has no quantization."""
        quant = None if dtype is DType.FLOAT32 else Quantization((scale,), (zero_point,))
        return self._add(shape, dtype, quant, None)

    def constant(self, data: Array, quant: Quantization | None = None) -> int:
        frozen = np.array(data)
        frozen.flags.writeable = False
        return self._add(frozen.shape, DType(frozen.dtype.name), quant, frozen)

    def op(self, kind: type[Op], inputs: tuple[int, ...], output: int, **options: Any) -> int:
        """Appends an operator and returns its output."""
        return self.several(kind, inputs, (output,), **options)[0]

    def several(
        self, kind: type[Op], inputs: tuple[int, ...], outputs: tuple[int, ...], **options: Any
    ) -> tuple[int, ...]:
        """Appends an operator of several outputs and returns them."""
        origin = Origin("test.tflite", len(self.ops), kind.kind)
        self.ops.append(kind(inputs=inputs, outputs=outputs, origin=origin, **options))
        return outputs

    def conv(self, source: int, output: int, size: int = 3, **options: Any) -> int:
        """A convolution with random weights; by default without padding, with stride 1 and no activation."""
        generator = np.random.default_rng(len(self.ops))
        channels_in, channels = self.tensors[source].shape[3], self.tensors[output].shape[3]
        shape = (channels, size, size, channels_in)
        weights = self.constant(generator.integers(-127, 128, shape).astype(np.int8), WEIGHTS)
        defaults = {"strides": (1, 1), "padding": (0, 0, 0, 0), "activation": Activation.NONE}
        return self.op(Conv2D, (source, weights), output, **(defaults | options))

    def graph(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Graph:
        graph = Graph("test", "0" * 64, self.tensors, tuple(self.ops), inputs, outputs)
        graph.verify()
        return graph

    def _add(self, shape: tuple[int, ...], dtype: DType, quant: Quantization | None, data: Array | None) -> int:
        index = len(self.tensors)
        self.tensors[index] = Tensor(index, f"t{index}", shape, dtype, quant, data)
        return index


def random_inputs(graph: Graph, seed: int = 0) -> list[Array]:
    generator = np.random.default_rng(seed)
    arrays: list[Array] = []
    for tensor in (graph.tensors[i] for i in graph.inputs):
        if tensor.dtype is DType.FLOAT32:
            arrays.append(generator.uniform(-20, 20, tensor.shape).astype(np.float32))
        else:
            info = np.iinfo(tensor.dtype.value)
            arrays.append(generator.integers(info.min, info.max + 1, tensor.shape).astype(tensor.dtype.numpy))
    return arrays


def same_outputs(before: Graph, after: Graph, samples: int = 3) -> None:
    """The graphs have the same inputs and outputs, and compute the same, whichever numerics are asked for."""
    for ends in ("inputs", "outputs"):
        assert getattr(before, ends) == getattr(after, ends)
        for i in getattr(before, ends):
            a, b = before.tensors[i], after.tensors[i]
            assert (a.name, a.shape, a.dtype, a.quant) == (b.name, b.shape, b.dtype, b.quant)
    for numerics in Numerics:
        for seed in range(samples):
            inputs = random_inputs(before, seed)
            for a, b in zip(interpret(before, inputs, numerics), interpret(after, inputs, numerics), strict=True):
                np.testing.assert_array_equal(a, b)


def transformed(transform: Callable[[Graph], Graph], graph: Graph) -> str:
    """The text of the graph after a pass, which is verified to be well formed and to compute the same."""
    after = transform(graph)
    after.verify()
    same_outputs(graph, after)
    return to_text(after)
