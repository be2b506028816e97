"""tinygen's plan for tflite-micro, by tensors and by rows, replayed on painted bytes; and tflite-micro's own."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.passes.graphs import Builder
from tests.requirement import need
from tinygen.backends.tflm.greedy import greedy_bytes
from tinygen.backends.tflm.planning import ALIGNMENT, TensorPlan, metadata, plan_tensors
from tinygen.ir.graph import Graph
from tinygen.ops.activation import Activation
from tinygen.ops.add import Add
from tinygen.ops.average_pool_2d import AveragePool2D
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.pad import Pad
from tinygen.ops.reshape import Reshape
from tinygen.schedule.places import row_geometry
from tinygen.tflite import read_model

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits.tflite"
MODELS = Path(__file__).resolve().parents[2].parent / "shared" / "models"


def test_tensors_alive_at_once_never_overlap() -> None:
    graph = read_model(DIGITS)
    found = plan_tensors(graph, keep_inputs=False)
    offsets = found.offsets
    assert all(offset % ALIGNMENT == 0 for offset in offsets.values())
    for op in graph.ops:
        if op.kind == "RESHAPE":
            assert offsets[op.inputs[0]] == offsets[op.outputs[0]]
            continue
        alive = [i for i in (*op.inputs, *op.outputs) if i in offsets]
        places = sorted((offsets[i], offsets[i] + graph.tensors[i].nbytes) for i in alive)
        assert all(end <= start for (_, end), (start, _) in pairwise(places))
        assert places[-1][1] <= found.plan.arena_bytes
    constants = {i for i, tensor in graph.tensors.items() if tensor.data is not None}
    assert not constants & set(offsets)


def test_inputs_that_are_kept_live_to_the_end() -> None:
    graph = read_model(DIGITS)
    first = graph.inputs[0]
    for by_rows in (False, True):
        kept = plan_tensors(graph, keep_inputs=True, by_rows=by_rows)
        own = range(kept.offsets[first], kept.offsets[first] + graph.tensors[first].nbytes)
        assert not any(kept.offsets[i] in own for i in kept.offsets if i != first)
        consumed = plan_tensors(graph, keep_inputs=False, by_rows=by_rows)
        assert kept.plan.arena_bytes >= consumed.plan.arena_bytes


def test_metadata_is_what_tflite_micro_reads() -> None:
    assert struct.unpack("<7i", metadata({1: 32, 3: 0}, 4)) == (1, 1, 4, -1, 32, -1, 0)


def _branches() -> Graph:
    """A window with stride and padding, a branch that is added and one that is appended, and a pool over all."""
    b = Builder()
    x = b.tensor((1, 12, 10, 2))
    a = b.conv(x, b.tensor((1, 12, 10, 4)), padding=(1, 1, 1, 1))
    c = b.conv(a, b.tensor((1, 12, 10, 4)), padding=(1, 1, 1, 1))
    d = b.op(Add, (a, c), b.tensor((1, 12, 10, 4)), activation=Activation.NONE)
    e = b.op(Concatenation, (d, x), b.tensor((1, 12, 10, 6)), axis=3, activation=Activation.NONE)
    widths = b.constant(np.array([[0, 0], [1, 2], [0, 1], [0, 0]], np.int32))
    f = b.op(Pad, (e, widths), b.tensor((1, 15, 11, 6)))
    g = b.conv(f, b.tensor((1, 7, 5, 8)), strides=(2, 2))
    window = {"size": (7, 5), "strides": (1, 1), "padding": (0, 0, 0, 0), "activation": Activation.NONE}
    h = b.op(AveragePool2D, (g,), b.tensor((1, 1, 1, 8)), **window)
    y = b.op(Reshape, (h,), b.tensor((1, 8)))
    return b.graph((x,), (y,))


def _shared(name: str) -> Graph:
    file = MODELS / f"{name}.tflite"
    need("models", file.exists(), str(file))
    return read_model(file)


@pytest.mark.parametrize("model", ["branches", "digits", "kws", "ic", "person_detect", "mcunet_vww"])
def test_no_row_is_overwritten_before_it_was_read(model: str) -> None:
    graph = {"branches": _branches, "digits": lambda: read_model(DIGITS)}.get(model, lambda: _shared(model))()
    whole, rows = (plan_tensors(graph, keep_inputs=False, by_rows=by_rows) for by_rows in (False, True))
    for found in (whole, rows):
        _replay(graph, found)
    assert rows.plan.arena_bytes < whole.plan.arena_bytes
    assert whole.plan.arena_bytes <= greedy_bytes(graph)


def _replay(graph: Graph, found: TensorPlan) -> None:
    """Runs the plan on painted bytes.

    An operator goes through its output from the first row to the last; before it writes a row, what the row is computed
    from has to be what was written there.
    """
    arena = np.full((found.plan.arena_bytes, 2), -1)

    def paint(tensor: int, start: int, stop: int) -> None:
        offset = found.offsets[tensor]
        arena[offset + start : offset + stop] = [(tensor, byte) for byte in range(start, stop)]

    def intact(tensor: int, start: int, stop: int) -> bool:
        offset = found.offsets[tensor]
        expected = [(tensor, byte) for byte in range(start, stop)]
        return np.array_equal(arena[offset + start : offset + stop], expected)

    for i in graph.inputs:
        paint(i, 0, graph.tensors[i].nbytes)
    for op in graph.ops:
        rows = op.rows(graph)
        stepwise = found.by_rows and rows.writes_row and rows.steps > 1 and op.kind not in ("SOFTMAX", "TRANSPOSE")
        for step in range(rows.steps if stepwise else 1):
            for position, window in rows.inputs:
                tensor = op.inputs[position]
                if tensor not in found.offsets:
                    continue
                count, size = row_geometry(graph.tensors[tensor])
                read = window.rows(step, count) if stepwise and window is not None else range(count)
                assert all(intact(tensor, y * size, (y + 1) * size) for y in read), op.origin
            nbytes = graph.tensors[op.outputs[0]].nbytes
            _, size = row_geometry(graph.tensors[op.outputs[0]])
            paint(op.outputs[0], step * size if stepwise else 0, (step + 1) * size if stepwise else nbytes)
    assert all(intact(i, 0, graph.tensors[i].nbytes) for i in graph.outputs)


def test_operators_whose_loops_are_not_known_are_one_step() -> None:
    b = Builder()
    x, y = b.tensor((1, 6, 6, 4)), b.tensor((1, 1, 1, 4))
    b.op(Add, (x, y), b.tensor((1, 6, 6, 4)), activation=Activation.NONE)
    broadcast = plan_tensors(b.graph((x, y), (2,)), keep_inputs=False, by_rows=True)
    assert broadcast.steps == (0,)


def test_tflite_micros_own_plan_is_as_it_makes_it() -> None:
    """Three tensors in a row of 32, 64 and 48 bytes: the largest at 0, the others behind it, both at once."""
    b = Builder()
    x = b.tensor((1, 1, 4, 8))
    y = b.conv(x, b.tensor((1, 1, 4, 16)), size=1)
    z = b.conv(y, b.tensor((1, 1, 4, 12)), size=1)
    assert greedy_bytes(b.graph((x,), (z,))) == 64 + 48


def test_tflite_micros_own_plan_of_a_model_that_was_measured() -> None:
    """100,672 bytes of arena in a firmware without a plan of ours, 82,240 with it: the tensors are the difference."""
    graph = _shared("vww")
    ours = plan_tensors(graph, keep_inputs=False).plan.arena_bytes
    assert greedy_bytes(graph) - ours == 100_672 - 82_240
