"""A picture of the ratios: a row a piece of work, a dot a peer; left of the line we are ahead."""

import math
from html import escape

from bench.figures import Figure, Results
from bench.table import FLOOR, GO, OURS, USUAL

_SHOWN = {
    "a": "last has it ms",
    "b": "last is ready ms",
    "c": "server cpu_ms",
    "d": "first Envoy has all ms",
    "e": "server cpu_ms",
    "f": "server cpu_ms",
    "g": "last has it ms",
    "h": "last of the others has it ms",
}
_COLOURS = {FLOOR: "#8a8a8a", GO: "#00629b", USUAL: "#e07a1f"}
_LEFT, _WIDTH, _ROW, _TOP = 330, 520, 18, 60
_SVG = "http://www.w3.org/2000/svg"
_DECADES = (-3, 2)


def draw(results: Results) -> str:
    """An SVG document."""
    figures = [figure for figure in results.of(OURS) if _SHOWN.get(figure.work) == figure.what]
    height = _TOP + _ROW * len(figures) + 20
    parts = [
        f'<svg xmlns="{_SVG}" width="{_LEFT + _WIDTH + 30}" height="{height}" font-family="sans-serif">',
        "<style>text { font-size: 12px }</style>",
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="10" y="20" font-size="14">Our time or CPU / the peer\'s (left of 1: we need less)</text>',
    ]
    for place, (peer, colour) in enumerate(_COLOURS.items()):
        x = 10 + place * 200
        parts.append(f'<circle cx="{x + 5}" cy="36" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x + 15}" y="40">{escape(peer)}</text>')
    for decade in range(_DECADES[0], _DECADES[1] + 1):
        x, dark = _x(10.0**decade), decade == 0
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="{_TOP}" y2="{height - 20}" stroke="{"#444" if dark else "#ddd"}"/>'
        )
        parts.append(f'<text x="{x}" y="{height - 5}" text-anchor="middle">{10.0**decade:g}</text>')
    for row, figure in enumerate(figures):
        parts += _row(results, figure, _TOP + _ROW * row + 12)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _row(results: Results, figure: Figure, y: int) -> list[str]:
    said = f"({figure.work}) N={figure.streams:,} D={figure.deployments:,} {figure.mode} {figure.dialect}"
    what = figure.what.rpartition(" ")[0]
    parts = [f'<text x="10" y="{y}">{escape(said)}<tspan fill="#888">: {escape(what)}</tspan></text>']
    for peer, colour in _COLOURS.items():
        ratio = results.beside(figure, peer)
        if ratio:
            parts.append(f'<circle cx="{_x(ratio)}" cy="{y - 4}" r="5" fill="{colour}" opacity="0.85"/>')
    return parts


def _x(ratio: float) -> float:
    low, high = _DECADES
    place = min(max(math.log10(ratio), low), high)
    return round(_LEFT + (place - low) / (high - low) * _WIDTH, 1)
