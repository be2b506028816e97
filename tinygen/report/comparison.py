"""Two plans of one model as SVG: layer by layer beside as scheduled at one scale, and the latter large below."""

from __future__ import annotations

from tinygen.plan.model import Plan
from tinygen.report.memory_map import drawing, drawn_height, hatch, opening
from tinygen.report.timeline import Timeline

_SMALL, _LARGE, _GAP = 200, 400, 16
"""Pixels: the heights of the plots, and what separates drawings."""


def comparison(
    name: str, layered: Plan, layered_when: Timeline, chosen: Plan, chosen_when: Timeline, *, width: int = 960
) -> str:
    """One self-contained SVG element of `width` pixels."""
    half = (width - _GAP) // 2
    top = max(layered.arena_bytes, chosen.arena_bytes)
    below = max(drawn_height(plan, _SMALL, top) for plan in (layered, chosen)) + _GAP
    height = below + drawn_height(chosen, _LARGE)
    label = f"{name}: {layered.arena_bytes:,} bytes layer by layer, {chosen.arena_bytes:,} as scheduled"

    def small(title: str, plan: Plan, when: Timeline) -> list[str]:
        return drawing(plan, when, hatch(width), width=half, height=_SMALL, top_byte=top, title=title)

    maps = (
        (0, 0, small("layer by layer", layered, layered_when)),
        (half + _GAP, 0, small("as scheduled", chosen, chosen_when)),
        (0, below, drawing(chosen, chosen_when, hatch(width), width=width, height=_LARGE, title=name)),
    )
    parts = [f'<g transform="translate({x} {y})">\n' + "\n".join(lines) + "\n</g>" for x, y, lines in maps]
    return opening(width, height, label) + "\n".join(parts) + "\n</svg>\n"
