"""The convolution kernel for DSP instructions: its portable form under sanitizers, its assembly on emulated cores."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import OpDef, TensorDef, model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples, generators, int8, samples
from tests.ops.test_conv_2d import CONV, SAME, VALID, options, output_extent
from tests.requirement import require
from tinygen.boards import load_board
from tinygen.build.compiler import find_compiler
from tinygen.build.flags import CODE, STRICT_WARNINGS
from tinygen.compile import CompileOptions, compile_graph
from tinygen.ir.op import Numerics
from tinygen.project import write_project
from tinygen.schedule.choose import Objective
from tinygen.tflite import read_bytes
from tinygen.verify import verify

KERNEL = "conv_2d_pairs"
FAST = CompileOptions(numerics=Numerics.LITERT, optimize=Objective.SPEED, features=frozenset({"dsp"}))


def network(rng: np.random.Generator, layers: int) -> bytes:
    """A model of convolutions over one input that the kernel takes: an even number of filters, no weight of -128."""
    size = (int(rng.integers(3, 6)), int(rng.integers(4, 11)), int(rng.integers(1, 10)))
    tensors, ops = [TensorDef.activation((1, *size), 0.05, int(rng.integers(-128, 128)))], []
    for _ in range(layers):
        filters, padding = 2 * int(rng.integers(1, 5)), int(rng.choice((SAME, VALID)))
        window = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        strides = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
        scales = [float(x) for x in rng.uniform(1e-3, 0.05, filters).astype(np.float32)]
        weights = np.maximum(int8(rng, (filters, *window, size[2])), -127)
        bias = rng.integers(-20000, 20000, filters, dtype=np.int32)
        result = (output_extent(n, k, s, padding) for n, k, s in zip(size, window, strides, strict=False))
        at = len(tensors)
        tensors += [
            TensorDef.constant(weights, scales, 0),
            TensorDef.constant(bias, [0.05 * s for s in scales]),
            TensorDef.activation((1, *result, filters), 0.3, int(rng.choice((-128, 3, 127)))),
        ]
        ops.append(OpDef(CONV, (0, at, at + 1), (at + 2,), options(CONV, padding, strides)))
    return model(tensors, ops, [0], [op.outputs[0] for op in ops])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rng = draw(generators)
    file = network(rng, 1)
    return Case(file, samples(rng, read_bytes(file, "m.tflite").tensors[0].shape))


@examples(2)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_portable_form(batch: list[Case]) -> None:
    check(*batch, options=FAST)


@pytest.mark.parametrize(
    ("board", "compiler"), [("mps2-an386", "zig"), ("nucleo-u575zi-q", "zig"), ("mps2-an500", "gcc")]
)
def test_assembly(tmp_path: Path, board: str, compiler: str) -> None:
    require(compiler, "unicorn", "litert")
    path = tmp_path / "layers.tflite"
    path.write_bytes(network(np.random.default_rng(3), 16))
    tree = compile_graph(read_bytes(path.read_bytes(), "layers.tflite"), FAST)
    assert sum(KERNEL in layer.kernel for layer in tree.layers) > len(tree.layers) // 2
    found = verify(path, FAST, board=load_board(board), runner="unicorn", samples=4, compiler=compiler)
    assert found.mismatches == 0


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
@pytest.mark.parametrize("board", ["mps2-an386", "nucleo-u575zi-q"])
def test_no_warnings(tmp_path: Path, board: str, compiler: str) -> None:
    require(compiler)
    tree = compile_graph(read_bytes(network(np.random.default_rng(3), 16), "layers.tflite"), FAST)
    assert len({layer.kernel for layer in tree.layers if KERNEL in layer.kernel}) == 2, "rectified and linear layers"
    project = write_project(tree, load_board(board), tmp_path)
    found = find_compiler(project.board.core, compiler)
    includes = ("-Iinclude", "-Isrc", "-isystem", "firmware/libc")
    command = (*found.command, *CODE, *STRICT_WARNINGS, "-O2", *includes, "-c", "src/layers.c", "-o", "layers.o")
    done = subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_smallest_weight() -> None:
    """-128 next to a negative weight would leave 16 bits, so such a layer takes another kernel, and stays exact."""
    source, result = TensorDef.activation((1, 2, 4, 4), 0.05, 1), TensorDef.activation((1, 2, 4, 2), 0.3, -128)
    weights = TensorDef.constant(np.full((2, 1, 1, 4), -128, np.int8), [0.01])
    bias = TensorDef.constant(np.zeros(2, np.int32), [0.05 * np.float32(0.01)])
    file = model([source, weights, bias, result], [OpDef(CONV, (0, 1, 2), (3,), options(CONV))], [0], [3])
    assert all(KERNEL not in layer.kernel for layer in compile_graph(read_bytes(file, "m.tflite"), FAST).layers)
    check(Case(file, samples(np.random.default_rng(0), source.shape)), options=FAST)
