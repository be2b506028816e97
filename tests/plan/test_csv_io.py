"""Allocation files: what is tolerated, what is refused with its line, and that written files can be read again."""

from __future__ import annotations

import pytest

from tests.plan.shapes import box
from tinygen.errors import TinygenError
from tinygen.plan.csv_io import read_csv, write_csv
from tinygen.plan.solve import plan


def test_columns_in_any_order_and_blank_lines() -> None:
    text = "\nsize, upper,id,lower\n\n8,3,a,0\n  \n4,5,b,2\n"
    assert read_csv(text, "x.csv") == (box("a", 0, 3, 8), box("b", 2, 5, 4))


def test_alignment_and_offset_may_be_given_or_left_empty() -> None:
    text = "id,lower,upper,size,alignment,offset\na,0,3,8,4,16\nb,0,3,8,,\n"
    assert read_csv(text, "x.csv") == (box("a", 0, 3, 8, 4, pinned=16), box("b", 0, 3, 8))


def test_a_plan_can_be_written_and_read_back() -> None:
    buffers = read_csv("id,lower,upper,size\na,0,2,8\nb,1,3,4\n", "x.csv")
    text = write_csv(plan(buffers))
    assert text == "id,lower,upper,size,offset\na,0,2,8,0\nb,1,3,4,8\n"
    assert [b.pinned for b in read_csv(text, "y.csv")] == [0, 8]
    assert "alignment" in write_csv(plan([box("a", 0, 1, 4, 4)])).splitlines()[0]


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
