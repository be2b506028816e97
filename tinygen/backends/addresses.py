"""Where rows are, as C expressions: in the arena, in rings, in landing slots, in flash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tinygen.ir.rows import Window
from tinygen.plan.model import Area
from tinygen.schedule.program import Access, Layer, Program

_LISTED_ROWS = 4
"""Up to this many row pointers are written one by one; more are made in a loop."""


@dataclass(frozen=True)
class Places:
    """Byte offsets in the arena: of storages and landing slots by storage id, of the rest by the layer's position."""

    storages: Mapping[int, int]
    rows: Mapping[int, int]
    """Rows of each storage's tensor."""
    row_bytes: Mapping[int, int]
    """Bytes of a row of each storage."""
    slots: Mapping[int, int]
    """Rows that each storage holds at once."""
    landings: Mapping[int, int]
    settlers: Mapping[int, int]
    """The layer after whose steps a landed row is copied into its ring."""
    accumulators: Mapping[int, int]
    scratch: Mapping[int, int]
    outside: Mapping[int, str]
    """The arrays of storages that are not in the arena."""
    areas: tuple[Area, ...]
    """The parts of an arena over several memories; none when it is one array."""

    def at(self, offset: int) -> tuple[str, int]:
        """The array that a byte of the arena is in, and where in it."""
        area = next((a for a in reversed(self.areas) if offset >= a.start), None)
        return ("arena", offset) if area is None else (area_array(area), offset - area.start)

    def pointer(self, offset: int) -> str:
        """A byte of the arena as a C expression."""
        array, start = self.at(offset)
        return f"{array} + {start}"

    def named(self, offset: int) -> str:
        """A byte of the arena for a comment; the array is told where there is more than one."""
        array, start = self.at(offset)
        return f"{array} {start}" if self.areas else str(start)

    def start(self, storage: int) -> tuple[str, int]:
        """Where a storage begins: an array and an offset in it."""
        return (self.outside[storage], 0) if storage in self.outside else self.at(self.storages[storage])

    def is_ring(self, storage: int) -> bool:
        return self.slots[storage] < self.rows[storage]


def area_array(area: Area) -> str:
    """The C array of an area: `arena`, or `arena_dtcm`."""
    return "arena" if area.main else f"arena_{area.region}"


def layer_stem(prefix: str, layer: Layer) -> str:
    """The start of a layer's names, `kws_07`."""
    return f"{prefix}_{layer_number(layer)}"


def layer_number(layer: Layer) -> str:
    """The operator's index in the model file, with that of the part where it was divided: `07`, `07_1`."""
    origin = layer.op.origin
    return f"{origin.op_index or 0:02d}" + (f"_{origin.part}" if origin.part is not None else "")


def producer_stem(program: Program, prefix: str, storage: int) -> str:
    """The stem of the layer that writes a storage first."""
    return layer_stem(prefix, first_writer(program, storage))


def first_writer(program: Program, storage: int) -> Layer:
    """The layer after which the functions of a ring are named."""
    return next(layer for layer in program.layers if layer.write.storage == storage)


def output_row(program: Program, position: int, prefix: str, places: Places) -> str:
    """The row that a step of a layer writes."""
    layer = program.layers[position]
    write = layer.write
    if write.storage is None:
        raise ValueError("a layer writes to the arena")
    if places.is_ring(write.storage):
        return _ring_row(program, prefix, write, places).format("y" if layer.rows.steps > 1 else "0")
    return _row(*places.start(write.storage), write, layer.rows.steps)


