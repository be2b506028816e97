"""A random graph while it grows: what may be read, and new tensors and weights of fitting quantization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from tests.passes.graphs import Builder
from tinygen.ir.tensor import Quantization
from tinygen.ops.window import same_padding

MOST_ELEMENTS = 600
"""Of a tensor: schedules see rows, and painted arenas are slow."""

Shape = tuple[int, ...]


@dataclass
class Net:
    """A graph that grows operator by operator, with every choice drawn."""

    draw: st.DrawFn
    builder: Builder = field(default_factory=Builder)
    values: list[int] = field(default_factory=list)
    """Tensors that may be read."""
    read: set[int] = field(default_factory=set)

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def shape(self, tensor: int) -> Shape:
        return self.builder.tensors[tensor].shape

    def fresh(self, shape: Shape) -> int:
        """An activation whose values spread over int8 when the input's do."""
        return self.builder.tensor(shape, 0.0625, self.draw(st.sampled_from((0, 0, -3, 5))))

    def like(self, source: int, shape: Shape) -> int:
        """An activation of the source's quantization."""
        quant = self.builder.tensors[source].quant
        assert quant is not None
        return self.builder.tensor(shape, quant.scale, quant.zero_point)

    def pick(self, ranks: Sequence[int] = (1, 2, 3, 4)) -> int | None:
        """A value to read, most often a recent one."""
        found = [i for i in self.values if len(self.shape(i)) in ranks]
        if not found:
            return None
        return found[-1 - min(self.draw(st.sampled_from((0, 0, 0, 0, 0, 1, 1, 2, 3, 5))), len(found) - 1)]

    def op(self, kind: type, inputs: tuple[int, ...], output: int, **options: object) -> None:
        self.builder.op(kind, inputs, output, **options)
        self.read.update(inputs)
        self.values.append(output)

    def weights(self, shape: Shape, taps: int) -> int:
        """Scaled such that sums of `taps` products spread over int8 again."""
        generator = np.random.default_rng(len(self.builder.tensors))
        scale = float(np.float32(1 / (74 * taps**0.5)))
        return self.builder.constant(generator.integers(-127, 128, shape).astype(np.int8), Quantization((scale,), (0,)))

    def window(self, size: int, most_dilation: int, *, pool: bool) -> tuple[int, int, int, int, int] | None:
        """(window, stride, dilation, padding before, after) over an axis; None where no window fits."""
        window, dilation = self.integer(1, 4), self.integer(1, most_dilation)
        stride = self.draw(st.sampled_from((1, 1, 1, 2, 2, 3, 4)))
        extent = (window - 1) * dilation + 1
        most = window - 1 if pool else extent + 1
        style = self.draw(st.sampled_from(("same", "same", "valid", "any")))
        before, after = same_padding(size, extent, stride) if style == "same" else (0, 0)
        if style == "any":
            before, after = self.integer(0, most), self.integer(0, most)
        if (before + size + after - extent) < 0:
            return None
        return window, stride, dilation, before, after
