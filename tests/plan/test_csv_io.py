"""Allocation files: what is tolerated, what is refused with its line, and that written files can be read again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.plan.shapes import box
from tinygen.errors import TinygenError
from tinygen.plan.csv_io import Gap, Row, read_csv, write_csv
from tinygen.plan.model import Rect
from tinygen.plan.solve import plan


def planned(text: str) -> str:
    rows = read_csv(text, "x.csv")
    return write_csv(rows, plan([row.buffer() for row in rows]))


def test_columns_in_any_order_and_blank_lines() -> None:
    text = "\nsize, upper,id,lower\n\n8,3,a,0\n  \n4,5,b,2\n"
    assert [row.buffer() for row in read_csv(text, "x.csv")] == [box("a", 0, 3, 8), box("b", 2, 5, 4)]


def test_optional_columns_may_be_given_or_left_empty() -> None:
    text = "id,lower,upper,size,alignment,offset,hint,gaps\na,0,3,8,4,16,7,\nb,0,3,8,,,,\nc,0,3,8,1,,-1, \n"
    a, b, c = read_csv(text, "x.csv")
    assert (a.buffer(), b.buffer()) == (box("a", 0, 3, 8, 4, pinned=16), box("b", 0, 3, 8))
    assert (a.hint, b.hint, c.hint) == (7, None, None)


@pytest.mark.parametrize("name", ["id", "buffer", "buffer_id"])
@pytest.mark.parametrize("lower", ["lower", "start", "begin"])
def test_the_names_that_minimallocs_converter_knows(name: str, lower: str) -> None:
    assert read_csv(f"{lower},size,{name},upper\n6,18,x,12\n", "x.csv") == (Row("x", 6, 12, 18),)


def test_end_is_inclusive_for_gaps_too() -> None:
    (row,) = read_csv("start,size,buffer,end,gaps\n6,18,x,11,7-8 10-10@1:17\n", "x.csv")
    assert row == Row("x", 6, 12, 18, gaps=(Gap(7, 9, 0, 0), Gap(10, 11, 1, 17)))
    assert read_csv("id,start,end,size\nx,3,3,8\n", "x.csv") == (Row("x", 3, 4, 8),)


def test_gaps_are_rectangles_left_out() -> None:
    row = Row("x", 5, 12, 18, gaps=(Gap(3, 6, 0, 0), Gap(7, 8, 0, 0), Gap(8, 10, 1, 17)))
    assert row.buffer().rects == (Rect(6, 7, 0, 18), Rect(8, 10, 1, 17), Rect(10, 12, 0, 18))
    assert Row("x", 5, 8, 4, gaps=(Gap(6, 9, 0, 0), Gap(9, 11, 0, 0))).buffer().rects == (Rect(5, 6, 0, 4),)
    assert Row("x", 5, 8, 4, gaps=(Gap(4, 9, 0, 0),)).buffer().rects == (Rect(5, 8, 0, 0),)


def test_another_buffer_lives_in_a_gap_and_beside_its_window() -> None:
    text = "id,lower,upper,size,gaps\na,0,9,10,2-4 5-8@6:10\nb,2,4,10,\nc,5,8,6,\n"
    rows = read_csv(text, "x.csv")
    result = plan([row.buffer() for row in rows])
    assert (result.offsets, result.arena_bytes, result.proof) == ((0, 0, 0), 10, "optimal")
    without = plan([replace(row, gaps=()).buffer() for row in rows])
    assert without.arena_bytes == 20


def test_gaps_without_bytes_for_the_whole_life_can_be_planned() -> None:
    assert planned("id,lower,upper,size,gaps\na,0,3,8,0-3\nb,0,3,8,\n").splitlines()[1] == "a,0,3,8,0-3,0"


def test_a_plan_can_be_written_and_read_back() -> None:
    text = planned("id,lower,upper,size\na,0,2,8\nb,1,3,4\n")
    assert text == "id,lower,upper,size,offset\na,0,2,8,0\nb,1,3,4,8\n"
    assert [row.offset for row in read_csv(text, "y.csv")] == [0, 8]
    assert planned(text) == text


def test_columns_are_written_as_minimallocs_converter_does() -> None:
    """Its own example, with the inclusive columns it reads too."""
    text = planned("gaps,buffer_id,start,end,size,hint,alignment\n,0,5,9,15,0,1\n7-7 9-9@1:17,1,6,11,18,-1,2\n")
    header, first, second = text.splitlines()
    assert header == "id,lower,upper,size,alignment,hint,gaps,offset"
    assert first.rpartition(",")[0] == "0,5,10,15,1,0,"
    assert second.rpartition(",")[0] == "1,6,12,18,2,-1,7-8 9-10@1:17"
    assert planned(text) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the file is empty"),
        ("id,lower,size\n", "line 1: found the columns id,lower,size"),
        ("id,lower,upper,size,colour\n", "found the columns"),
        ("id,lower,upper,size,size\n", "found the columns"),
        ("id,lower,upper,size\na,0,1\n", "line 2: found 3 cells"),
        ("id,lower,upper,size\na,0,1,8\n\na,1,2,8\n", "line 4: id 'a' is there twice"),
        ("id,lower,upper,size\n,0,1,8\n", "the id is empty"),
        ("id,lower,upper,size\na,3,3,8\n", "line 2: lower 3 must be less than upper 3"),
        ("id,lower,upper,size\na,0,1,-8\n", "line 2: size is '-8'"),
        ("id,lower,upper,size\na,0,1,1.5\n", "line 2: size is '1.5'"),
        ("id,lower,upper,size\na,0,1,99999999999999999\n", "line 2: size is '99999999999999999'"),
        ("id,lower,upper,size\na,0,1," + "9" * 5000 + "\n", "line 2: size is"),
        ("id,lower,upper,size\na,0,1,²\n", "line 2: size is"),
        ("id,lower,upper,size,alignment\na,0,1,8,0\n", "line 2: alignment is '0'"),
        ("id,start,end,size\na,3,2,8\n", "line 2: start 3 must be at most end 2"),
        ("id,lower,upper,end,size\n", "line 1: found the columns"),
        ("id,lower,upper,size,hint\na,0,1,8,-2\n", "line 2: hint is '-2'"),
        ("id,lower,upper,size,offset\na,0,1,8,-1\n", "line 2: offset is '-1'"),
        ("id,lower,upper,size,gaps\na,0,9,8,1-2-3\n", "line 2: gap '1-2-3' is not steps like 7-9"),
        ("id,lower,upper,size,gaps\na,0,9,8,A-B\n", "line 2: gap 'A-B' is not"),
        ("id,lower,upper,size,gaps\na,0,9,8,1-2@3\n", "line 2: gap '1-2@3' is not"),
        ("id,lower,upper,size,gaps\na,0,9,8,4-4\n", "line 2: gap '4-4' has no steps"),
        ("id,lower,upper,size,gaps\na,0,9,8,1-2@3:9\n", "line 2: gap '1-2@3:9' has bytes outside the buffer's 8"),
        ("id,lower,upper,size,gaps\na,0,9,8,4-6 1-5\n", "line 2: gaps overlap: steps [1, 5) and [4, 6)"),
        ("id,lower,upper,size,gaps\na,2,9,8,1-3@0:4\n", "line 2: a gap of steps [1, 3) holds bytes outside"),
        ("id,lower,upper,size,gaps\na,0,9,8,1-" + "9" * 30 + "\n", "line 2: a number of gap '1-999"),
        ("id,lower,upper,size\na,0,1," + "9" * 200_000 + "\n", "line 2: field larger than field limit"),
    ],
)
def test_bad_rows_are_refused_with_their_line(text: str, words: str) -> None:
    with pytest.raises(TinygenError) as caught:
        read_csv(text, "x.csv")
    assert caught.value.code == "TG306"
    assert words in str(caught.value)
    assert "x.csv" in str(caught.value)


def test_all_bad_rows_are_reported_at_once() -> None:
    with pytest.raises(TinygenError) as caught:
        read_csv("id,lower,upper,size\na,2,1,8\nb,0,1,x\n", "x.csv")
    assert len(caught.value.diagnostics) == 2
