"""Interleaved segments as C: each layer pulls the rows it reads, in the order that schedule.pull found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinygen.backends.addresses import Places, first_writer, layer_number, layer_stem, producer_stem, scaled
from tinygen.backends.layers import LayerText
from tinygen.schedule.program import Access, Layer, Program
from tinygen.schedule.pull import Puller
from tinygen.schedule.reach import Reach
from tinygen.schedule.steps import Schedule, Segment


@dataclass(frozen=True)
class RingText:
    """The accessor of a storage that is a ring, named after the layer that writes it."""

    stem: str
    index: int
    rows: int
    row_bytes: int
    slots: int
    start: str
    landing: str | None


@dataclass(frozen=True)
class PullText:
    """The function that brings a layer of an interleaved segment to a given row."""

    stem: str
    index: int
    stepped: bool
    """The layer has more than one step."""
    pulls: tuple[str, ...]
    """Calls that bring the rows read."""
    call: str
    lands: bool
    asked: bool
    """Its rows land when the last of the layers that write over them has been asked for no more."""
    asks: str | None
    """The stem of the layer to which it says so."""
    settles: tuple[str, ...]
    """Stems of the layers whose newest row has been read once the step is done."""


@dataclass(frozen=True)
class SegmentText:
    """The function that runs an interleaved segment."""

    symbol: str
    title: str
    resets: tuple[str, ...]
    calls: tuple[str, ...]


def ring_text(program: Program, position: int, prefix: str, places: Places) -> RingText | None:
    """The ring that a layer is the first to write; None when there is none."""
    layer = program.layers[position]
    storage = layer.write.storage
    if storage is None or not places.is_ring(storage) or first_writer(program, storage) is not layer:
        return None
    return RingText(
        stem=layer_stem(prefix, layer),
        index=layer.op.origin.op_index or 0,
        rows=places.rows[storage],
        row_bytes=places.row_bytes[storage],
        slots=places.slots[storage],
        start=places.pointer(places.storages[storage]),
        landing=places.pointer(places.landings[storage]) if storage in places.landings else None,
    )


def pull_text(program: Program, position: int, prefix: str, places: Places, puller: Puller, start: int) -> PullText:
    """The pull function of a layer in the segment that starts at layer `start`."""
    layer = program.layers[position]
    index = layer.op.origin.op_index or 0
    pulls, settles = [], []
    for read in puller.reads(position):
        producers = [producer for producer in puller.producers(read) if producer >= start]
        for producer in producers:
            pulled = layer_stem(prefix, program.layers[producer])
            call = f"{pulled}_rows({_end(program, position, read, producer, puller)});"
            if call not in pulls:
                pulls.append(call)
        if not producers:
            continue
        stem = producer_stem(program, prefix, read.storage.id)
        if places.settlers.get(read.storage.id) == position and stem not in settles:
            settles.append(stem)
    landing = layer.write.storage if layer.write.storage in places.landings else None
    writers = puller.writers(landing) if landing is not None else []
    last = layer.in_place and writers[-1:] == [position]
    stepped = layer.rows.steps > 1
    rows = "y, y + 1" if stepped else ""
    symbol = f"{layer_stem(prefix, layer)}_{layer.op.kind.lower()}"
    return PullText(
        stem=layer_stem(prefix, layer),
        index=index,
        stepped=stepped,
        pulls=tuple(pulls),
        call=f"RUN({index}, {symbol}({rows}));",
        lands=_lands(layer, places),
        asked=writers[:1] == [position] and len(writers) > 1,
        asks=layer_stem(prefix, program.layers[writers[0]]) if last else None,
        settles=tuple(settles),
    )


def segment_text(program: Program, segment: Segment, prefix: str, places: Places, puller: Puller) -> SegmentText:
    stems = [layer_stem(prefix, program.layers[i]) for i in range(segment.first, segment.end)]
    landing = [
        stem
        for stem, i in zip(stems, range(segment.first, segment.end), strict=True)
        if _lands(program.layers[i], places)
    ]
    calls = []
    for sink in puller.sinks(range(segment.first, segment.end)):
        layer = program.layers[sink]
        calls.append(f"{layer_stem(prefix, layer)}_rows({layer.rows.steps});")
    ends = [program.layers[i] for i in (segment.first, segment.end - 1)]
    return SegmentText(
        symbol=f"{prefix}_layers_{'_to_'.join(map(layer_number, ends))}",
        title=f"{_layers(segment, program)}, interleaved: each row is computed just before it is needed, and once.",
        resets=(*(f"{stem}_done = 0;" for stem in stems), *(f"{stem}_landed = -1;" for stem in landing)),
        calls=tuple(calls),
    )


def _layers(segment: Segment, program: Program) -> str:
    """`Layers 2 to 7`, or all of their numbers where the order is not the model's."""
    numbers = [layer.op.origin.op_index or 0 for layer in program.layers]
    inside = numbers[segment.first : segment.end]
    between = sorted(n for n in numbers if inside[0] <= n <= inside[-1])
    if inside == between:
        return f"Layers {inside[0]} to {inside[-1]}"
    return f"Layers {', '.join(map(str, inside[:-1]))} and {inside[-1]}"