def row_pointers(program: Program, position: int, prefix: str, places: Places) -> Iterator[str]:
    """Lines that define `rows`, the pointers to all the rows a step reads."""
    layer = program.layers[position]
    counts = [access.window.size if access.window else 1 for access in layer.reads]
    pointers: list[str] = []
    for i, access in enumerate(layer.reads):
        base, offset = "arena", 0
        if access.storage is None:
            base = f"(const uint8_t *){layer_stem(prefix, layer)}_operand_{i}"
        else:
            base, offset = places.start(access.storage)
        inside = access.window is not None and not _leaves(access.window, layer.rows.steps, access.rows)
        ring = access.storage is not None and places.is_ring(access.storage)
        if ring:
            row = _ring_row(program, prefix, access, places, inside=inside)
        else:
            row = f"tg_row({_sum(base, offset + access.first)}, {{0}}, {access.rows}, {access.pitch})"
        if access.window is None:
            pointers.append(_sum(base, offset + access.first))
        elif access.window.size == 1 and inside:
            plain = _row(base, offset, access, layer.rows.steps)
            pointers.append(row.format(_tap(layer, access)) if ring else plain)
        elif sum(counts) <= _LISTED_ROWS:
            taps = (k * access.window.dilation for k in range(access.window.size))
            pointers += [row.format(_tap(layer, access, str(k) if k else "")) for k in taps]
        else:
            yield from _looped(layer, row, access, counts)
    if len(pointers) == 1 and sum(counts) == 1:
        yield f"const void *const rows[1] = {{{pointers[0]}}};"
    elif len(pointers) == sum(counts):
        yield f"const void *const rows[{len(pointers)}] = {{"
        for pointer in pointers:
            yield f"    {pointer},"
        yield "};"


def _ring_row(program: Program, prefix: str, access: Access, places: Places, *, inside: bool = True) -> str:
    """A row in a ring, for str.format with its number; NULL outside the tensor unless it is always `inside`."""
    if access.storage is None:
        raise ValueError("constants are in no ring")
    function = f"{producer_stem(program, prefix, access.storage)}_row"
    row_bytes = places.row_bytes[access.storage]
    first, before = divmod(access.first, row_bytes)
    if (access.first, access.pitch) == (0, row_bytes) and places.rows[access.storage] == access.rows:
        return f"{function}({{0}})"
    number = f"({{0}}) * {access.pitch // row_bytes}" if access.rows > 1 and access.pitch != row_bytes else "{0}"
    row = f"{function}({_sum(number, first)})"
    if before:
        row = f"(uint8_t *){row} + {before}"
    return row if inside else f"{{0}} < 0 || {{0}} >= {access.rows} ? NULL : {row}"


def _looped(layer: Layer, row: str, access: Access, counts: list[int]) -> Iterator[str]:
    if access.window is None or len(counts) > 1:
        raise ValueError(f"{layer.op.kind}: windows over several inputs are limited to {_LISTED_ROWS} rows in all")
    yield f"const void *rows[{access.window.size}];"
    yield f"for (int32_t k = 0; k < {access.window.size}; k++) {{"
    step = "k" if access.window.dilation == 1 else f"k * {access.window.dilation}"
    yield f"    rows[k] = {row.format(_tap(layer, access, step))};"
    yield "}"


def _tap(layer: Layer, access: Access, tap: str = "") -> str:
    """The index of the row that a window's tap reads."""
    if access.window is None:
        raise ValueError("only windows have taps")
    y, pad = scaled(access.window) if layer.rows.steps > 1 else "", access.window.pad
    if pad > 0:
        first = f"{y} - {pad}" if y else f"-{pad}"
    else:
        first = " + ".join(part for part in (y, str(-pad) if pad else "") if part)
    return " + ".join(part for part in (first, tap) if part) or "0"


def _row(base: str, offset: int, access: Access, steps: int) -> str:
    """The only row a step touches, which is inside the tensor, of an ordinary buffer."""
    if access.window is None:
        return _sum(base, offset + access.first)
    start = offset + access.first - access.window.pad * access.pitch
    y = scaled(access.window) if steps > 1 else ""
    return f"{_sum(base, start)} + {y} * {access.pitch}" if y else _sum(base, start)


def scaled(window: Window) -> str:
    """`y` times a window's stride, divided where steps share windows."""
    text = {0: "", 1: "y"}.get(window.stride, f"y * {window.stride}")
    return f"{text} / {window.repeat}" if window.repeat > 1 and text else text


def _sum(base: str, offset: int) -> str:
    return f"{base} + {offset}" if offset > 0 else base if offset == 0 else f"{base} - {-offset}"


def _leaves(window: Window, steps: int, rows: int) -> bool:
    """A step's window reaches outside the tensor."""
    reach = (window.size - 1) * window.dilation
    return window.first(0) < 0 or window.first(steps - 1) + reach >= rows
