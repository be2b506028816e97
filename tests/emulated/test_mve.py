"""The kernels for Helium (MVE) on QEMU's Cortex-M55: many small models as one, equal to the numpy references.

That the references equal LiteRT, and that the same text in plain C does, is tested on the host (tests/ops/test_mve.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from tests.ops.harness import Case
from tests.ops.helium import BATCHES, helium_alone
from tests.ops.strategies import examples
from tests.requirement import require
from tinygen.boards import load_board
from tinygen.compile import CompileOptions, compile_graph
from tinygen.ir.graph import Graph
from tinygen.ir.interpret import interpret
from tinygen.project import write_project
from tinygen.run import qemu
from tinygen.tflite import read_bytes

BOARD = "mps3-an547"


def side_by_side(graphs: Sequence[Graph]) -> Graph:
    """One graph with the operators, inputs and outputs of all."""
    tensors, ops, inputs, outputs = {}, [], [], []
    for graph in graphs:
        shift, before = max(tensors, default=-1) + 1, len(ops)
        for tensor in graph.tensors.values():
            tensors[tensor.id + shift] = replace(tensor, id=tensor.id + shift)
        for op in graph.ops:
            moved = [tuple(i + shift if i >= 0 else i for i in ids) for ids in (op.inputs, op.outputs)]
            origin = replace(op.origin, op_index=before + (op.origin.op_index or 0))
            ops.append(replace(op, inputs=moved[0], outputs=moved[1], origin=origin))
        inputs += [i + shift for i in graph.inputs]
        outputs += [i + shift for i in graph.outputs]
    return Graph("many", "0" * 64, tensors, tuple(ops), tuple(inputs), tuple(outputs))


def check_on_qemu(batch: Sequence[Case], compiler: str, folder: Path) -> None:
    graph = side_by_side([read_bytes(case.model, "m.tflite") for case in batch])
    board = load_board(BOARD)
    with helium_alone():
        tree = compile_graph(graph, CompileOptions(features=frozenset(board.features)))
    assert any("mve" in layer.kernel for layer in tree.layers)
    project = write_project(tree, board, folder / "project")
    with qemu.RUNNER.open(project, folder / "build", compiler=compiler) as session:
        for sample in zip(*(case.samples for case in batch), strict=True):
            inputs = [array for arrays in sample for array in arrays]
            for found, expected in zip(session.infer(inputs), interpret(graph, inputs), strict=True):
                np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
@pytest.mark.parametrize("kind", BATCHES)
def test_kernels(kind: str, compiler: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    require(compiler, "qemu", "cc")

    @examples(2)
    @given(BATCHES[kind])
    def check(batch: list[Case]) -> None:
        check_on_qemu(batch, compiler, tmp_path_factory.mktemp("mve"))

    check()