def invoke_lines(program: Program, schedule: Schedule, layers: list[LayerText], segments: list[str]) -> Iterator[str]:
    """The calls of one inference; `segments` are the symbols of the interleaved ones, in order."""
    symbols = iter(segments)
    for segment in schedule.segments:
        if segment.interleaved:
            yield f"{next(symbols)}();"
        else:
            layer, text = program.layers[segment.first], layers[segment.first]
            rows = f"0, {layer.rows.steps}" if text.looped else ""
            yield f"RUN({layer.op.origin.op_index}, {text.symbol}({rows}));"


def _lands(layer: Layer, places: Places) -> bool:
    """A layer's newest row is the one in the landing slot."""
    return layer.write.storage in places.landings and not layer.in_place


def _end(program: Program, position: int, read: Reach, producer: int, puller: Puller) -> str:
    """How many steps of the producer must be done before step y of a layer; the twin of Puller.needed."""
    write, steps = puller.write(producer), program.layers[position].rows.steps
    # No step needs less than the one before.
    first, last = (puller.steps_for(producer, read.shape.end(step)) for step in (0, steps - 1))
    if first == last:
        return str(first)
    end = _last(read.access, steps)
    size = read.storage.row_bytes
    scale, per_step = read.access.pitch // size, write.access.pitch // size
    # Storage rows beyond `end` rows of what is read, less those before what the producer writes.
    beyond = -(-(read.access.first % size + read.access.span) // size) - scale
    beyond += read.access.first // size - write.access.first // size
    if write.access.window is None:
        return f"{_affine(end, scale, beyond)} > 0 ? {last} : 0"
    text = _affine(end, scale, beyond + per_step - 1)
    if per_step != 1:
        text = f"({text}) / {per_step}"
    before, rows = write.access.first // size, write.access.rows * per_step
    if before <= read.shape.end(0) and read.shape.end(steps - 1) <= before + rows:
        return text
    return f"tg_clamp({text}, 0, {write.access.rows})"


def _affine(text: str, scale: int, offset: int) -> str:
    """`text * scale + offset`, without what changes nothing."""
    if scale != 1:
        text = f"({text}) * {scale}"
    return f"{text} {'+' if offset > 0 else '-'} {abs(offset)}" if offset else text


def _last(access: Access, steps: int) -> str:
    """One past the last row that step y reads, clamped where it leaves the tensor."""
    window = access.window
    if window is None:
        raise ValueError("only windows move")
    beyond = (window.size - 1) * window.dilation + 1 - window.pad
    parts = [part for part in (scaled(window), str(abs(beyond)) if beyond else "") if part]
    text = f" {'+' if beyond > 0 else '-'} ".join(parts) or "0"
    if beyond >= 0 and (steps - 1) * window.stride // window.repeat + beyond <= access.rows:
        return text
    return f"tg_clamp({text}, 0, {access.rows})"
