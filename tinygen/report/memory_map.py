"""The memory map as SVG: address upwards, time to the right, one colour per tensor, the peak and the bound marked.

address
  |############------------  bound
  |##AAAA##BBBBBBB
  |##AAAA##BBBBBBB##CCCC
  +------------------------ steps
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tinygen.plan.live import life, live_bytes, step_count
from tinygen.plan.model import Buffer, Plan
from tinygen.source_tree import SourceTree

COLOURS = (
    "#7fa8d1", "#e3a57a", "#8dbf8f", "#d58f97", "#b2a1d6", "#d3bd62",
    "#6fb5b5", "#d9a3c9", "#a9b665", "#9fb0c8", "#c9a183", "#83c3d6",
)  # fmt: skip
"""Told apart on paper, on white and on black, with dark text on them."""
WORKING_COLOUR = "#b4b8be"
"""Of what is no tensor: scratch and accumulators."""
WORKING = ("scratch", "accumulator")

_LEFT, _RIGHT, _TOP, _STYLE = (
    64,
    12,
    30,
    """
.map{font:11px system-ui,sans-serif;--ink:#23272e;--soft:#747b85;--rule:#dfe2e6;--mark:#b3261e;--band:#b3261e14}
@media (prefers-color-scheme:dark){.map{--ink:#e4e7eb;--soft:#9aa2ad;--rule:#363c45;--mark:#ff8a80;--band:#ff8a8022}}
@media print{.map{--ink:#000;--soft:#444;--rule:#ccc;--mark:#b3261e;--band:#b3261e14}}
.map text{fill:var(--ink)}.map .soft{fill:var(--soft)}.map .name{fill:#1c1f24;pointer-events:none}
.map .rule{stroke:var(--rule)}.map .bound{stroke:var(--mark);stroke-width:1.5;stroke-dasharray:6 3}
.map .mark{fill:var(--mark)}.map .band{fill:var(--band)}.map .step{fill:transparent}
.map .buffer{shape-rendering:crispEdges;stroke:#23272e;stroke-opacity:.45}.map .buffer:hover{stroke-opacity:1}
""",
)


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


def colours(plan: Plan) -> tuple[str, ...]:
    """A colour for each buffer, so that tensors alive one after the other differ."""
    by_birth = sorted(range(len(plan.buffers)), key=lambda i: (life(plan.buffers[i])[0], i))
    tensors = [i for i in by_birth if plan.buffers[i].kind not in WORKING]
    chosen = {i: COLOURS[n % len(COLOURS)] for n, i in enumerate(tensors)}
    return tuple(chosen.get(i, WORKING_COLOUR) for i in range(len(plan.buffers)))


def svg(plan: Plan, steps: Sequence[str] = (), *, width: int = 960, height: int = 320) -> str:
    """One self-contained SVG element of `width` pixels whose plot is `height` pixels high.

    `steps` names the steps of the schedule for hovering and, where there is room, below the plot; when absent they
    are numbered.
    """
    count = step_count(plan)
    names = tuple(steps) if steps else tuple(map(str, range(count)))
    if len(names) != count:
        raise ValueError(f"{len(names)} names for {count} steps")
    if not count:
        return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="1"></svg>\n'
    axes = _Axes(width, height, count, max(plan.arena_bytes, plan.lower_bound, 1))
    slanted = bool(steps) and (width - _LEFT - _RIGHT) / count >= 20
    total = _TOP + height + (96 if slanted else 40)
    label = f"Memory map: {plan.arena_bytes:,} bytes over {count} steps, lower bound {plan.lower_bound:,} bytes"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map" viewBox="0 0 {width} {total}" width="{width}"'
        f' height="{total}" role="img" aria-label="{label}"><style>{_STYLE}</style>',
        *_address_axis(axes),
        *_step_columns(axes, plan, names),
        *(
            _buffer(axes, b, base, fill)
            for b, base, fill in zip(plan.buffers, plan.offsets, colours(plan), strict=True)
        ),
        *_bound(axes, plan),
        *(_slanted_names(axes, names) if slanted else _step_numbers(axes)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _address_axis(axes: _Axes) -> list[str]:
    unit, suffix = (1024, " KiB") if axes.top_byte >= 8192 else (1, "")
    pace = next(p for p in (unit * (1 << n) for n in range(40)) if axes.top_byte / p <= 8)
    parts = []
    for byte in range(0, axes.top_byte + 1, pace):
        y = axes.y(byte)
        parts.append(f'<line class="rule" x1="{_LEFT - 4}" x2="{axes.width - _RIGHT}" y1="{y}" y2="{y}"/>')
        text = f"{byte // unit:,}{suffix if byte else ''}"
        parts.append(f'<text class="soft" x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{text}</text>')
    return parts


def _step_columns(axes: _Axes, plan: Plan, names: Sequence[str]) -> list[str]:
    live = live_bytes(plan)
    peak = live.index(max(live))
    parts = []
    for step, name in enumerate(names):
        x, w = axes.x(step), axes.x(step + 1) - axes.x(step)
        kind = "band" if step == peak else "step"
        title = f"step {step}, {escape(name)}: {live[step]:,} bytes alive{' (the most)' if step == peak else ''}"
        box = f'x="{x}" y="{_TOP - 8}" width="{w}" height="{axes.height + 14}"'
        parts.append(f'<rect class="{kind}" {box}><title>{title}</title></rect>')
    middle = (axes.x(peak) + axes.x(peak + 1)) // 2
    parts.append(f'<path class="mark" d="M{middle - 5} {_TOP - 12}h10l-5 7z"/>')
    anchor, x = ("start", middle + 9) if middle < axes.width / 2 else ("end", middle - 9)
    text = f"peak: {live[peak]:,} bytes alive in step {peak}"
    parts.append(f'<text class="mark" x="{x}" y="{_TOP - 8}" text-anchor="{anchor}">{text}</text>')
    return parts


def _buffer(axes: _Axes, buffer: Buffer, base: int, fill: str) -> str:
    boxes = [(axes.x(r.lower), axes.y(base + r.stop), axes.x(r.upper), axes.y(base + r.start)) for r in buffer.rects]
    path = "".join(f"M{x0} {y0}H{x1}V{y1}H{x0}z" for x0, y0, x1, y1 in boxes)
    # An outline thicker than a tenth of the boxes would hide them: rings of thin rows are drawn without.
    outline = 1 if all(x1 - x0 > 9 and y1 - y0 > 9 for x0, y0, x1, y1 in boxes) or len(boxes) == 1 else 0
    born, dead = life(buffer)
    steps = f"step {born}" if dead == born + 1 else f"steps {born} to {dead - 1}"
    title = f"{buffer.name} ({buffer.kind}): {buffer.size:,} bytes at {base:,}, {steps}"
    drawn = (
        f'<path class="buffer" fill="{fill}" stroke-width="{outline}" d="{path}"><title>{escape(title)}</title></path>'
    )
    return drawn + _name_inside(buffer, boxes)


def _name_inside(buffer: Buffer, boxes: Sequence[tuple[int, int, int, int]]) -> str:
    """Name and bytes around the centre of gravity where they fit, upright where that has more room."""
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes]
    total = sum(areas)
    if not total:
        return ""
    x = sum(a * (x0 + x1) for a, (x0, _, x1, _) in zip(areas, boxes, strict=True)) // (2 * total)
    y = sum(a * (y0 + y1) for a, (_, y0, _, y1) in zip(areas, boxes, strict=True)) // (2 * total)
    wide = _room([(x0, x1) for x0, y0, x1, y1 in boxes if y0 <= y < y1], x)
    high = _room([(y0, y1) for x0, y0, x1, y1 in boxes if x0 <= x < x1], y)
    name, size = short_name(buffer.name), f"{buffer.size:,} B"
    upright = wide < min(high, _text_width(name))
    along, across = (high, wide) if upright else (wide, high)
    room = int((along - 8) / _text_width("a"))
    if across < 14 or room < min(len(name), 7):
        return ""
    lines = [name if len(name) <= room else "\u2026" + name[len(name) - room + 1 :]]
    if across >= 30 and len(size) <= room:
        lines.append(size)
    first = y + 4 - 7 * (len(lines) - 1)
    turn = f' transform="rotate(-90 {x} {y})"' if upright else ""
    spans = "".join(f'<tspan x="{x}" y="{first + 14 * n}">{escape(line)}</tspan>' for n, line in enumerate(lines))
    return f'<text class="name" text-anchor="middle"{turn}>{spans}</text>'


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
    return 6.4 * len(text)


def _bound(axes: _Axes, plan: Plan) -> list[str]:
    live = live_bytes(plan)
    y = axes.y(plan.lower_bound)
    text = f"lower bound {plan.lower_bound:,} bytes"
    title = f"{text}; the arena has {plan.arena_bytes:,} ({plan.proof})"
    # The peak's label is on the side of the peak that has room: keep to the other edge.
    at_right = live.index(max(live)) < axes.steps / 2
    x, anchor = (axes.width - _RIGHT, "end") if at_right else (_LEFT, "start")
    parts = [
        f'<line class="bound" x1="{_LEFT}" x2="{axes.width - _RIGHT}" y1="{y}" y2="{y}"><title>{title}</title></line>'
    ]
    if axes.width >= 640:
        label = f"arena {plan.arena_bytes:,} bytes, dashed: {text}"
        parts.append(f'<text class="mark" x="{x}" y="{_TOP - 8}" text-anchor="{anchor}">{label}</text>')
    return parts


def _slanted_names(axes: _Axes, names: Sequence[str]) -> list[str]:
    parts = []
    for step, name in enumerate(names):
        x, y = (axes.x(step) + axes.x(step + 1)) // 2 + 4, _TOP + axes.height + 14
        short = name if len(name) <= 18 else name[:17] + "\u2026"
        parts.append(f'<text x="{x}" y="{y}" text-anchor="end" transform="rotate(-45 {x} {y})">{escape(short)}</text>')
    return parts


def _step_numbers(axes: _Axes) -> list[str]:
    fitting = max(1, (axes.width - _LEFT - _RIGHT) // 28)
    pace = next(p * 10**n for n in range(9) for p in (1, 2, 5) if axes.steps / (p * 10**n) <= fitting)
    y = _TOP + axes.height + 18
    parts = [
        f'<text class="soft" x="{(axes.x(s) + axes.x(s + 1)) // 2}" y="{y}" text-anchor="middle">{s}</text>'
        for s in range(0, axes.steps, pace)
    ]
    return [*parts, f'<text class="soft" x="{axes.width - _RIGHT}" y="{y + 15}" text-anchor="end">step</text>']


def step_names(tree: SourceTree) -> tuple[str, ...]:
    """A name for each step of the tree's schedule: the operator's index and kind."""
    kinds = [f"{layer.index} {layer.op.removesuffix('_2D').replace('_', ' ').lower()}" for layer in tree.layers]
    return tuple(kinds[position] for position in tree.steps)


def short_name(name: str) -> str:
    """The telling end of a tensor's name: `conv1/Relu` of `model/conv1/Relu;model/bn/FusedBatchNorm`."""
    return "/".join(name.split(";")[0].rstrip("/").split("/")[-2:])
