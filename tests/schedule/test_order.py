"""The search over orders of the layers: its claims against all orders and cuts, and what it finds in large graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.ops.strategies import examples
from tests.passes.graphs import Builder
from tests.schedule.cases import by_objective, program_of
from tests.schedule.programs import check
from tests.schedule.strategies import CutGraph, cut_graphs, graphs
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import Quantization
from tinygen.ops.activation import Activation
from tinygen.ops.add import Add
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.fully_connected import FullyConnected
from tinygen.passes.remove_dead_ops import remove_dead_ops
from tinygen.schedule.lives import row_lives
from tinygen.schedule.order import find_order, reordered
from tinygen.schedule.program import Program
from tinygen.schedule.pull import Puller
from tinygen.schedule.search import SegmentSearch

MOST_LAYERS = 6
"""Of graphs whose orders and cuts are all gone through, one by one."""


def in_order(graph: Graph, order: tuple[int, ...]) -> Graph:
    """The graph with its layers in another order."""
    return replace(graph, ops=tuple(graph.ops[i] for i in reordered(graph, order)))


def orders(graph: Graph) -> Iterator[tuple[int, ...]]:
    """All orders of the layers in which each comes after those that it reads."""
    layers = [op for op in graph.ops if not op.alias]
    roots = {t: t for t in graph.tensors}
    for op in graph.ops:
        if op.alias:
            roots[op.outputs[0]] = roots[op.inputs[0]]
    makers = {t: i for i, op in enumerate(layers) for t in op.outputs}
    needs = [{makers[roots[t]] for t in op.inputs if t >= 0 and roots[t] in makers} for op in layers]

    def extend(done: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(done) == len(layers):
            yield done
        for i, needed in enumerate(needs):
            if i not in done and needed.issubset(done):
                yield from extend((*done, i))

    return extend(())


def peak(program: Program, cuts: tuple[int, ...], *, keep_inputs: bool) -> int:
    """The most bytes alive at once, counted row by row over the whole schedule."""
    puller = Puller(program)
    bounds = zip((0, *cuts), (*cuts, len(program.layers)), strict=True)
    steps = [step for first, end in bounds for step in puller.segment(first, end).steps]
    live = np.zeros(len(steps) + 1, np.int64)
    found: dict[int, list[int]] = {}
    for time, step in enumerate(steps):
        found.setdefault(step.layer, []).append(time)
    times = {layer: np.array(when) for layer, when in found.items()}
    lives = row_lives(program, puller, program.storages, times, len(steps), keep_inputs=keep_inputs)
    for storage in program.storages:
        for life in lives[storage.id].rows():
            if life is not None:
                live[life.lower : life.upper] += storage.row_bytes
    for i, layer in enumerate(program.layers):
        times = [t for t, step in enumerate(steps) if step.layer == i]
        live[times] += layer.call.scratch_bytes
        live[times[0] : times[-1] + 1] += layer.call.accumulator_bytes
    return int(live.max())


def least_of_all(graph: Graph, *, keep_inputs: bool) -> int:
    """The least peak of any order with any cuts; an operator that needs everything ends a segment."""
    found = []
    for order in orders(graph):
        program = program_of(in_order(graph, order))
        puller = Puller(program)
        reads = [(i, r) for i in range(len(order)) for r in puller.reads(i) if r.access.window is None]
        whole = [(i, producer) for i, r in reads for producer in puller.producers(r)]
        for count in range(len(order)):
            for cuts in combinations(range(1, len(order)), count):
                begins = [max((c for c in cuts if c <= i), default=0) for i in range(len(order))]
                if all(p < begins[i] for i, p in whole):
                    found.append(peak(program, cuts, keep_inputs=keep_inputs))
    return min(found)


def least_found(graph: Graph, *, keep_inputs: bool) -> tuple[int, bool]:
    """The least peak that the searches over cuts and orders find, and whether they say that there is no lower one."""
    program = program_of(graph)
    found = find_order(program, keep_inputs=keep_inputs)
    best = SegmentSearch(program, keep_inputs=keep_inputs).least_peak()
    if found.order is not None:
        turned = program_of(in_order(graph, found.order))
        lower = SegmentSearch(turned, keep_inputs=keep_inputs).least_peak()
        assert lower < best
        best = lower
    return best, found.exact


@examples(60)
@given(graph=graphs(7), keep_inputs=st.booleans())
def test_what_is_called_exact_is_the_least_of_all_orders_and_cuts(graph: Graph, keep_inputs: bool) -> None:
    count = sum(not op.alias for op in graph.ops)
    assume(1 < count <= MOST_LAYERS)
    found, exact = least_found(graph, keep_inputs=keep_inputs)
    assert exact
    assert found == least_of_all(graph, keep_inputs=keep_inputs)


@examples(60)
@given(cut=cut_graphs())
def test_the_peak_of_cuts_is_that_of_all_rows_over_time(cut: CutGraph) -> None:
    case = cut.scheduled()
    program, ends = case.program, tuple(segment.end for segment in case.schedule.segments)
    assume(program.layers and not cut.rules.io_outside)
    found = SegmentSearch(program, keep_inputs=cut.keep_inputs).peak((0, *ends))
    real = peak(program, ends[:-1], keep_inputs=cut.keep_inputs)
    if cut.views:
        # Of what several layers write, rows that are not there yet count from the first segment on.
        assert found >= real
    else:
        assert found == real


class Net(Builder):
    """A builder of graphs whose layers are emitted in whatever order a test wants."""

    def conv_to(self, source: int, channels: int, *, stride: int = 1, size: int = 3) -> int:
        _, height, width, _ = self.tensors[source].shape
        shape = (1, -(-height // stride), -(-width // stride), channels)
        pad = size // 2
        return self.conv(source, self.tensor(shape), size, strides=(stride, stride), padding=(pad, pad, pad, pad))

    def dense(self, source: int, channels: int) -> int:
        depth = int(np.prod(self.tensors[source].shape))
        data = np.random.default_rng(len(self.ops)).integers(-127, 128, (channels, depth)).astype(np.int8)
        weights = self.constant(data, Quantization((0.001,), (0,)))
        options = {"activation": Activation.NONE, "keep_dims": False, "shuffled": False}
        return self.op(FullyConnected, (source, weights), self.tensor((1, channels)), **options)

    def join(self, parts: list[int]) -> int:
        shape = self.tensors[parts[0]].shape
        output = self.tensor((*shape[:3], sum(self.tensors[i].shape[3] for i in parts)))
        return self.op(Concatenation, tuple(parts), output, axis=3, activation=Activation.NONE)


def towers(*, depth_first: bool) -> Graph:
    """Three towers over an input each, that widen before a dense layer makes them small."""
    net = Net()
    inputs = [net.tensor((1, 8, 8, 2)) for _ in range(3)]
    work = [(tower, level) for tower in range(3) for level in range(3)]
    heads = dict(enumerate(inputs))
    for tower, level in work if depth_first else sorted(work, key=lambda item: (item[1], item[0])):
        source = heads[tower]
        heads[tower] = net.dense(source, 4) if level == 2 else net.conv_to(source, 8 * (level + 1))
    output = net.op(Concatenation, tuple(heads.values()), net.tensor((1, 12)), axis=1, activation=Activation.NONE)
    return net.graph(tuple(inputs), (output,))


def inception(*, depth_first: bool) -> Graph:
    """A block of three branches, each a wide layer and then a narrow one, joined."""
    net = Net()
    first = net.tensor((1, 6, 6, 4))
    if depth_first:
        ends = [net.conv_to(net.conv_to(first, 24, size=1), 4) for _ in range(3)]
    else:
        wide = [net.conv_to(first, 24, size=1) for _ in range(3)]
        ends = [net.conv_to(i, 4) for i in wide]
    return net.graph((first,), (net.dense(net.join(ends), 3),))


@pytest.mark.parametrize("make", [towers, inception])
def test_the_order_of_the_file_does_not_matter(make: Callable[..., Graph]) -> None:
    bad, good = (list(by_objective(make(depth_first=depth_first))) for depth_first in (False, True))
    for one, other in zip(bad, good, strict=True):
        assert one.plan.arena_bytes == other.plan.arena_bytes
    assert any(case.indices() != sorted(case.indices()) for case in bad)
    for case in (*bad, *good):
        case.replay()
    check([*bad, *good])


def deep(layers: int, seed: int) -> Graph:
    """A random graph of residuals and crossing branches, with four heads at any time."""
    net, draw = Net(), np.random.default_rng(seed)
    first = net.tensor((1, 6, 6, 4))
    heads = [first] * 4
    while len(net.ops) < layers:
        i, j = draw.choice(4, 2, replace=False)
        if draw.random() < 0.3:
            heads[i] = net.op(Add, (heads[i], heads[j]), net.tensor((1, 6, 6, 4)), activation=Activation.NONE)
        else:
            heads[i] = net.conv_to(heads[i if draw.random() < 0.8 else j], 4)
    return net.graph((first,), (net.join(heads),)).with_ops(tuple(net.ops))


def test_deep_graphs_are_searched_within_bounds() -> None:
    graph = remove_dead_ops(deep(240, seed=1))
    program = program_of(graph)
    assert len(program.layers) > 200
    found = find_order(program, effort=2_000)
    assert not found.exact
    best = SegmentSearch(program).least_peak()
    if found.order is not None:
        assert SegmentSearch(program_of(in_order(graph, found.order))).least_peak() < best
