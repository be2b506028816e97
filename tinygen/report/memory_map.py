"""The memory map as SVG: address upwards, time to the right, one colour per tensor, the peak and the bound marked.

address
  |############------------  bound
  |##AAAA##BBBBBBB
  |##AAAA##BBBBBBB##CCCC
  +------------------------ time
   layers

Each memory has a plot of its own, the lowest address at the bottom, at one scale of bytes and one of time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from tinygen.plan.live import life, live_bytes, live_stretches, step_count
from tinygen.plan.model import Buffer, Plan
from tinygen.report.bands import Band, bands
from tinygen.report.timeline import Timeline

COLOURS = (
    "#7fa8d1", "#e3a57a", "#8dbf8f", "#d58f97", "#b2a1d6", "#d3bd62",
    "#6fb5b5", "#d9a3c9", "#a9b665", "#9fb0c8", "#c9a183", "#83c3d6",
)  # fmt: skip
"""Told apart on paper, on white and on black, with dark text on them."""
WORKING_COLOUR = "#b4b8be"
"""Of what is no tensor: scratch and accumulators."""
WORKING = ("scratch", "accumulator")
LANDING = " (landing)"
"""How the names of landing slots end: they have the colour of their ring, hatched."""

_LEFT, _RIGHT, _TOP, _FOOT, _AXIS = 64, 12, 36, 52, 16
"""Pixels around the plot, and the height of the strip that names the layers."""
_HEAD, _LOWEST, _BETWEEN = 24, 40, 10
"""Pixels for the headline above several plots, their least height, and what is between them."""
_NARROW = 640
"""Pixels below which headlines are short."""

STYLE = """
.map{font:11px system-ui,sans-serif;--ink:#23272e;--soft:#6a717b;--rule:#dfe2e6;--mark:#b3261e;--strip:#eceef1}
@media (prefers-color-scheme:dark){.map{--ink:#e4e7eb;--soft:#9aa2ad;--rule:#363c45;--mark:#ff8a80;--strip:#2b3038}}
@media print{.map{--ink:#000;--soft:#444;--rule:#ccc;--mark:#b3261e;--strip:#eee}}
.map text{fill:var(--ink)}.map .soft{fill:var(--soft)}.map .head{font-weight:600}
.map .name{fill:#1c1f24;pointer-events:none;paint-order:stroke;stroke-width:3;stroke-linejoin:round}
.map .rule{stroke:var(--rule)}.map .bound{stroke:var(--mark);stroke-width:1.5;stroke-dasharray:6 3}
.map .mark{fill:var(--mark)}.map .peak{stroke:var(--mark);pointer-events:none}.map .step{fill:transparent}
.map .strip{fill:var(--strip)}.map .hatch{pointer-events:none;shape-rendering:crispEdges}
.map .buffer{shape-rendering:crispEdges;stroke:#23272e;stroke-opacity:.45}.map .buffer:hover{stroke-opacity:1}
"""


@dataclass(frozen=True)
class _Axes:
    """From steps and bytes to pixels; all coordinates are whole pixels so that neighbours meet exactly."""

    width: int
    height: int
    steps: int
    top_byte: int

    def x(self, step: float) -> int:
        return _LEFT + round(step * (self.width - _LEFT - _RIGHT) / self.steps)

    def y(self, byte: float) -> int:
        return _TOP + round(self.height * (1 - byte / self.top_byte))

    @property
    def right(self) -> int:
        return self.width - _RIGHT

    @property
    def bottom(self) -> int:
        return _TOP + self.height


@dataclass(frozen=True)
class _Column:
    """Steps [lower, upper) that are one to hover over, what they are called, and the bytes alive in each."""

    lower: int
    upper: int
    name: str
    live: int


def colours(plan: Plan) -> tuple[str, ...]:
    """A colour for each buffer, so that tensors alive one after the other differ; a landing slot has its ring's."""
    by_birth = sorted(range(len(plan.buffers)), key=lambda i: (life(plan.buffers[i])[0], i))
    names = dict.fromkeys(_owner(plan.buffers[i]) for i in by_birth if plan.buffers[i].kind not in WORKING)
    chosen = {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(names)}
    return tuple(WORKING_COLOUR if b.kind in WORKING else chosen[_owner(b)] for b in plan.buffers)


def svg(plan: Plan, when: Timeline | None = None, *, width: int = 960, height: int = 320) -> str:
    """One self-contained SVG element of `width` pixels whose plot is `height` pixels high.

    `when` names the steps of the schedule for hovering and the layers below the plot; without it steps are numbered,
    and those between two changes are one to hover over.
    """
    total = drawn_height(plan, height)
    count = step_count(plan) if when is None else len(when.steps)
    label = f"Memory map: {plan.arena_bytes:,} bytes over {count} steps, lower bound {plan.lower_bound:,} bytes"
    return (
        opening(width, total, label)
        + "\n".join(drawing(plan, when, hatch(width), width=width, height=height))
        + "\n</svg>\n"
    )


def live_by_step(plan: Plan, when: Timeline | None) -> tuple[int, ...]:
    """Bytes alive in each step; the last steps of a schedule may touch nothing in the arena."""
    live = live_bytes(plan)
    if when is None:
        return live
    if len(when.steps) < len(live):
        raise ValueError(f"{len(when.steps)} names for {len(live)} steps")
    return live + (0,) * (len(when.steps) - len(live))


def opening(width: int, height: int, label: str) -> str:
    """The start of an SVG element with everything that `drawing` refers to."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-label="{escape(label)}"><style>{STYLE}</style>'
        f'<pattern id="{hatch(width)}" width="5" height="5" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)">'
        '<path d="M0 0V5" stroke="#23272e" stroke-opacity=".6" stroke-width="2"/></pattern>\n'
    )


def hatch(width: int) -> str:
    """The id of the hatch in an element of that width: in a page with several, a hidden one's would not be painted."""
    return f"hatch{width}"


def drawing(
    plan: Plan, when: Timeline | None, pattern: str, *, width: int, height: int, top_byte: int = 0, title: str = ""
) -> list[str]:
    """The parts of a map at the origin of an element that `opening` began and that has the hatch `pattern`.

    The address axis of a plan in one memory reaches up to `top_byte` if that is above the plan; those of several
    memories are together as high.
    """
    count = step_count(plan) if when is None else len(when.steps)
    if not any(live for *_, live in live_stretches(plan)):
        return [f'<text class="head" x="{_LEFT}" y="14">{escape(title)} nothing in the arena</text>']
    fills = colours(plan)
    parts = [] if not plan.areas else [_headline(width, plan, title)]
    for band, top, tall in _stacked(plan, height, top_byte):
        least = 1 if plan.areas else top_byte
        axes = _Axes(width, tall, count, max(band.plan.arena_bytes, band.plan.lower_bound, least, 1))
        here = [fills[i] for i in band.members]
        head = _band_headline(width, band) if plan.areas else _headline(width, plan, title)
        plot = [*_plot(axes, band, when, here, pattern), head]
        if band.members == bands(plan)[0].members:
            plot += _layer_strip(axes, when) if when is not None else _step_numbers(axes)
            plot += _legend(axes, plan, pattern)
        parts += [f'<g transform="translate(0 {top})">', *plot, "</g>"] if top else plot
    return parts


def drawn_height(plan: Plan, height: int, top_byte: int = 0) -> int:
    """Pixels of a drawing whose plots are together `height` pixels high."""
    *_, (_, top, tall) = _stacked(plan, height, top_byte)
    return top + _TOP + tall + _FOOT


def _stacked(plan: Plan, height: int, top_byte: int) -> Iterator[tuple[Band, int, int]]:
    """The plots from the top to the bottom: where each begins, and how high it is."""
    found = bands(plan)
    if not plan.areas:
        yield found[0], 0, height
        return
    total = max(sum(band.plan.arena_bytes for band in found), top_byte)
    top = _HEAD
    for band in reversed(found):
        tall = max(_LOWEST, round(height * band.plan.arena_bytes / total))
        yield band, top, tall
        top += _TOP + tall + _BETWEEN


def _plot(axes: _Axes, band: Band, when: Timeline | None, fills: Sequence[str], pattern: str) -> Iterator[str]:
    """What is in one memory."""
    plan = band.plan
    columns = _columns(plan, when)
    peak = max(columns, key=lambda column: column.live)
    where = f" of {band.memory}" if band.memory else ""
    yield from _address_axis(axes)
    yield from _column_boxes(axes, columns, peak)
    labels = []
    for buffer, base, fill in zip(plan.buffers, plan.offsets, fills, strict=True):
        boxes = [
            (axes.x(r.lower), axes.y(base + r.stop), axes.x(r.upper), axes.y(base + r.start)) for r in buffer.rects
        ]
        yield _shape(buffer, f"{base:,}{where}", fill, boxes, pattern)
        labels.append(_name_inside(buffer, fill, boxes))
    yield from _marks(axes, plan, peak)
    yield from filter(None, labels)


def _address_axis(axes: _Axes) -> list[str]:
    unit, suffix = (1024, " KiB") if axes.top_byte >= 8192 else (1, "")
    lines = max(2, axes.height // 36)
    pace = next(p for p in (unit * (1 << n) for n in range(40)) if axes.top_byte / p <= lines)
    parts = []
    for byte in range(0, axes.top_byte + 1, pace):
        y = axes.y(byte)
        parts.append(f'<line class="rule" x1="{_LEFT - 4}" x2="{axes.right}" y1="{y}" y2="{y}"/>')
        text = f"{byte // unit:,}{suffix if byte else ''}"
        parts.append(f'<text class="soft" x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{text}</text>')
    return parts


def _columns(plan: Plan, when: Timeline | None) -> tuple[_Column, ...]:
    if when is not None:
        named = zip(when.steps, live_by_step(plan, when), strict=True)
        return tuple(_Column(i, i + 1, f"step {i}, {name}", live) for i, (name, live) in enumerate(named))
    return tuple(_Column(lower, upper, _steps(lower, upper), live) for lower, upper, live in live_stretches(plan))


def _column_boxes(axes: _Axes, columns: Sequence[_Column], peak: _Column) -> list[str]:
    parts = []
    for column in columns:
        x, w = axes.x(column.lower), axes.x(column.upper) - axes.x(column.lower)
        title = f"{escape(column.name)}: {column.live:,} bytes alive{' (the most)' if column is peak else ''}"
        box = f'x="{x}" y="{_TOP - 8}" width="{w}" height="{axes.height + 8}"'
        parts.append(f'<rect class="step" {box}><title>{title}</title></rect>')
    return parts


def _steps(lower: int, upper: int) -> str:
    return f"step {lower}" if upper == lower + 1 else f"steps {lower} to {upper - 1}"


def _shape(buffer: Buffer, place: str, fill: str, boxes: Sequence[tuple[int, int, int, int]], pattern: str) -> str:
    path = "".join(f"M{x0} {y0}H{x1}V{y1}H{x0}z" for x0, y0, x1, y1 in boxes)
    # An outline thicker than a tenth of the boxes would hide them: rings of thin rows are drawn without.
    outline = 1 if all(x1 - x0 > 9 and y1 - y0 > 9 for x0, y0, x1, y1 in boxes) or len(boxes) == 1 else 0
    title = f"{buffer.name} ({buffer.kind}): {buffer.size:,} bytes at {place}, {_steps(*life(buffer))}"
    drawn = (
        f'<path class="buffer" fill="{fill}" stroke-width="{outline}" d="{path}"><title>{escape(title)}</title></path>'
    )
    return drawn + (f'<path class="hatch" fill="url(#{pattern})" d="{path}"/>' if _lands(buffer) else "")


def _name_inside(buffer: Buffer, fill: str, boxes: Sequence[tuple[int, int, int, int]]) -> str:
    """Name and bytes around the centre of gravity, or else inside the largest box; nothing where they do not fit."""
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes]
    total = sum(areas)
    if not total or _lands(buffer):
        return ""
    x = sum(a * (x0 + x1) for a, (x0, _, x1, _) in zip(areas, boxes, strict=True)) // (2 * total)
    y = sum(a * (y0 + y1) for a, (_, y0, _, y1) in zip(areas, boxes, strict=True)) // (2 * total)
    x0, y0, x1, y1 = boxes[areas.index(max(areas))]
    return _name_at(buffer, fill, boxes, x, y) or _name_at(buffer, fill, boxes, (x0 + x1) // 2, (y0 + y1) // 2)


def _name_at(buffer: Buffer, fill: str, boxes: Sequence[tuple[int, int, int, int]], x: int, y: int) -> str:
    """Name and bytes centred on a point, upright where that has more room."""
    wide = _room([(x0, x1) for x0, y0, x1, y1 in boxes if y0 <= y < y1], x)
    high = _room([(y0, y1) for x0, y0, x1, y1 in boxes if x0 <= x < x1], y)
    name, size = short_name(buffer.name), f"{buffer.size:,} B"
    upright = wide < min(high, _text_width(name))
    along, across = (high, wide) if upright else (wide, high)
    fitting = [text for text in (name, name.partition("/")[0]) if text and _text_width(text) <= along - 6]
    if across < 12 or not fitting:
        return ""
    lines = [fitting[0]]
    if across >= 30 and _text_width(size) <= along - 6:
        lines.append(size)
    first = y + 4 - 7 * (len(lines) - 1)
    turn = f' transform="rotate(-90 {x} {y})"' if upright else ""
    spans = "".join(f'<tspan x="{x}" y="{first + 14 * n}">{escape(line)}</tspan>' for n, line in enumerate(lines))
    return f'<text class="name" stroke="{fill}" text-anchor="middle"{turn}>{spans}</text>'


def _room(spans: Sequence[tuple[int, int]], middle: int) -> int:
    """Pixels that a text centred at `middle` has in the spans that touch each other around it."""
    low = high = middle
    for start, stop in sorted(spans):
        high = max(high, stop) if start <= high else high
    for start, stop in sorted(spans, reverse=True):
        low = min(low, start) if stop >= low else low
    return 2 * min(middle - low, high - middle)


def _text_width(text: str) -> float:
    """Of 11-pixel text, on the safe side for the usual sans-serif faces."""
    return 6.2 * len(text)


def _marks(axes: _Axes, plan: Plan, at: _Column) -> list[str]:
    x, y = (axes.x(at.lower) + axes.x(at.upper)) // 2, axes.y(plan.lower_bound)
    title = f"lower bound {plan.lower_bound:,} bytes; the arena has {plan.arena_bytes:,} ({plan.proof})"
    top = axes.y(max(plan.arena_bytes, plan.lower_bound)) - 2
    return [
        f'<line class="bound" x1="{_LEFT}" x2="{axes.right}" y1="{y}" y2="{y}"><title>{title}</title></line>',
        f'<line class="peak" x1="{x}" x2="{x}" y1="{top}" y2="{axes.bottom}"/>',
        f'<path class="mark" d="M{x - 5} {top - 7}h10l-5 7z"/>',
    ]


def _headline(width: int, plan: Plan, title: str) -> str:
    most = max(live for *_, live in live_stretches(plan))
    full = width >= _NARROW
    arena = f"arena {plan.arena_bytes:,} bytes" + (f" ({plan.proof})" if full else "")
    peak = f"\u25be peak {most:,}" + (" bytes alive" if full else "")
    bound = f"\u2504 lower bound {plan.lower_bound:,}" if full else f"\u2504 bound {plan.lower_bound:,}"
    head = f"{title}: {arena}" if title else arena
    return _heading(head, peak, bound)


def _band_headline(width: int, band: Band) -> str:
    """Of one of several memories, whose peaks are marked one by one."""
    most = max(live for *_, live in live_stretches(band.plan))
    if width < _NARROW:
        return _heading(f"{band.memory}: {band.plan.arena_bytes:,} bytes", f"\u25be peak {most:,}")
    return _heading(f"{band.title}: {band.plan.arena_bytes:,} bytes", f"\u25be peak {most:,} bytes alive")


def _heading(head: str, *marks: str) -> str:
    return (
        f'<text x="{_LEFT}" y="14"><tspan class="head">{escape(head)}</tspan>'
        + "".join(f'<tspan class="mark" dx="14">{mark}</tspan>' for mark in marks)
        + "</text>"
    )


def _layer_strip(axes: _Axes, when: Timeline) -> list[str]:
    """Which layers are computed, below the time at which they are."""
    top = axes.bottom + 8
    parts = [f'<text class="soft" x="{_LEFT - 8}" y="{top + 12}" text-anchor="end">layers</text>']
    for stretch in when.stretches:
        x0, x1 = axes.x(stretch.start), axes.x(stretch.end)
        steps = stretch.end - stretch.start
        title = f"{stretch.labels[0]}: {steps} step{'s' if steps > 1 else ''}"
        box = f'x="{x0}" y="{top}" width="{max(x1 - x0 - 1, 1)}" height="{_AXIS}"'
        parts.append(f'<rect class="strip" {box}><title>{escape(title)}</title></rect>')
        text = next((text for text in stretch.labels if _text_width(text) <= x1 - x0 - 2), None)
        if text is not None:
            style = f'x="{(x0 + x1) // 2}" y="{top + 12}" text-anchor="middle" pointer-events="none"'
            parts.append(f"<text {style}>{escape(text)}</text>")
    return [*parts, _time_caption(axes)]


def _step_numbers(axes: _Axes) -> list[str]:
    fitting = max(1, (axes.right - _LEFT) // max(28, round(_text_width(str(axes.steps))) + 8))
    pace = next(p * 10**n for n in range(13) for p in (1, 2, 5) if axes.steps / (p * 10**n) <= fitting)
    y = axes.bottom + 20
    parts = [
        f'<text class="soft" x="{(axes.x(s) + axes.x(s + 1)) // 2}" y="{y}" text-anchor="middle">{s}</text>'
        for s in range(0, axes.steps, pace)
    ]
    return [*parts, _time_caption(axes)]


def _time_caption(axes: _Axes) -> str:
    text = f"time, {axes.steps:,} step{'s' if axes.steps > 1 else ''} \u2192"
    return f'<text class="soft" x="{axes.right}" y="{axes.bottom + 42}" text-anchor="end">{text}</text>'


def _legend(axes: _Axes, plan: Plan, pattern: str) -> list[str]:
    """What colours do not say: only the kinds that there are."""
    kinds = {b.kind for b in plan.buffers}
    entries = [("landing slot", f"url(#{pattern})")] if any(map(_lands, plan.buffers)) else []
    entries += [("scratch and accumulators", WORKING_COLOUR)] if kinds & set(WORKING) else []
    parts, x, y = [], _LEFT, axes.bottom + 42
    for text, fill in entries:
        if x + 14 + _text_width(text) > axes.right - 110:
            break
        if fill != WORKING_COLOUR:
            parts.append(f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{COLOURS[0]}"/>')
        parts.append(f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{fill}"/>')
        parts.append(f'<text class="soft" x="{x + 14}" y="{y}">{text}</text>')
        x += 30 + round(_text_width(text))
    return parts


def short_name(name: str) -> str:
    """The telling end of a tensor's name: `conv1/Relu` of `model/conv1/Relu;model/bn/FusedBatchNorm`."""
    return "/".join(name.split(";")[0].rstrip("/").split("/")[-2:])


def kind_shown(name: str, kind: str) -> str:
    """A buffer's kind for people: a landing slot is no activation to them."""
    return "landing slot" if name.endswith(LANDING) else kind


def _lands(buffer: Buffer) -> bool:
    return buffer.name.endswith(LANDING)


def _owner(buffer: Buffer) -> str:
    return buffer.name.removesuffix(LANDING)
