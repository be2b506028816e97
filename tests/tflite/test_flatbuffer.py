"""The bounds-checked layer: every contradiction of the format is a TG102, whichever bytes it is in."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest

from tinygen.errors import Origin, TinygenError
from tinygen.tflite.flatbuffer import Flatbuffer, Table
from tinygen.tflite.options import TableOptions

# A vtable at 4 and its table at 14: field 0 is a byte at 8, field 1 is absent, field 2 refers to the vector at 24.
VTABLE = struct.pack("<5H", 10, 10, 8, 0, 4)
TABLE = struct.pack("<iIBB", 10, 6, 42, 43)
VECTOR = struct.pack("<I3i", 3, 1, -2, 3)


def flatbuffer(vtable: bytes = VTABLE, table: bytes = TABLE, vector: bytes = VECTOR) -> Flatbuffer:
    return Flatbuffer(struct.pack("<I", 14) + vtable + table + vector, Origin("test.tflite"))


def root(**parts: bytes) -> Table:
    return flatbuffer(**parts).root("the table")


def test_fields() -> None:
    table = root()
    assert [table.integer(slot, "B", 7) for slot in (0, 1, 9)] == [42, 7, 7]
    assert table.integers(2, "i", "numbers") == (1, -2, 3)
    assert table.integers(1, "i", "numbers") is None
    vector = table.vector(2, 4, "numbers")
    assert vector is not None
    assert vector.array(np.dtype(np.int32)).tolist() == [1, -2, 3]


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ({"vtable": struct.pack("<5H", 2, 10, 8, 0, 4)}, "vtable of 2 bytes"),
        ({"vtable": struct.pack("<5H", 9, 10, 8, 0, 4)}, "vtable of 9 bytes"),
        ({"vtable": struct.pack("<5H", 500, 10, 8, 0, 4)}, "vtable of 500 bytes"),
        ({"vtable": struct.pack("<5H", 10, 3, 8, 0, 4)}, "table of 3 bytes"),
        ({"vtable": struct.pack("<5H", 10, 500, 8, 0, 4)}, "table of 500 bytes at byte 14 leaves the file"),
        ({"table": struct.pack("<iIBB", 15, 6, 42, 43)}, "lies at byte -1"),
        ({"table": struct.pack("<iIBB", -500, 6, 42, 43)}, "lies at byte 514"),
    ],
)
def test_a_table_that_cannot_be(parts: dict[str, bytes], found: str) -> None:
    with pytest.raises(TinygenError, match=f"TG102.*{found}"):
        root(**parts)


@pytest.mark.parametrize(("offset", "code"), [(3, "B"), (10, "B"), (9, "H"), (500, "B")])
def test_a_field_that_leaves_its_table(offset: int, code: str) -> None:
    table = root(vtable=struct.pack("<5H", 10, 10, offset, 0, 4))
    with pytest.raises(TinygenError, match=f"TG102.*field 0 at offset {offset} leaves the table of 10 bytes"):
        table.integer(0, code)


@pytest.mark.parametrize("length", [4, 2**30, 2**32 - 1])
def test_a_vector_that_leaves_the_file(length: int) -> None:
    table = root(vector=struct.pack("<I3i", length, 1, -2, 3))
    with pytest.raises(TinygenError, match=f"TG102.*{length} elements of 4 bytes at byte 24 leave the file"):
        table.integers(2, "i", "numbers")


def repeat(read: Callable[[], object]) -> None:
    for _ in range(10_000):
        read()


def test_the_budget_bounds_repeated_reading() -> None:
    table = root()
    with pytest.raises(TinygenError, match=r"TG106.*too many times"):
        repeat(lambda: table.integers(2, "i", "numbers"))


def options(field_0: int, field_1: int = 0) -> TableOptions:
    """Reshape options: field 0 refers to the vector of the new shape. Conv2D reads the same bytes as scalars."""
    vtable = struct.pack("<5H", 10, 10, field_0, field_1, 0)
    file = flatbuffer(vtable=vtable)
    # BuiltinOptions.ReshapeOptions is 17.
    return TableOptions("RESHAPE", 17, file.root("options"), file.origin)


def test_a_vector_of_options() -> None:
    assert options(4).integers("NewShape") == (1, -2, 3)
    assert options(0).integers("NewShape") == ()


def test_a_vector_of_options_counts_as_reading() -> None:
    fields = options(4)
    with pytest.raises(TinygenError, match=r"TG106.*too many times"):
        repeat(lambda: fields.integers("NewShape"))


def test_a_scalar_of_options_that_leaves_its_table() -> None:
    file = flatbuffer(vtable=struct.pack("<5H", 10, 10, 8, 8, 0))
    # BuiltinOptions.Conv2DOptions is 1: field 0 is a byte, field 1 an int32 of which two bytes are outside.
    fields = TableOptions("CONV_2D", 1, file.root("options"), file.origin)
    assert fields.integer("Padding") == 42
    with pytest.raises(TinygenError, match=r"TG102.*a field at byte 22 leaves the table"):
        fields.integer("StrideW")
