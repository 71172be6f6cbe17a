"""A picture of the ratios: a row a cell, a dot a peer; left of the line we need less.

Filled dots are times (for (i) memory), rings are CPU of the server.
"""

import math
from html import escape

from bench.figures import Figure, Results
from bench.plan import WORKS
from bench.servers import FLOOR, GO, USUAL
from bench.summary import Line, lines

_COLOURS = {FLOOR: "#8a8a8a", GO: "#00629b", USUAL: "#e07a1f"}
_LEFT, _WIDTH, _ROW, _TOP, _BOTTOM = 260, 620, 20, 74, 30
_TITLE = (
    "Ours divided by the peer's: left of 1 we need less (scoped routes, delta, unless a row says otherwise)"
)
_SVG = "http://www.w3.org/2000/svg"
_LOWEST, _HIGHEST = 0.001, 100.0


def draw(results: Results) -> str:
    """An SVG document."""
    shown = lines(results)
    ratios = [ratio for line in shown for ratio in _ratios(results, line)] or [1.0]
    low = math.floor(math.log10(max(_LOWEST, min(0.1, *ratios, 1.0))))
    high = math.ceil(math.log10(min(_HIGHEST, max(10.0, *ratios, 1.0))))
    works = list(dict.fromkeys(line.figure.work for line in shown))
    bottom = _TOP + _ROW * (len(shown) + len(works)) + 6
    parts = _frame(low, high, bottom)
    y = _TOP
    for work in works:
        parts.append(
            f'<text x="10" y="{y + 15}" font-weight="bold">{escape(f"({work}) {WORKS[work]}")}</text>'
        )
        y += _ROW
        for line in (each for each in shown if each.figure.work == work):
            parts += _row(results, line, y, (low, high))
            y += _ROW
    return "\n".join([*parts, "</svg>"]) + "\n"


def _frame(low: int, high: int, bottom: int) -> list[str]:
    width, height = _LEFT + _WIDTH + 30, bottom + _BOTTOM
    parts = [
        f'<svg xmlns="{_SVG}" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="10" y="20" font-size="14">{_TITLE}</text>',
    ]
    for x, (peer, colour) in zip((10, 80, 290), _COLOURS.items(), strict=True):
        parts.append(f'<circle cx="{x + 5}" cy="40" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x + 15}" y="44">{peer}</text>')
    parts.append('<circle cx="515" cy="40" r="4" fill="none" stroke="#444" stroke-width="1.5"/>')
    parts.append('<text x="525" y="44">ring: CPU of the server; dot: time, and memory in (i)</text>')
    for decade in range(low, high + 1):
        x, stroke = _x(10.0**decade, (low, high)), "#444" if decade == 0 else "#ddd"
        parts.append(f'<line x1="{x}" x2="{x}" y1="{_TOP - 8}" y2="{bottom}" stroke="{stroke}"/>')
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{10.0**decade:g}</text>')
        parts.append(f'<text x="{x}" y="{_TOP - 12}" text-anchor="middle">{10.0**decade:g}</text>')
    return parts


def _row(results: Results, line: Line, y: int, decades: tuple[int, int]) -> list[str]:
    figure = line.figure
    mode = "" if (figure.mode, figure.dialect) == ("scoped", "delta") else f", {figure.mode}"
    mode += ", sotw" if figure.dialect == "sotw" else ""
    said = f"N={figure.streams:,} D={figure.deployments:,}{mode}"
    middle = y + _ROW // 2
    parts = [
        f'<text x="26" y="{y + 15}">{escape(said)}</text>',
        f'<line x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{middle}" y2="{middle}" stroke="#f2f2f2"/>',
    ]
    for peer, colour in _COLOURS.items():
        parts += _mark(
            results,
            line.cpu,
            peer,
            f'r="4" fill="none" stroke="{colour}" stroke-width="1.5"',
            middle,
            decades,
        )
        parts += _mark(results, figure, peer, f'r="5" fill="{colour}" fill-opacity="0.85"', middle, decades)
    return parts


def _mark(
    results: Results, figure: Figure | None, peer: str, look: str, y: int, decades: tuple[int, int]
) -> list[str]:
    ratio = results.beside(figure, peer) if figure else None
    if figure is None or not ratio or ratio < 0:
        return []
    said = escape(f"{figure.name} / {peer}: {ratio:.2f}")
    return [f'<circle cx="{_x(ratio, decades)}" cy="{y}" {look}><title>{said}</title></circle>']


def _ratios(results: Results, line: Line) -> list[float]:
    figures = [figure for figure in (line.figure, line.cpu) if figure]
    return [ratio for figure in figures for peer in _COLOURS if (ratio := results.beside(figure, peer))]


def _x(ratio: float, decades: tuple[int, int]) -> float:
    low, high = decades
    place = min(max(math.log10(ratio), low), high)
    return round(_LEFT + (place - low) / (high - low) * _WIDTH, 1)
