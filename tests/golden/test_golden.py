"""The generated C of small models, to the letter; `make golden` writes it anew, and the difference is to be read."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.ops import test_svdf
from tests.passes.graphs import WEIGHTS, Builder
from tests.requirement import require
from tinygen import __version__
from tinygen.compile import CompileOptions, compile_graph, compile_model
from tinygen.ir.tensor import Quantization
from tinygen.ops.activation import Activation
from tinygen.ops.depthwise_conv_2d import DepthwiseConv2D
from tinygen.ops.fully_connected import FullyConnected
from tinygen.ops.mean import Mean
from tinygen.ops.softmax import Softmax
from tinygen.schedule.choose import Objective
from tinygen.source_tree import SourceTree
from tinygen.tflite import read_bytes

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent
UPDATE = "TINYGEN_UPDATE_GOLDEN"


def digits() -> SourceTree:
    return compile_model(ROOT / "examples" / "digits.tflite", CompileOptions())


def rows() -> SourceTree:
    """Three convolutions of 3 by 3, interleaved: two rings, with landing slots."""
    b = Builder()
    same = {"padding": (1, 1, 1, 1)}
    x = b.tensor((1, 16, 8, 2))
    first = b.conv(x, b.tensor((1, 16, 8, 4)), **same)
    generator = np.random.default_rng(0)
    weights = b.constant(generator.integers(-127, 128, (1, 3, 3, 4)).astype(np.int8), WEIGHTS)
    options = {"strides": (1, 1), "activation": Activation.RELU, **same}
    second = b.op(DepthwiseConv2D, (first, weights), b.tensor((1, 16, 8, 4)), **options)
    last = b.conv(second, b.tensor((1, 16, 8, 1)), **same)
    tree = compile_graph(b.graph((x,), (last,)), CompileOptions(prefix="rows", optimize=Objective.RAM))
    assert "ring of 2 rows" in tree.files["src/rows.c"]
    assert "the newest lands at" in tree.files["src/rows.c"]
    return tree


def svdf() -> SourceTree:
    """A layer that keeps state from one inference to the next."""
    return compile_graph(read_bytes(test_svdf.svdf(**test_svdf.parts(), rank=2), "svdf.tflite"), CompileOptions())


def mean() -> SourceTree:
    """A convolution whose rows are averaged as they come, then a dense layer and softmax."""
    b = Builder()
    x = b.tensor((1, 6, 6, 2))
    features = b.conv(x, b.tensor((1, 4, 4, 3)))
    averaged = b.tensor((1, 3), 0.25)
    b.op(Mean, (features, b.constant(np.array((1, 2), np.int32))), averaged, keep_dims=False)
    weights = b.constant(np.arange(-6, 6, dtype=np.int8).reshape(4, 3), Quantization((0.125,), (0,)))
    scores = b.tensor((1, 4), 0.125)
    b.op(FullyConnected, (averaged, weights), scores, activation=Activation.NONE, keep_dims=False, shuffled=False)
    likely = b.op(Softmax, (scores,), b.tensor((1, 4), 1 / 256, -128), beta=1.0)
    tree = compile_graph(b.graph((x,), (likely,)), CompileOptions(prefix="mean"))
    assert "accumulators" in tree.files["src/mean.c"]
    return tree


def digits_cmsis_nn() -> SourceTree:
    """Calls of CMSIS-NN for a core with the DSP extension, by rows where that is offered."""
    options = CompileOptions(prefix="digits_cmsis_nn", backend="cmsis-nn", features=frozenset({"dsp"}))
    return compile_model(ROOT / "examples" / "digits.tflite", options)


def digits_tflm() -> SourceTree:
    """tflite-micro behind the same header."""
    return compile_model(ROOT / "examples" / "digits.tflite", CompileOptions(prefix="digits_tflm", backend="tflm"))


@pytest.mark.parametrize("model", [digits, digits_cmsis_nn, digits_tflm, rows, mean, svdf])
def test_generated_c(model: Callable[[], SourceTree]) -> None:
    tree = model()
    folder = FOLDER / tree.prefix
    # Kernels are the files of templates/c/kernels as they are, and a model file in C is no reading matter.
    texts = {
        Path(name).name: text.replace(f"tinygen {__version__}", "tinygen VERSION")
        for name, text in tree.files.items()
        if "kernels/" not in name and not name.endswith("_model.h")
    }
    check(folder, texts)


def test_operators_that_tvm_lowered() -> None:
    """Two shapes have schedules of a tuning file; what is around the operators is as with backend c."""
    require("tvm")
    tuning = FOLDER / "digits.tuning.json"
    options = CompileOptions(prefix="digits_utvm", backend="utvm", features=frozenset({"dsp"}), tuning=tuning)
    tree = compile_model(ROOT / "examples" / "digits.tflite", options)
    check(FOLDER / tree.prefix, {"digits_utvm_tvm.h": tree.files["src/kernels/digits_utvm_tvm.h"]})


def check(folder: Path, texts: Mapping[str, str]) -> None:
    if os.environ.get(UPDATE):
        folder.mkdir(exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    assert sorted(texts) == sorted(path.name for path in folder.glob("*"))
    for name, text in texts.items():
        golden = (folder / name).read_text(encoding="utf-8")
        changes = difflib.unified_diff(
            golden.splitlines(), text.splitlines(), f"golden {name}", "generated", lineterm=""
        )
        assert text == golden, "\n".join(["the generated C has changed; if it should, run make golden", *changes])
