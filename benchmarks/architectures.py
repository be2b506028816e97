"""Large made-up networks shaped like published ones: what the scheduler has to get through without a model at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.nets import Net
from tinygen.ir.graph import Graph


def mobilenet_v2(side: int = 160, width: float = 0.5) -> Graph:
    """Inverted residual bottlenecks."""
    net, source, value = _stem(1, side, int(32 * width))
    for expansion, channels, repeats, stride in (
        *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
        *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
    ):
        for i in range(repeats):
            value = _bottleneck(net, value, expansion, int(channels * width), 3, stride if i == 0 else 1)
    return net.graph((source,), (net.classifier(value, 100),))


def efficientnet_lite(side: int = 128, depth: float = 1.8) -> Graph:
    """Deeper, with windows of five rows."""
    net, source, value = _stem(2, side, 16)
    for expansion, channels, repeats, stride, size in (
        *((1, 8, 1, 1, 3), (6, 12, 2, 2, 3), (6, 20, 2, 2, 5), (6, 40, 3, 2, 3)),
        *((6, 56, 3, 1, 5), (6, 96, 4, 2, 5), (6, 160, 1, 1, 3)),
    ):
        for i in range(round(repeats * depth)):
            value = _bottleneck(net, value, expansion, channels, size, stride if i == 0 else 1)
    return net.graph((source,), (net.classifier(value, 100),))


def mcunet(side: int = 144) -> Graph:
    """Bottlenecks whose expansions and windows an architecture search has drawn."""
    draw = np.random.default_rng(3)
    net, source, value = _stem(3, side, 16)
    for channels, repeats, stride in ((16, 3, 2), (24, 4, 2), (40, 4, 2), (48, 3, 1), (96, 4, 2), (160, 1, 1)):
        for i in range(repeats):
            expansion, size = int(draw.choice((3, 4, 5, 6))), int(draw.choice((3, 5, 7)))
            value = _bottleneck(net, value, expansion, channels, size, stride if i == 0 else 1)
    return net.graph((source,), (net.classifier(value, 2),))


def residual(side: int = 32, blocks: int = 27, stages: tuple[int, ...] = (16, 32, 64)) -> Graph:
    """Stages of residual blocks of two convolutions, as for small pictures."""
    net, source, value = _stem(4, side, 16, stride=1)
    for channels in stages:
        for i in range(blocks):
            stride = 2 if i == 0 and channels > 16 else 1
            main = net.conv_2d(net.conv_2d(value, channels, stride=stride), channels)
            beside = value if stride == 1 else net.conv_2d(value, channels, size=1, stride=2)
            value = net.add(main, beside)
    return net.graph((source,), (net.classifier(value, 10),))


def densenet(side: int = 64, layers: tuple[int, ...] = (6, 12, 16)) -> Graph:
    """Every layer of a block reads what all before it have made."""
    growth = 8
    net, source, value = _stem(5, side, 16)
    for position, count in enumerate(layers):
        for _ in range(count):
            value = net.concat((value, net.conv_2d(net.conv_2d(value, 4 * growth, size=1), growth)))
        if position < len(layers) - 1:
            value = net.max_pool(net.conv_2d(value, net.channels(value) // 2, size=1))
    return net.graph((source,), (net.classifier(value, 10),))


def u_net(side: int = 96, levels: int = 4, channels: int = 8) -> Graph:
    """Down and up again, with what was on the way down beside it."""
    net, source, value = _stem(6, side, channels, stride=1)
    kept = []
    for level in range(levels):
        value = net.conv_2d(net.conv_2d(value, channels << level), channels << level)
        kept.append(value)
        value = net.max_pool(value)
    value = net.conv_2d(net.conv_2d(value, channels << levels), channels << levels)
    for level in reversed(range(levels)):
        value = net.concat((net.conv_2d(net.enlarge(value), channels << level), kept[level]))
        value = net.conv_2d(net.conv_2d(value, channels << level), channels << level)
    return net.graph((source,), (net.conv_2d(value, 2, size=1),))


def yolo(side: int = 160) -> Graph:
    """Split and joined stages, a neck that goes up and down, and three heads that are all outputs."""
    net, source, value = _stem(7, side, 8)
    kept = []
    for channels, repeats in ((16, 1), (32, 2), (64, 2), (128, 1)):
        value = _stage(net, net.conv_2d(value, channels, stride=2), repeats)
        kept.append(value)
    pooled = net.conv_2d(value, 64, size=1)
    parts = [pooled]
    for _ in range(3):
        parts.append(net.max_pool(parts[-1], size=5, stride=1))
    deep = net.conv_2d(net.concat(parts), 128, size=1)
    middle = _stage(net, net.concat((net.enlarge(net.conv_2d(deep, 64, size=1)), kept[2])), 1)
    near = _stage(net, net.concat((net.enlarge(net.conv_2d(middle, 32, size=1)), kept[1])), 1)
    middle = _stage(net, net.concat((net.conv_2d(near, 64, stride=2), middle)), 1)
    deep = _stage(net, net.concat((net.conv_2d(middle, 128, stride=2), deep)), 1)
    return net.graph((source,), tuple(net.conv_2d(v, 18, size=1) for v in (near, middle, deep)))


def inception(side: int = 96, modules: int = 8) -> Graph:
    """Modules of four branches of different depth."""
    net, source, value = _stem(8, side, 16)
    for i in range(modules):
        deep = net.conv_2d(net.conv_2d(net.conv_2d(value, 8, size=1), 12), 12)
        parts = [net.conv_2d(value, 12, size=1), net.conv_2d(net.conv_2d(value, 12, size=1), 16), deep]
        parts.append(net.conv_2d(net.max_pool(value, size=3, stride=1), 8, size=1))
        value = net.concat(parts)
        value = net.max_pool(value) if i % 3 == 2 else value
    return net.graph((source,), (net.classifier(value, 10),))


def split_channels(side: int = 96, units: tuple[int, ...] = (4, 8, 4)) -> Graph:
    """Units through which half of the channels go, the other half beside them."""
    net, source, value = _stem(12, side, 24)
    for count in units:
        half = net.channels(value)
        beside = net.conv_2d(net.depthwise(value, size=3, stride=2), half, size=1)
        inner = net.depthwise(net.conv_2d(value, half, size=1), size=3, stride=2)
        value = net.concat((beside, net.conv_2d(inner, half, size=1)))
        for _ in range(count - 1):
            kept, changed = net.halves(value)
            inner = net.depthwise(net.conv_2d(changed, half, size=1), size=3, stride=1)
            value = net.concat((net.conv_2d(inner, half, size=1), kept))
    return net.graph((source,), (net.classifier(value, 10),))


def searched_cells(side: int = 64, cells: int = 7) -> Graph:
    """Cells of five sums of operations on the two cells before, wired at random."""
    draw = np.random.default_rng(9)
    net, source, value = _stem(9, side, 16)
    before = value
    for cell in range(cells):
        stride = 2 if cell in (2, 5) else 1
        channels = 16 << sum(cell >= k for k in (2, 5))
        scale = net.rows(before) // net.rows(value)
        states = [net.conv_2d(before, channels, size=1, stride=scale), net.conv_2d(value, channels, size=1)]
        if stride == 2:
            states = [net.max_pool(s) for s in states]
        for _ in range(5):
            pair = [states[int(draw.integers(len(states)))] for _ in range(2)]
            states.append(net.add(_operation(net, pair[0], draw), _operation(net, pair[1], draw)))
        before, value = value, net.conv_2d(net.concat(states[2:]), channels, size=1)
    return net.graph((source,), (net.classifier(value, 10),))


def attention_gates(side: int = 96, blocks: int = 14) -> Graph:
    """Separable blocks, each scaled by what its channels average to."""
    net, source, value = _stem(10, side, 16)
    for i in range(blocks):
        wider = 2 * net.channels(value) if i % 4 == 3 else net.channels(value)
        inner = net.depthwise(
            net.conv_2d(value, 3 * net.channels(value), size=1), size=3, stride=2 if i % 4 == 3 else 1
        )
        gate = net.conv_2d(net.conv_2d(net.average(inner), 8, size=1), net.channels(inner), size=1)
        outer = net.conv_2d(net.scale(inner, gate), wider, size=1)
        value = net.add(outer, value) if wider == net.channels(value) else outer
    return net.graph((source,), (net.classifier(value, 10),))


def chain(side: int = 64, layers: int = 200) -> Graph:
    """One convolution after the other."""
    net, source, value = _stem(11, side, 8)
    for i in range(layers):
        value = net.conv_2d(value, 8 + i % 5, size=3 if i % 2 else 1, stride=2 if i in (40, 90) else 1)
    return net.graph((source,), (net.classifier(value, 10),))


ARCHITECTURES: Mapping[str, Callable[[], Graph]] = {
    f.__name__: f
    for f in (
        *(mobilenet_v2, efficientnet_lite, mcunet, residual, densenet, u_net, yolo, inception, searched_cells),
        *(attention_gates, chain, split_channels),
    )
}


def _stem(seed: int, side: int, channels: int, stride: int = 2) -> tuple[Net, int, int]:
    net = Net(seed, np.random.default_rng(seed))
    source = net.tensor((1, side, side, 3), 0.0625)
    return net, source, net.conv_2d(source, channels, stride=stride)


def _bottleneck(net: Net, value: int, expansion: int, channels: int, size: int, stride: int) -> int:
    inner = net.conv_2d(value, expansion * net.channels(value), size=1) if expansion > 1 else value
    outer = net.conv_2d(net.depthwise(inner, size=size, stride=stride), channels, size=1)
    return net.add(outer, value) if stride == 1 and channels == net.channels(value) else outer


def _stage(net: Net, value: int, repeats: int) -> int:
    """Half of the channels go through residual blocks, and all parts are joined again."""
    half = net.channels(value) // 2
    beside, inner = net.conv_2d(value, half, size=1), net.conv_2d(value, half, size=1)
    for _ in range(repeats):
        inner = net.add(inner, net.conv_2d(net.conv_2d(inner, half), half))
    return net.conv_2d(net.concat((beside, inner)), 2 * half, size=1)


def _operation(net: Net, value: int, draw: np.random.Generator) -> int:
    match int(draw.integers(4)):
        case 0:
            return value
        case 1:
            return net.max_pool(value, size=3, stride=1)
        case size:
            return net.conv_2d(net.depthwise(value, size=2 * size - 1, stride=1), net.channels(value), size=1)
