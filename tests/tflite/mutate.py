"""Damages model files in the ways that reach deep: mostly the offsets, lengths and fields that the reader looks at."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

from tests.tflite.tables import dense_model, write
from tinygen.errors import TinygenError
from tinygen.tflite import read_bytes
from tinygen.tflite.flatbuffer import Flatbuffer, Table, Vector

ROOT = Path(__file__).resolve().parents[2]
KINDS = (
    *("value 32", "value 8") * 4,
    *("rewrite 32", "rewrite 16", "set byte", "alias", "splice", "flip bit", "truncate", "insert", "cut"),
)
"""What a mutation can be; those that leave the file well formed are more frequent, as any other hides what follows."""
_INTERESTING = (0, 1, 2, 3, 4, 7, 8, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536)
_INTERESTING_32 = (*_INTERESTING, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 2, 2**32 - 4, 2**32 - 8, 2**24)


@dataclass(frozen=True)
class Mutation:
    """One change; `where` and `value` are any numbers, taken modulo what the file offers."""

    kind: str
    where: int
    value: int


@cache
def seeds() -> tuple[bytes, ...]:
    """Well-formed models: one made here, the project's examples, and those of ../shared/models where present."""
    folders = (ROOT / "examples", ROOT.parent / "shared" / "models")
    files = (path for folder in folders for path in sorted(folder.glob("*.tflite")))
    return (write(dense_model()), *(path.read_bytes() for path in files))


@dataclass(frozen=True)
class Places:
    """Positions of a seed at which the reader reads numbers: those of the format, and those of the model."""

    structure: tuple[int, ...]
    values: tuple[int, ...]


@cache
def places(seed: int) -> Places:
    structure: set[int] = set()
    values: set[int] = set()
    scalar, vector, integer = Flatbuffer.scalar, Flatbuffer.vector, Table.integer

    def record_scalar(self: Flatbuffer, code: str, at: int, what: str) -> int:
        structure.add(at)
        return scalar(self, code, at, what)

    def record_vector(self: Flatbuffer, position: int, width: int, what: str) -> Vector:
        found = vector(self, position, width, what)
        values.update(range(found.position, found.position + min(found.length, 8) * width, width))
        return found

    def record_integer(self: Table, slot: int, code: str, default: int = 0) -> int:
        if (at := self.field(slot, struct.calcsize(code))) is not None:
            values.add(at)
        return integer(self, slot, code, default)

    with (
        patch.object(Flatbuffer, "scalar", record_scalar),
        patch.object(Flatbuffer, "vector", record_vector),
        patch.object(Table, "integer", record_integer),
        # Some seeds use operators that are not supported; they are read all the same.
        suppress(TinygenError),
    ):
        read_bytes(seeds()[seed], "seed.tflite")
    return Places(tuple(sorted(structure - values)), tuple(sorted(values)))


def mutate(seed: int, mutations: tuple[Mutation, ...]) -> bytes:
    """A seed with mutations applied in order."""
    data = bytearray(seeds()[seed])
    for mutation in mutations:
        if data:
            _apply(data, mutation, places(seed))
    return bytes(data)


def _apply(data: bytearray, mutation: Mutation, places: Places) -> None:
    value = mutation.value
    anywhere = mutation.where % len(data)
    known = places.values if mutation.kind.startswith("value") else places.structure
    place = min(known[mutation.where % len(known)], len(data) - 1)
    match mutation.kind:
        case "truncate":
            del data[anywhere:]
        case "flip bit":
            data[anywhere] ^= 1 << value % 8
        case "set byte":
            data[place] = value % 256
        case "rewrite 32" | "value 32":
            _put(data, place, struct.pack("<I", _INTERESTING_32[value % len(_INTERESTING_32)]))
        case "rewrite 16":
            _put(data, place, struct.pack("<H", _INTERESTING[value % len(_INTERESTING)] & 0xFFFF))
        case "value 8":
            data[place] = _INTERESTING[value % len(_INTERESTING)] & 0xFF
        case "alias":
            # An offset that points to where another place is.
            _put(data, place, struct.pack("<i", known[value % len(known)] - place))
        case "splice":
            other = seeds()[value % len(seeds())]
            start = mutation.where % len(other)
            _put(data, place, other[start : start + 4 + value % 60])
        case "insert":
            data[anywhere:anywhere] = bytes(value % 16)
        case "cut":
            del data[anywhere : anywhere + value % 16]
        case kind:
            raise ValueError(f"unknown mutation {kind}")


def _put(data: bytearray, at: int, new: bytes) -> None:
    end = min(at + len(new), len(data))
    data[at:end] = new[: end - at]
