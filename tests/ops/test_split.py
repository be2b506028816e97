"""SPLIT and SPLIT_V: along every dimension, with parts that nobody reads, and as parts of one layer in reports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import OpDef, Options, TensorDef, model, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples
from tests.ops.test_slice import ascending, numbers, tensor
from tinygen.compile import CompileOptions, compile_graph
from tinygen.errors import TinygenError
from tinygen.tflite import read_bytes


def parts(shape: tuple[int, ...], axis: int, sizes: tuple[int, ...], dtype: str = "int8") -> list[TensorDef]:
    at = axis % len(shape)
    return [tensor((*shape[:at], size, *shape[at + 1 :]), dtype) for size in sizes]


def split(shape: tuple[int, ...], axis: int, count: int, dtype: str = "int8") -> bytes:
    outputs = parts(shape, axis, (shape[axis] // count,) * count, dtype)
    return single_op_model(
        "SPLIT", Options("SplitOptions", {"NumSplits": count}), [numbers(axis), tensor(shape, dtype)], outputs
    )


def split_v(shape: tuple[int, ...], axis: int, sizes: tuple[int, ...], dtype: str = "int8") -> bytes:
    known = sum(size for size in sizes if size != -1)
    real = tuple(shape[axis] - known if size == -1 else size for size in sizes)
    return single_op_model(
        "SPLIT_V",
        Options("SplitVOptions", {"NumSplits": len(sizes)}),
        [tensor(shape, dtype), numbers(*sizes), numbers(axis)],
        parts(shape, axis, real, dtype),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sizes = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    equal = draw(st.booleans())
    total = len(sizes) * sizes[0] if equal else sum(sizes)
    rank = draw(st.integers(1, 4))
    axis = draw(st.integers(0, rank - 1))
    others = [draw(st.integers(1, 4)) for _ in range(rank)]
    shape = (*([1, *others[1:]] if axis and draw(st.booleans()) else others)[:axis], total, *others[axis + 1 :])
    place = draw(st.sampled_from((axis, axis - rank)))
    dtype = draw(st.sampled_from(("int8", "int8", "uint8", "int16", "float32")))
    if equal:
        return Case(split(shape, place, len(sizes), dtype), [[ascending(shape, dtype)]])
    if draw(st.booleans()):
        rest = draw(st.integers(0, len(sizes) - 1))
        sizes = (*sizes[:rest], -1, *sizes[rest + 1 :])
    return Case(split_v(shape, place, sizes, dtype), [[ascending(shape, dtype)]])


@examples(3)
@given(batch=st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_any_split(batch: list[Case]) -> None:
    check(*batch)


def test_a_part_that_nobody_reads_is_not_computed() -> None:
    tensors = [numbers(3), tensor((1, 4, 4, 6)), *parts((1, 4, 4, 6), 3, (2, 2, 2)), tensor((1, 4, 4, 2))]
    ops = [OpDef("SPLIT", (0, 1), (2, 3, 4), Options("SplitOptions", {"NumSplits": 3})), OpDef("RELU", (3,), (5,))]
    case = Case(model(tensors, ops, (1,), (2, 5)), [[ascending((1, 4, 4, 6))]])
    check(case)
    tree = compile_graph(read_bytes(case.model, "m.tflite"), CompileOptions())
    source = tree.files["src/m.c"]
    assert "Layer 0, part 0: SPLIT" in source
    assert "Layer 0, part 2" not in source
    # Reports know the operators of the model file.
    assert [(layer.index, layer.op) for layer in tree.layers] == [(0, "SPLIT"), (1, "RELU")]
    assert {tree.layers[i].index for i in tree.steps} == {0, 1}


def test_what_is_refused() -> None:
    source, options = tensor((4, 6)), Options("SplitOptions", {"NumSplits": 2})
    halves = [tensor((4, 3)), tensor((4, 3))]
    for kind, inputs, outputs, code, text in (
        ("SPLIT", [TensorDef((1,), "int32"), source], halves, "TG204", "axis must be constant"),
        ("SPLIT", [numbers(2), source], halves, "TG204", "axis must be -2 to 1, found 2"),
        ("SPLIT", [numbers(0), tensor((5, 6))], halves, "TG203", r"2 outputs must make up .* along dimension 0"),
        ("SPLIT", [numbers(0), source], halves, "TG203", r"output must have shape \[2x6\]"),
        ("SPLIT_V", [source, numbers(3, 4), numbers(1)], halves, "TG203", r"found 3\+4"),
        ("SPLIT_V", [source, numbers(6, 0), numbers(1)], halves, "TG203", r"found 6\+0"),
        ("SPLIT_V", [source, numbers(3, 2, 1), numbers(1)], halves, "TG203", "sizes must have 2 values"),
        ("SPLIT_V", [source, numbers(-1, -1), numbers(1)], halves, "TG203", r"found 6\+6"),
    ):
        table = options if kind == "SPLIT" else Options("SplitVOptions", {"NumSplits": 2})
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(single_op_model(kind, table, inputs, outputs), "m.tflite")
        assert caught.value.code == code
