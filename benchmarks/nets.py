"""Random convolutional networks of the kinds that run on microcontrollers: plain, depthwise-separable, residual."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.passes.graphs import Builder
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import Quantization
from tinygen.ops.activation import Activation
from tinygen.ops.add import Add
from tinygen.ops.average_pool_2d import AveragePool2D
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.conv_2d import Conv2D
from tinygen.ops.depthwise_conv_2d import DepthwiseConv2D
from tinygen.ops.fully_connected import FullyConnected
from tinygen.ops.max_pool_2d import MaxPool2D
from tinygen.ops.mul import Mul
from tinygen.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tinygen.ops.split import Part
from tinygen.ops.window import same_padding

KINDS = ("plain", "separable", "residual")
CHANNELS = (8, 16, 24, 32, 48, 64)


def network(seed: int) -> Graph:
    """The network of a seed: a stem, blocks that halve and widen now and then, a pooling and a classifier."""
    draw = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    net = Net(seed, draw)
    size, first = int(draw.choice((16, 20, 24, 32, 40, 48))), int(draw.choice((1, 3)))
    source = net.tensor((1, size, int(size * draw.choice((0.5, 1))), first), 0.0625)
    value = net.conv_2d(source, int(draw.choice(CHANNELS[:3])), stride=int(draw.choice((1, 2))))
    for _ in range(int(draw.integers(3, 9))):
        channels = net.tensors[value].shape[3]
        narrow = net.tensors[value].shape[1] > 6 and draw.random() < 0.4
        wider = min(2 * channels, 64) if narrow else channels
        stride = 2 if narrow else 1
        if kind == "plain":
            value = net.conv_2d(value, wider, stride=stride)
        elif kind == "separable":
            size = int(draw.choice((3, 3, 3, 5)))
            value = net.conv_2d(net.depthwise(value, size=size, stride=stride), wider, size=1)
        else:
            main = net.conv_2d(net.conv_2d(value, wider, stride=stride), wider)
            beside = value if stride == 1 else net.conv_2d(value, wider, size=1, stride=2)
            value = net.add(main, beside)
    return net.graph((source,), (net.classifier(value, int(draw.integers(2, 13))),))


class Net(Builder):
    """Activations as converters quantize them: what a ReLU leaves fills int8, save in every fifth network."""

    def __init__(self, seed: int, draw: np.random.Generator) -> None:
        super().__init__()
        self._draw, self._zero_point = draw, 0 if seed % 5 == 4 else -128

    def activation(self, shape: tuple[int, ...]) -> int:
        return self.tensor(shape, 0.0625, self._zero_point)

    def weights(self, shape: tuple[int, ...], taps: int) -> int:
        """Scaled such that sums of `taps` products spread over int8 again."""
        data = self._draw.integers(-127, 128, shape).astype(np.int8)
        return self.constant(data, Quantization((float(np.float32(1 / (74 * taps**0.5))),), (0,)))

    def conv_2d(self, source: int, channels: int, *, size: int = 3, stride: int = 1) -> int:
        depth = self.tensors[source].shape[3]
        weights = self.weights((channels, size, size, depth), size * size * depth)
        return self._window(Conv2D, source, weights, channels, size, stride)

    def depthwise(self, source: int, *, size: int, stride: int) -> int:
        channels = self.tensors[source].shape[3]
        weights = self.weights((1, size, size, channels), size * size)
        return self._window(DepthwiseConv2D, source, weights, channels, size, stride)

    def add(self, a: int, b: int) -> int:
        return self.op(Add, (a, b), self.activation(self.tensors[a].shape), activation=Activation.RELU)

    def scale(self, source: int, gate: int) -> int:
        return self.op(Mul, (source, gate), self.activation(self.tensors[source].shape), activation=Activation.NONE)

    def concat(self, sources: Sequence[int]) -> int:
        """Along channels."""
        channels = sum(self.channels(i) for i in sources)
        output = self.activation((*self.tensors[sources[0]].shape[:3], channels))
        return self.op(Concatenation, tuple(sources), output, axis=3, activation=Activation.NONE)

    def halves(self, source: int) -> tuple[int, int]:
        """The first and the second half of the channels."""
        *shape, channels = self.tensors[source].shape
        count = channels // 2
        parts = [self.activation((*shape, count)) for _ in range(2)]
        for i, part in enumerate(parts):
            self.op(Part, (source,), part, axis=3, begin=i * count, count=count)
        return parts[0], parts[1]

    def max_pool(self, source: int, *, size: int = 2, stride: int = 2) -> int:
        _, height, width, channels = self.tensors[source].shape
        output = self.activation((1, -(-height // stride), -(-width // stride), channels))
        padding = (*same_padding(height, size, stride), *same_padding(width, size, stride))
        options = {"size": (size, size), "strides": (stride, stride), "padding": padding}
        return self.op(MaxPool2D, (source,), output, activation=Activation.NONE, **options)

    def enlarge(self, source: int) -> int:
        """Twice the rows and columns."""
        _, height, width, channels = self.tensors[source].shape
        size = self.constant(np.array((2 * height, 2 * width), np.int32))
        output = self.activation((1, 2 * height, 2 * width, channels))
        options = {"align_corners": False, "half_pixel_centers": False}
        return self.op(ResizeNearestNeighbor, (source, size), output, **options)

    def average(self, source: int) -> int:
        """Over all pixels."""
        _, height, width, channels = self.tensors[source].shape
        options = {"size": (height, width), "strides": (height, width), "padding": (0, 0, 0, 0)}
        output = self.activation((1, 1, 1, channels))
        return self.op(AveragePool2D, (source,), output, activation=Activation.NONE, **options)

    def channels(self, tensor: int) -> int:
        return self.tensors[tensor].shape[3]

    def rows(self, tensor: int) -> int:
        return self.tensors[tensor].shape[1]

    def _window(self, kind: type, source: int, weights: int, channels: int, size: int, stride: int) -> int:
        _, height, width, _ = self.tensors[source].shape
        output = self.activation((1, -(-height // stride), -(-width // stride), channels))
        padding = (*same_padding(height, size, stride), *same_padding(width, size, stride))
        options = {"strides": (stride, stride), "padding": padding, "activation": Activation.RELU}
        return self.op(kind, (source, weights), output, **options)

    def classifier(self, source: int, classes: int) -> int:
        pooled, channels = self.average(source), self.channels(source)
        output = self.tensor((1, classes), 0.0625)
        weights = self.weights((classes, channels), channels)
        dense = {"activation": Activation.NONE, "keep_dims": False, "shuffled": False}
        return self.op(FullyConnected, (pooled, weights), output, **dense)
