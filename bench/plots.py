"""Plots as plain SVG: bars with their spread, and lines over growing queues. Colours follow the reader's theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from bench.text import number

WIDTH, LABELS, VALUES, ROW, TOP, BOTTOM = 760, 240, 100, 26, 48, 14
STYLE = """\
<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px } .value, .axis { fill: #57606a } .axis { font-size: 11px }
.bar { fill: #9aa5b1 } .ours { fill: #2f6fde } .spread, .grid { stroke: #57606a; stroke-width: 1 }
.grid { opacity: .2 } .line { fill: none; stroke: #2f6fde; stroke-width: 2 } .dot { fill: #2f6fde }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .value, .axis { fill: #9198a1 } .bar { fill: #59636e } .ours, .dot { fill: #4c8dff }
  .spread, .grid { stroke: #9198a1 } .line { stroke: #4c8dff }
}
</style>"""


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    least: float
    median: float
    most: float
    ours: bool = False
    told: str = ""  # instead of the median: `> 120 s`


def bars(title: str, unit: str, rows: Sequence[Bar], *, logarithmic: bool = False) -> str:
    """One bar a row, as long as its median, with a line from least to most."""
    height = TOP + ROW * len(rows) + BOTTOM
    room = WIDTH - LABELS - VALUES
    greatest = max(row.most for row in rows)
    least = min(row.least for row in rows)

    def reach(value: float) -> float:
        if not logarithmic:
            return room * value / greatest
        floor = least / 2
        return room * math.log(value / floor) / math.log(greatest / floor)

    parts = [f'<text class="title" x="8" y="22">{escape(title)}</text>']
    scale = f"{unit}, logarithmic" if logarithmic else unit
    parts.append(f'<text class="axis" x="{LABELS}" y="40">{escape(scale)}</text>')
    for index, row in enumerate(rows):
        y = TOP + ROW * index
        middle = y + ROW / 2 - 2
        kind, told = "ours" if row.ours else "bar", row.told or number(row.median)
        start, end = LABELS + reach(row.least), LABELS + reach(row.most)
        parts += [
            f'<text x="{LABELS - 8}" y="{middle + 4:.0f}" text-anchor="end">{escape(row.label)}</text>',
            f'<rect class="{kind}" x="{LABELS}" y="{y}" width="{reach(row.median):.1f}" height="{ROW - 6}" rx="2"/>',
            f'<line class="spread" x1="{start:.1f}" y1="{middle}" x2="{end:.1f}" y2="{middle}"/>',
            f'<text class="value" x="{end + 6:.1f}" y="{middle + 4:.0f}">{escape(told)}</text>',
        ]
    return _svg(height, title, parts)


def lines(title: str, unit: str, points: Sequence[tuple[float, float]], *, across: str) -> str:
    """One line over a logarithmic x, from zero up."""
    height, left, right, top, bottom = 280, 110, 60, 56, 44
    greatest = 1.2 * max(value for _, value in points)  # room for what is written above the points
    low, high = (math.log10(points[end][0]) for end in (0, -1))
    span = (high - low) or 1.0

    def place(x: float, value: float) -> tuple[float, float]:
        return (
            left + (WIDTH - left - right) * (math.log10(x) - low) / span,
            height - bottom - (height - top - bottom) * value / greatest,
        )

    parts = [
        f'<text class="title" x="8" y="22">{escape(title)}</text>',
        f'<text class="axis" x="8" y="40">{escape(unit)}</text>',
    ]
    for share in (0.0, 0.5, 1.0):
        _, y = place(points[0][0], greatest * share)
        parts += [
            f'<line class="grid" x1="{left - 30}" y1="{y:.1f}" x2="{WIDTH - right + 30}" y2="{y:.1f}"/>',
            f'<text class="axis" x="{left - 36}" y="{y + 4:.1f}" text-anchor="end">{number(greatest * share)}</text>',
        ]
    places = [place(x, value) for x, value in points]
    parts.append(f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>')
    for (amount, value), (x, y) in zip(points, places, strict=True):
        parts += [
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>',
            f'<text class="value" x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle">{number(value)}</text>',
            f'<text class="axis" x="{x:.1f}" y="{height - bottom + 18}" text-anchor="middle">{amount:,.0f}</text>',
        ]
    parts.append(f'<text class="axis" x="{WIDTH - right}" y="{height - 8}" text-anchor="end">{escape(across)}</text>')
    return _svg(height, title, parts)


def _svg(height: float, title: str, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
    return "\n".join([head + f'aria-label="{escape(title, {chr(34): "&quot;"})}">', STYLE, *parts, "</svg>"]) + "\n"
