"""DEPTH_TO_SPACE and SPACE_TO_DEPTH: blocks of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples
from tests.ops.test_slice import ascending, tensor
from tinygen.errors import TinygenError
from tinygen.ir.rows import Window
from tinygen.tflite import read_bytes

Shape = tuple[int, ...]
TABLES = {"DEPTH_TO_SPACE": "DepthToSpaceOptions", "SPACE_TO_DEPTH": "SpaceToDepthOptions"}


def blocks(kind: str, deep: Shape, block: int, dtype: str = "int8") -> Case:
    """`deep` is the shape whose pixels are blocks of the other."""
    _, height, width, channels = deep
    wide = (1, height * block, width * block, channels // block**2)
    source, result = (deep, wide) if kind == "DEPTH_TO_SPACE" else (wide, deep)
    options = Options(TABLES[kind], {"BlockSize": block})
    model = single_op_model(kind, options, [tensor(source, dtype)], [tensor(result, dtype)])
    return Case(model, [[ascending(source, dtype)]])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    block = draw(st.integers(2, 4))
    deep = (1, draw(st.integers(1, 5)), draw(st.integers(1, 5)), block**2 * draw(st.integers(1, 4)))
    kind, dtype = draw(st.sampled_from(sorted(TABLES))), draw(st.sampled_from(("int8", "int8", "float32")))
    return blocks(kind, deep, block, dtype)


@examples(2)
@given(batch=st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_equals_litert(batch: list[Case]) -> None:
    check(*batch)


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_rows_are_pipelined(kind: str) -> None:
    graph = read_bytes(blocks(kind, (1, 4, 4, 8), 2).model, "m.tflite")
    expected = Window(repeat=2) if kind == "DEPTH_TO_SPACE" else Window(size=2, stride=2)
    assert graph.ops[0].rows(graph).inputs == ((0, expected),)


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_what_is_refused(kind: str) -> None:
    for block, shapes, code, text in (
        (0, ((1, 4, 4, 4), (1, 4, 4, 4)), "TG204", "block size must be at least 1, found 0"),
        (2, ((1, 4, 4, 4), (1, 4, 4, 4)), "TG203", "blocks of 2x2 pixels must be the channels of a pixel"),
        (2, ((2, 4, 4, 4), (2, 4, 4, 4)), "TG203", "batch size 1"),
    ):
        options = Options(TABLES[kind], {"BlockSize": block})
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(single_op_model(kind, options, [tensor(shapes[0])], [tensor(shapes[1])]), "m.tflite")
        assert caught.value.code == code
