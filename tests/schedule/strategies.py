"""Hypothesis strategies for schedules: random graphs of every kind of row access, and random cuts of a program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from tests.ops.strategies import examples
from tests.schedule.cases import cut_at
from tests.schedule.moves import add_concat, add_pad, add_reshape, add_slice, add_split, add_stack, add_transpose
from tests.schedule.net import MOST_ELEMENTS, Net, Shape
from tests.schedule.programs import Scheduled
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import Quantization
from tinygen.ir.text import to_text
from tinygen.ops.activation import Activation
from tinygen.ops.add import Add
from tinygen.ops.average_pool_2d import AveragePool2D
from tinygen.ops.conv_2d import Conv2D
from tinygen.ops.depthwise_conv_2d import DepthwiseConv2D
from tinygen.ops.fully_connected import FullyConnected
from tinygen.ops.max_pool_2d import MaxPool2D
from tinygen.ops.mean import Mean
from tinygen.ops.mul import Mul
from tinygen.ops.relu import Relu
from tinygen.ops.resize_bilinear import ResizeBilinear
from tinygen.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tinygen.ops.softmax import Softmax
from tinygen.schedule.storages import Rules

KINDS = (
    *("conv", "conv", "conv", "same_conv", "same_conv", "same_conv", "depthwise", "depthwise", "max_pool", "pool"),
    *("global_pool", "pad", "add", "add", "mul", "relu", "concat", "concat", "mean", "transpose", "reshape", "reshape"),
    *("fully_connected", "softmax", "slice", "slice", "split", "stack", "stack", "resize", "resize"),
)


def _windows(net: Net, source: int, *, pool: bool = False) -> dict[str, tuple[int, ...]] | None:
    _, height, width, _ = net.shape(source)
    rows = net.window(height, 1 if pool else 3, pool=pool)
    columns = net.window(width, 1 if pool else 2, pool=pool)
    if rows is None or columns is None:
        return None
    size = (rows[0], columns[0])
    out = tuple(
        (before + n + after - ((k - 1) * dilation + 1)) // stride + 1
        for n, (k, stride, dilation, before, after) in ((height, rows), (width, columns))
    )
    return {
        "size": size,
        "out": out,
        "strides": (rows[1], columns[1]),
        "dilations": (rows[2], columns[2]),
        "padding": (*rows[3:], *columns[3:]),
    }


def _add_window_op(net: Net, kind: str) -> None:
    if (source := net.pick((4,))) is None:
        return
    channels = net.shape(source)[3]
    pool = kind in ("max_pool", "pool")
    found = _windows(net, source, pool=pool)
    if kind == "same_conv":
        size = net.draw(st.sampled_from((1, 3, 3)))
        found = {"size": (size, size), "out": net.shape(source)[1:3], "strides": (1, 1), "dilations": (1, 1)}
        found["padding"] = (size // 2,) * 4
    if found is None:
        return
    size, out = found.pop("size"), found.pop("out")
    activation = net.draw(st.sampled_from((Activation.NONE, Activation.RELU)))
    if pool:
        output = net.like(source, (1, *out, channels))
        options = {"size": size, "activation": Activation.NONE, **found}
        net.op(MaxPool2D if kind == "max_pool" else AveragePool2D, (source,), output, **options)
    elif kind == "depthwise":
        count = channels * net.draw(st.sampled_from((1, 1, 2)))
        weights = net.weights((1, *size, count), size[0] * size[1])
        net.op(DepthwiseConv2D, (source, weights), net.fresh((1, *out, count)), activation=activation, **found)
    else:
        count = channels if kind == "same_conv" and net.integer(0, 2) else net.integer(1, 5)
        weights = net.weights((count, *size, channels), size[0] * size[1] * channels)
        net.op(Conv2D, (source, weights), net.fresh((1, *out, count)), activation=activation, **found)


def _add_global_pool(net: Net) -> None:
    if (source := net.pick((4,))) is not None:
        _, height, width, channels = net.shape(source)
        # Not always all rows: a window that ends early leaves the rest unread.
        size = (max(1, height - net.draw(st.sampled_from((0, 0, 0, 1)))), width)
        strides = (height + 1, width + 1)
        output = net.like(source, (1, 1, 1, channels))
        options = {"size": size, "strides": strides, "padding": (0, 0, 0, 0), "activation": Activation.NONE}
        net.op(AveragePool2D, (source,), output, **options)


def _add_binary(net: Net, kind: type) -> None:
    if (a := net.pick()) is None:
        return
    shape = net.shape(a)
    partners: list[tuple[int, Shape]] = []
    for b in net.values:
        other = net.shape(b)
        if not other:
            continue
        try:
            result = np.broadcast_shapes(shape, other)
        except ValueError:
            continue
        if int(np.prod(result)) <= MOST_ELEMENTS and (len(result) < 4 or result[0] == 1):
            partners.append((b, result))
    constants = [shape, (1,) * (len(shape) - 1) + shape[-1:], (1,) * len(shape)]
    choice = net.draw(st.sampled_from(("value", "value", "value", "constant")))
    if choice == "value" and partners:
        b, result = partners[-1 - min(net.draw(st.sampled_from((0, 1, 1, 2, 2, 3, 4))), len(partners) - 1)]
    else:
        wanted = net.draw(st.sampled_from(constants))
        generator = np.random.default_rng(len(net.builder.tensors))
        data = generator.integers(-128, 128, wanted).astype(np.int8)
        b, result = net.builder.constant(data, Quantization((0.0625,), (1,))), shape
    operands = (a, b) if net.draw(st.booleans()) else (b, a)
    net.op(kind, operands, net.fresh(tuple(result)), activation=Activation.NONE)


def _add_mean(net: Net) -> None:
    if (source := net.pick((3, 4))) is None:
        return
    shape = net.shape(source)
    axes = net.draw(st.sampled_from(((1, 2), (1, 2), (1,), (2,))))
    keep = net.draw(st.booleans())
    kept = tuple(1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes)
    net.op(Mean, (source, net.builder.constant(np.array(axes, np.int32))), net.fresh(kept), keep_dims=keep)


def _add_resize(net: Net) -> None:
    if (source := net.pick((4,))) is None:
        return
    _, height, width, channels = net.shape(source)
    rows = net.draw(st.sampled_from((2 * height, 2 * height, 3 * height, height + 1, -(-height // 2))))
    size = net.builder.constant(np.array((rows, width), np.int32))
    corners, centers = net.draw(st.sampled_from(((False, False), (True, False), (False, True))))
    output = net.like(source, (1, rows, width, channels))
    kind = net.draw(st.sampled_from((ResizeNearestNeighbor, ResizeBilinear)))
    net.op(kind, (source, size), output, align_corners=corners, half_pixel_centers=centers)


def _add_fully_connected(net: Net) -> None:
    if (source := net.pick()) is None or not net.shape(source):
        return
    shape, channels = net.shape(source), net.integer(1, 5)
    keep = net.draw(st.booleans()) and len(shape) > 1
    depth = shape[-1] if keep else int(np.prod(shape))
    weights = net.weights((channels, depth), depth)
    result = (*shape[:-1], channels) if keep else (1, channels)
    output = net.fresh(result)
    net.op(FullyConnected, (source, weights), output, activation=Activation.NONE, keep_dims=keep, shuffled=False)


def _add(net: Net, kind: str) -> None:
    match kind:
        case "global_pool":
            _add_global_pool(net)
        case "pad":
            add_pad(net)
        case "add" | "mul":
            _add_binary(net, Add if kind == "add" else Mul)
        case "concat":
            add_concat(net)
        case "slice":
            add_slice(net)
        case "stack":
            add_stack(net)
        case "split":
            add_split(net)
        case "mean":
            _add_mean(net)
        case "transpose":
            add_transpose(net)
        case "reshape":
            add_reshape(net)
        case "resize":
            _add_resize(net)
        case "fully_connected":
            _add_fully_connected(net)
        case "relu" if (source := net.pick()) is not None:
            net.op(Relu, (source,), net.fresh(net.shape(source)))
        case "softmax" if (source := net.pick()) is not None and net.shape(source):
            net.op(Softmax, (source,), net.builder.tensor(net.shape(source), 1 / 256, -128), beta=1.0)
        case "conv" | "same_conv" | "depthwise" | "max_pool" | "pool":
            _add_window_op(net, kind)


@st.composite
def graphs(draw: st.DrawFn, most_ops: int = 10) -> Graph:
    """A verified graph of up to `most_ops` operators: several inputs, branches, outputs that are also read."""
    net = Net(draw)
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 3)))):
        height, width = draw(st.sampled_from((1, 2, 4, 5, 6, 7, 8, 9, 11, 13))), net.integer(1, 5)
        shape = (1, height, width, net.integer(1, 4))
        net.values.append(net.fresh(draw(st.sampled_from((shape, shape, shape, shape[:3])))))
    inputs = tuple(net.values)
    for kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=most_ops)):
        _add(net, kind)
        last = net.values[-1]
        if int(np.prod(net.shape(last))) > MOST_ELEMENTS:
            net.values.pop()
            net.builder.ops.pop()
    made = [i for i in net.values if i not in inputs]
    # Rarely a layer's output stays unread, and now and then an output is read as well.
    outputs = [i for i in made if i not in net.read and draw(st.sampled_from((True,) * 7 + (False,)))]
    outputs += [i for i in made if i in net.read and draw(st.sampled_from((False,) * 7 + (True,)))]
    outputs = outputs or made[-1:] or [inputs[0]]
    graph = Graph(
        "test", "0" * 64, net.builder.tensors, tuple(net.builder.ops), inputs, tuple(draw(st.permutations(outputs)))
    )
    graph = graph.with_ops(graph.ops)
    graph.verify()
    return graph


@st.composite
def cuts(draw: st.DrawFn, layers: int) -> tuple[int, ...]:
    """Ends of segments, ascending, the last being the number of layers."""
    if layers == 0:
        return ()
    between = [i for i in range(1, layers) if draw(st.sampled_from((False,) * 5 + (True,)))]
    return (*between, layers)


@dataclass(frozen=True, eq=False)
class CutGraph:
    """A graph and how to schedule it."""

    graph: Graph
    ends: tuple[int, ...]
    keep_inputs: bool
    small: bool
    in_place: bool
    views: bool
    rules: Rules

    def scheduled(self) -> Scheduled:
        return cut_at(
            self.graph,
            self.ends,
            keep_inputs=self.keep_inputs,
            small=self.small,
            in_place=self.in_place,
            views=self.views,
            rules=self.rules,
        )

    def __repr__(self) -> str:
        chosen = f"keep_inputs={self.keep_inputs}, small={self.small}, in_place={self.in_place}, views={self.views}"
        return f"cuts {self.ends}, {chosen}, {self.rules}\n{to_text(self.graph)}"


@st.composite
def cut_graphs(draw: st.DrawFn) -> CutGraph:
    """A graph with random cuts, kernels of either kind, in place or not, inputs kept or not, in the arena or not."""
    graph = draw(graphs())
    ends = draw(cuts(sum(not op.alias for op in graph.ops)))
    rules = Rules(io_outside=draw(st.sampled_from((False, False, True))))
    keep_inputs, small, in_place, views = (draw(st.booleans()) for _ in range(4))
    return CutGraph(graph, ends, keep_inputs, small, in_place, views, rules)


def collect(count: int, start: int) -> list[CutGraph]:
    """About `count` of them; the same ones for the same `start`."""
    found = []

    @seed(start)
    @settings(examples(count), derandomize=False, database=None, phases=(Phase.generate,))
    @given(cut=cut_graphs())
    def add(cut: CutGraph) -> None:
        found.append(cut)

    add()
    return found
