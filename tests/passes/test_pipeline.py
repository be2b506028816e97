"""The pipeline: it never changes outputs, whatever the graph, and writes the graph's text after every pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.filecheck import filecheck
from tests.passes.graphs import Builder, same_outputs
from tinygen.errors import TinygenError
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import DType
from tinygen.ir.text import to_text
from tinygen.ops.activation import Activation
from tinygen.ops.add import Add
from tinygen.ops.average_pool_2d import AveragePool2D
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.max_pool_2d import MaxPool2D
from tinygen.ops.pad import Pad
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu, Relu6
from tinygen.ops.reshape import Reshape
from tinygen.ops.transpose import Transpose
from tinygen.passes import pipeline
from tinygen.passes.pipeline import PIPELINE, run
from tinygen.tflite import read_model

ROOT = Path(__file__).resolve().parents[2]
MODELS = sorted([*ROOT.glob("examples/*.tflite"), *(ROOT.parent / "shared" / "models").glob("*.tflite")])

QUANTS = ((0.5, 0), (0.5, -128), (0.25, 3))
KINDS = ("conv", "pad", "max", "average", "relu", "relu6", "quantize", "float", "flat", "turn", "constant", "twice")


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A chain of the operators that passes look for, with a few values that are also outputs."""
    b = Builder()
    current = b.tensor((1, 4, 3, 2), *draw(st.sampled_from(QUANTS)))
    outputs: dict[int, None] = {}
    for kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=9)):
        current = extend(draw, b, kind, current)
        if draw(st.integers(0, 5)) == 0:
            outputs[current] = None
    return b.graph((0,), tuple(outputs | {current: None}))


def extend(draw: st.DrawFn, b: Builder, kind: str, current: int) -> int:
    """Appends an operator of a kind, where it fits, and returns its output."""
    shape, quant = b.tensors[current].shape, b.tensors[current].quant
    assert quant is not None
    keep = (quant.scale, quant.zero_point)
    other = draw(st.sampled_from(QUANTS))
    _, height, width, channels = shape
    activation = draw(st.sampled_from([Activation.NONE, Activation.RELU, Activation.RELU6]))
    match kind:
        case "conv":
            return b.conv(current, b.tensor((1, height, width, 2), *other), size=1, activation=activation)
        case "pad":
            amounts = [
                [0, 0],
                *draw(st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=2), min_size=2, max_size=2)),
            ]
            amounts.append([0, 0])
            grown = tuple(n + sum(pair) for n, pair in zip(shape, amounts, strict=True))
            return b.op(Pad, (current, b.constant(np.array(amounts, np.int32))), b.tensor(grown, *keep))
        case "max" | "average" if height >= 2 and width >= 2:
            pool = MaxPool2D if kind == "max" else AveragePool2D
            result = b.tensor((1, height - 1, width - 1, channels), *keep)
            options = {"strides": (1, 1), "padding": (0, 0, 0, 0), "size": (2, 2), "activation": activation}
            return b.op(pool, (current,), result, **options)
        case "relu":
            return b.op(Relu, (current,), b.tensor(shape, *draw(st.sampled_from([keep, other]))))
        case "relu6":
            return b.op(Relu6, (current,), b.tensor(shape, *keep))
        case "quantize":
            return b.op(Quantize, (current,), b.tensor(shape, *draw(st.sampled_from([keep, other]))))
        case "float":
            real = b.op(Dequantize, (current,), b.tensor(shape, dtype=DType.FLOAT32))
            return b.op(Quantize, (real,), b.tensor(shape, *draw(st.sampled_from([keep, other]))))
        case "flat":
            flat = b.op(Reshape, (current,), b.tensor((height * width * channels,), *keep))
            return b.op(Reshape, (flat,), b.tensor(draw(st.sampled_from([shape, (1, width, height, channels)])), *keep))
        case "turn":
            order = (0, *draw(st.permutations([1, 2, 3])))
            turned = b.tensor(tuple(shape[axis] for axis in order), *keep)
            return b.op(Transpose, (current, b.constant(np.array(order, np.int32))), turned)
        case "constant":
            data = np.arange(channels, dtype=np.int8) * 9 - 8
            clamped = b.op(Relu, (b.constant(data, quant),), b.tensor((channels,), *keep))
            return b.op(Add, (current, clamped), b.tensor(shape, *other), activation=activation)
        case "twice":
            clamped = b.op(Relu, (current,), b.tensor(shape, *other))
            return b.op(Add, (current, clamped), b.tensor(shape, *keep), activation=activation)
    return current


@settings(max_examples=150, derandomize=True, deadline=None)
@given(graph=graphs())
def test_outputs_never_change(graph: Graph) -> None:
    same_outputs(graph, run(graph), samples=2)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(graph=graphs())
def test_a_second_run_finds_nothing_to_do(graph: Graph) -> None:
    once = run(graph)
    assert to_text(run(once)) == to_text(once)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_outputs_of_real_models_never_change(path: Path) -> None:
    try:
        graph = read_model(path)
    except TinygenError as problem:
        pytest.skip(f"not supported: {problem.diagnostics[0].message}")
    same_outputs(graph, run(graph), samples=1)


def small() -> Graph:
    b = Builder()
    x, a, y = b.tensor((1, 2, 2, 1)), b.tensor((1, 4, 4, 1)), b.tensor((1, 2, 2, 1))
    b.op(Pad, (x, b.constant(np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))), a)
    return b.graph((x,), (b.conv(a, y),))


def test_the_text_after_every_pass(tmp_path: Path) -> None:
    after = run(small(), tmp_path / "new" / "folder")
    files = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    names = ["read", *(transform.__name__ for transform in PIPELINE)]
    assert files == [f"{number:02}_{name}.txt" for number, name in enumerate(names)]
    filecheck((tmp_path / "new" / "folder" / files[0]).read_text(), "CHECK: = PAD(\nCHECK: = CONV_2D(%1")
    assert (tmp_path / "new" / "folder" / files[-1]).read_text() == to_text(after)
    filecheck(to_text(after), "CHECK-NOT: PAD\nCHECK: = CONV_2D(%0")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TinygenError, match="TG403"):
        run(small(), tmp_path / "file")


def test_a_pass_that_breaks_the_graph_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_operators(graph: Graph) -> Graph:
        return replace(graph, ops=())

    monkeypatch.setattr(pipeline, "PIPELINE", (lose_operators,))
    with pytest.raises(AssertionError, match="pass lose_operators broke the graph"):
        run(small())
