"""Places: where the pixels of a tensor lie in a storage, and where those of a part of the tensor do.

A pixel is what the last index of a tensor runs over, the smallest thing whose bytes never lie apart. In the output of a
concatenation of channels the pixels of an input alternate with those of the others:

    a  aa aa aa    b  bbb bbb bbb    output  aabbb aabbb aabbb
"""

from __future__ import annotations

from dataclasses import dataclass

from tinygen.ir.tensor import Tensor, geometry, pixel_of


@dataclass(frozen=True)
class Place:
    """Where a tensor is in its storage: the first byte of row 0, and bytes from row to row and from pixel to pixel."""

    first: int
    pitch: int
    pixel_pitch: int


def row_geometry(tensor: Tensor) -> tuple[int, int]:
    """Rows of a tensor and bytes per row."""
    rows, elements = geometry(tensor.shape)
    return rows, elements * tensor.dtype.itemsize


def pixel_geometry(tensor: Tensor) -> tuple[int, int]:
    """Pixels of a row and bytes per pixel."""
    _, row_bytes = row_geometry(tensor)
    size = pixel_of(tensor.shape) * tensor.dtype.itemsize
    return row_bytes // size, size


def together(tensor: Tensor) -> Place:
    """At the start of its storage, without gaps."""
    return Place(0, row_geometry(tensor)[1], pixel_geometry(tensor)[1])


def rows_apart(tensor: Tensor, place: Place) -> bool:
    """There are bytes between the rows."""
    rows, size = row_geometry(tensor)
    return rows > 1 and place.pitch != size


def pixels_apart(tensor: Tensor, place: Place) -> bool:
    """There are bytes between the pixels of a row."""
    pixels, size = pixel_geometry(tensor)
    return pixels > 1 and place.pixel_pitch != size


def inside(outer: Tensor, at: Place, inner: Tensor, place: Place) -> Place | None:
    """Where a tensor is that is at a place inside another one, which itself is at a place; None if it is in pieces.

    A byte of the outer tensor is a number whose digits are byte, pixel and row; a digit that is a step without gaps
    from the one before makes one digit with it. The inner tensor advances by a fixed number of each digit, and is not
    in pieces when none of them is ever carried.
    """
    digits = [(pixel_geometry(outer)[1], 1)]
    for count, stride in ((pixel_geometry(outer)[0], at.pixel_pitch), (row_geometry(outer)[0], at.pitch)):
        size, step = digits[-1]
        if stride == size * step:
            digits[-1] = (size * count, step)
        elif count > 1:
            digits.append((count, stride))

    def split(number: int) -> list[int]:
        found = []
        for count, _ in digits[:-1]:
            number, digit = divmod(number, count)
            found.append(digit)
        return [*found, number]

    def total(number: list[int]) -> int:
        return sum(digit * stride for digit, (_, stride) in zip(number, digits, strict=True))

    (rows, row_bytes), (pixels, size) = row_geometry(inner), pixel_geometry(inner)
    first, pitch, pixel_pitch = split(place.first), split(place.pitch), split(place.pixel_pitch)
    last = [a + (rows - 1) * b + (pixels - 1) * c for a, b, c in zip(first, pitch, pixel_pitch, strict=True)]
    last[0] += size - 1
    if any(digit >= count for digit, (count, _) in zip(last, digits, strict=True)):
        return None
    return Place(
        at.first + total(first), total(pitch) if rows > 1 else row_bytes, total(pixel_pitch) if pixels > 1 else size
    )
