"""STRIDED_SLICE: steps in both directions, every mask, single indices and dimensions that are added."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, examples
from tests.ops.test_slice import ascending, numbers, tensor
from tinygen.errors import TinygenError
from tinygen.ir.rows import WHOLE, Rows, Window
from tinygen.tflite import read_bytes


def sliced(shape: tuple[int, ...], entries: tuple[object, ...], dtype: str = "int8", **options: int) -> bytes:
    """x[entries], with entries as numpy takes them, as TensorFlow writes it."""
    begin, end, strides = [0] * len(entries), [0] * len(entries), [1] * len(entries)
    masks = dict.fromkeys(("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask"), 0)
    for i, entry in enumerate(entries):
        match entry:
            case slice():
                begin[i], end[i], strides[i] = entry.start or 0, entry.stop or 0, entry.step or 1
                masks["BeginMask"] |= (entry.start is None) << i
                masks["EndMask"] |= (entry.stop is None) << i
            case int():
                begin[i], end[i] = entry, entry + 1
                masks["ShrinkAxisMask"] |= 1 << i
            case None:
                masks["NewAxisMask"] |= 1 << i
            case _:
                masks["EllipsisMask"] |= 1 << i
    result = ascending(shape)[entries].shape
    bounds = [numbers(*values) for values in (begin, end, strides)]
    table = Options("StridedSliceOptions", masks | options)
    return single_op_model("STRIDED_SLICE", table, [tensor(shape, dtype), *bounds], [tensor(result, dtype)])


def case(shape: tuple[int, ...], entries: tuple[object, ...], dtype: str = "int8") -> Case:
    return Case(sliced(shape, entries, dtype), [[ascending(shape, dtype)]])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4)))
    if draw(st.booleans()):
        shape = (1, *shape[1:])
    entries: list[object] = []
    first = draw(st.integers(0, len(shape)))
    skipped = range(first, draw(st.integers(first, len(shape))))
    for axis, n in enumerate(shape):
        if axis == first and skipped and (skipped.stop < len(shape) or draw(st.booleans())):
            entries.append(Ellipsis)
        if axis not in skipped:
            edge = st.none() | st.integers(-n - 1, n + 1)
            step = st.sampled_from((None, 1, 2, 3, -1, -2))
            spans = st.builds(slice, edge, edge, step).filter(lambda s, n=n: len(range(n)[s]) > 0)
            entries.append(draw(st.one_of(spans, spans, spans, st.integers(-n, n - 1))))
    if draw(st.booleans()):
        entries.insert(draw(st.integers(0, len(entries))), None)
    if not entries or ascending(shape)[tuple(entries)].ndim == 0:
        entries = [slice(None, None, -1)]
    return case(shape, tuple(entries), draw(st.sampled_from(("int8", "int8", "int8", "uint8", "int16", "float32"))))


@examples(4)
@given(batch=st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_any_slice(batch: list[Case]) -> None:
    check(*batch)


def test_rows_are_pipelined_where_they_are_parts_of_rows() -> None:
    whole = Rows(1, ((0, WHOLE),), writes_row=False)
    for shape, entries, rows in (
        ((1, 6, 5, 4), (slice(None), slice(None, None, 2)), Rows(3, ((0, Window(stride=2)),))),
        ((1, 6, 5, 4), (slice(None), slice(1, 6, 3), slice(None, None, -1)), Rows(2, ((0, Window(stride=3, pad=-1)),))),
        ((1, 6, 5, 4), (Ellipsis, 1), Rows(6, ((0, Window()),))),
        ((1, 6, 5), (slice(None), -1), Rows(1, ((0, Window(pad=-5)),))),
        ((1, 6, 5, 4), (slice(None), slice(None, None, -1)), whole),
        ((1, 6, 5, 4), (0, slice(0, 3)), whole),
        ((6, 5), (slice(0, 3),), whole),
    ):
        graph = read_bytes(sliced(shape, entries), "m.tflite")
        assert graph.ops[0].rows(graph) == rows


def test_what_is_refused() -> None:
    table = Options("StridedSliceOptions", {})
    source = tensor((4, 3))
    fine = [numbers(1, 0), numbers(3, 3), numbers(1, 1)]
    for options, bounds, output, code, text in (
        (table, fine, (3, 3), "TG203", r"output must have shape \[2x3\]"),
        (table, [*fine[:2], numbers(0, 1)], (2, 3), "TG204", "strides must not be 0"),
        (table, [*fine[:2], numbers(1)], (2, 3), "TG203", "strides must have 2 values"),
        (table, [numbers(3, 0), *fine[1:]], (1, 3), "TG204", "nothing along dimension 0"),
        (
            Options("StridedSliceOptions", {"EllipsisMask": 1}),
            [numbers(0, 1, 0), numbers(0, 3, 3), numbers(1, 1, 1)],
            (2, 3),
            "TG204",
            "an ellipsis before other bounds",
        ),
        (table, [numbers(1, 0, 0), numbers(3, 3, 1), numbers(1, 1, 1)], (2, 3), "TG203", "for 3 dimensions"),
        (Options("StridedSliceOptions", {"EllipsisMask": 3}), fine, (2, 3), "TG204", "at most one ellipsis"),
        (Options("StridedSliceOptions", {"Offset": True}), fine, (2, 3), "TG204", "found offset"),
        (
            Options("StridedSliceOptions", {"ShrinkAxisMask": 1}),
            [numbers(4, 0), *fine[1:]],
            (3,),
            "TG204",
            "found 4 with stride 1 along dimension 0",
        ),
    ):
        with pytest.raises(TinygenError, match=text) as caught:
            read_bytes(single_op_model("STRIDED_SLICE", options, [source, *bounds], [tensor(output)]), "m.tflite")
        assert caught.value.code == code
    scattered = sliced((3, 3, 3, 3, 3), (slice(None, None, 2),) * 5)
    with pytest.raises(TinygenError, match="up to 4 independent dimensions are supported, found 5"):
        read_bytes(scattered, "m.tflite")
