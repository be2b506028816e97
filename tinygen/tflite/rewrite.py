"""Adds metadata to a model file without touching a byte of it: a new root table before the old contents.

    | root offset, TFL3 | new root table | new lists | new buffer | padding | the old file as it was |

References in a flatbuffer point forward, so a new root in front can take over every table of the old one, and only the
root and the lists of buffers and metadata are written anew. The old file moves by a multiple of its alignment.
"""

from __future__ import annotations

import struct

from tinygen.errors import Origin
from tinygen.tflite.flatbuffer import Flatbuffer, Table

_ALIGNMENT = 16
"""The largest that the schema asks for: of the data of buffers."""

# Slots of schema.fbs: the order of declaration in tables Model, SubGraph and Metadata.
_BUFFERS, _METADATA, _SLOTS = 4, 6, 8
_SUBGRAPHS, _TENSORS = 2, 0
_NAME = 0


def tensor_count(data: bytes) -> int:
    """The number of tensors in the first subgraph of a model that has been read already."""
    subgraphs = Flatbuffer(data, Origin("the model")).root("the model").tables(_SUBGRAPHS, "subgraph")
    tensors = subgraphs[0].vector(_TENSORS, 4, "the list of tensors")
    return 0 if tensors is None else tensors.length


def with_metadata(data: bytes, name: str, content: bytes) -> bytes:
    """The model with a metadata entry of this name, in place of any it has, whose buffer holds `content`.

    `data` has passed `read_bytes`. Its old contents are the end of the result, byte for byte.
    """
    root = Flatbuffer(data, Origin("the model")).root("the model")
    buffers, metadata = root.tables(_BUFFERS, "buffer"), root.tables(_METADATA, "metadata")
    kept = [table for table in metadata if table.string(_NAME, "a metadata's name") != name]
    writer = _Writer()
    table = writer.root(_SLOTS)
    new = len(buffers)
    listed = writer.references(len(buffers) + 1)
    described = writer.references(len(kept) + 1)
    for reference, target in ((table[_BUFFERS], listed[0] - 4), (table[_METADATA], described[0] - 4)):
        writer.point(reference, target)
    entry, entry_fields = writer.table((4, 4))
    writer.point(described[-1], entry)
    writer.put(entry_fields[1], new)
    writer.point(entry_fields[0], writer.text(name))
    buffer, buffer_fields = writer.table((4,))
    writer.point(listed[-1], buffer)
    writer.point(buffer_fields[0], writer.blob(content))
    base = writer.align(_ALIGNMENT)
    writer.put(table[0], root.integer(0, "I"))
    for slot in range(1, _SLOTS):
        if slot not in (_BUFFERS, _METADATA):
            _adopt(writer, root, slot, table[slot], base)
    for reference, old in (*zip(listed, buffers, strict=False), *zip(described, kept, strict=False)):
        writer.point(reference, base + old.position)
    return writer.data(data)


def _adopt(writer: _Writer, root: Table, slot: int, reference: int, base: int) -> None:
    """A field of the new root gets what the old one's refers to; an absent one is taken out of the vtable."""
    target = root.target(slot)
    if target is None:
        writer.drop(slot)
    else:
        writer.point(reference, base + target)


class _Writer:
    """Bytes that grow at the end, with references filled in once their targets are known."""

    _VTABLE = 8
    """Where the root's vtable is: after the offset of the root and the identifier."""

    def __init__(self) -> None:
        self._bytes = bytearray(4) + b"TFL3"

    def root(self, slots: int) -> list[int]:
        """The root table with `slots` fields of four bytes; positions of its fields."""
        _, fields = self.table((4,) * slots)
        self.put(0, fields[0] - 4)
        return fields

    def table(self, widths: tuple[int, ...]) -> tuple[int, list[int]]:
        """A vtable and a table with fields of four bytes each; the table's position and those of its fields."""
        size = 4 + 4 * len(widths)
        self.align(4)
        vtable = len(self._bytes)
        self._bytes += struct.pack(f"<HH{len(widths)}H", 4 + 2 * len(widths), size, *range(4, size, 4))
        start = self.align(4)
        self._bytes += struct.pack("<i", start - vtable) + bytes(4 * len(widths))
        return start, [start + 4 + 4 * i for i in range(len(widths))]

    def drop(self, slot: int) -> None:
        """Takes a field out of the root's vtable."""
        struct.pack_into("<H", self._bytes, self._VTABLE + 4 + 2 * slot, 0)

    def references(self, count: int) -> list[int]:
        """A vector of references; their positions."""
        start = self.align(4) + 4
        self._bytes += struct.pack("<I", count) + bytes(4 * count)
        return [start + 4 * i for i in range(count)]

    def text(self, text: str) -> int:
        """A string; its position."""
        start = self.align(4)
        encoded = text.encode()
        self._bytes += struct.pack("<I", len(encoded)) + encoded + b"\0"
        return start

    def blob(self, content: bytes) -> int:
        """A vector of bytes whose first is aligned as a buffer's has to be; its position."""
        while (len(self._bytes) + 4) % _ALIGNMENT:
            self._bytes += b"\0"
        start = len(self._bytes)
        self._bytes += struct.pack("<I", len(content)) + content
        return start

    def put(self, at: int, value: int) -> None:
        """An unsigned number of four bytes."""
        struct.pack_into("<I", self._bytes, at, value)

    def point(self, at: int, target: int) -> None:
        """Makes the reference at a position refer to a later one."""
        self.put(at, target - at)

    def align(self, width: int) -> int:
        """Fills up to a multiple of `width`; the position then."""
        self._bytes += bytes(-len(self._bytes) % width)
        return len(self._bytes)

    def data(self, rest: bytes) -> bytes:
        """Everything, and `rest` behind it."""
        return bytes(self._bytes) + rest
