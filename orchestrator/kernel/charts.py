"""Line charts as SVG, made here: for the page, whose policy allows no inline style, and for the demo's report.

Looks come from classes (`chart`, `grid`, `band`, `axis`, `line s0`, …) that the document's own stylesheet has; geometry
is in attributes. A chart scales with its box (`viewBox`), is a picture with a title for those who listen, and shows its
last value as text. Points that are None are gaps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_WIDTH: Final = 440
_HEIGHT: Final = 140
_LEFT: Final = 40
_TOP: Final = 10
_BOTTOM: Final = 20
_STEPS: Final = (1, 2, 5, 10)
_LABEL: Final = 7.0
"""The width of a letter of a label, in the chart's units."""


@dataclass(frozen=True)
class Series:
    """A line: its name, and its points from left to right."""

    name: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True)
class Band:
    """A stretch of the x axis with a name, behind the lines."""

    name: str
    start: float
    end: float


def number(value: float) -> str:
    """A value as an axis shows it: `950`, `1.5k`, `12M`."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def clock(seconds: float) -> str:
    """Seconds from the beginning, as an axis shows them: `45 s`, `3:20`, `1:02:00`."""
    whole = round(seconds)
    if abs(whole) < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    sign, whole = "-" if whole < 0 else "", abs(whole)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{sign}{hours}:{minutes:02d}:{rest:02d}" if hours else f"{sign}{minutes}:{rest:02d}"


def line_chart(
    title: str,
    series: Sequence[Series],
    *,
    bands: Sequence[Band] = (),
    limit: float | None = None,
    unit: str = "",
    width: int = _WIDTH,
    height: int = _HEIGHT,
    x_label: Callable[[float], str] = clock,
) -> str:
    """The chart; without a single point it says so."""
    known = [(x, y) for each in series for x, y in each.points if y is not None]
    frame = _Frame.around(known, bands, limit, width, height)
    said = _text(_said(title, series, unit))
    parts = [f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{said}">']
    if known:
        parts += [_band(frame, number_, each) for number_, each in enumerate(bands)]
        parts += _grid(frame, x_label)
        if limit is not None:
            y = frame.y(limit)
            parts.append(f'<line class="limit" x1="{_LEFT}" x2="{frame.width}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts += [f'<path class="line s{place % 6}" d="{_path(frame, each)}"/>' for place, each in enumerate(series)]
    else:
        parts.append(f'<text class="axis" x="{width / 2}" y="{height / 2}" text-anchor="middle">no values yet</text>')
    return "".join(parts) + "</svg>"


@dataclass(frozen=True)
class _Frame:
    """What is where."""

    x0: float
    x1: float
    top: float
    step: float
    width: int
    height: int

    @classmethod
    def around(
        cls, points: Sequence[tuple[float, float]], bands: Sequence[Band], limit: float | None, width: int, height: int
    ) -> _Frame:
        """The smallest frame that has all of it; the y axis begins at 0."""
        xs = [x for x, _ in points] + [x for band in bands for x in (band.start, band.end)] or [0.0]
        most = max([y for _, y in points] + ([] if limit is None else [limit * 1.1]), default=0.0)
        step = _step(most / 4 if most > 0 else 1)
        top = step * max(1, math.ceil(most / step))
        return cls(min(xs), max(*xs, min(xs) + 1), top, step, width, height)

    def x(self, value: float) -> float:
        return _LEFT + (value - self.x0) / (self.x1 - self.x0) * (self.width - _LEFT - 8)

    def y(self, value: float) -> float:
        return self.height - _BOTTOM - value / self.top * (self.height - _TOP - _BOTTOM)


def _step(rough: float) -> float:
    """The next round number: 1, 2 or 5 times a power of ten."""
    power: float = 10 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * 0.999)


def _grid(frame: _Frame, x_label: Callable[[float], str]) -> list[str]:
    parts = []
    for number_ in range(round(frame.top / frame.step) + 1):
        value = number_ * frame.step
        y = frame.y(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{frame.width}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = _text(number(value))
        parts.append(f'<text class="axis" x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{label}</text>')
    span = frame.x1 - frame.x0
    for part, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        value = frame.x0 + span * part
        x, label = frame.x(value), _text(x_label(value))
        parts.append(f'<text class="axis" x="{x:.1f}" y="{frame.height - 5}" text-anchor="{anchor}">{label}</text>')
    return parts


def _band(frame: _Frame, number_: int, band: Band) -> str:
    left, right = frame.x(band.start), frame.x(band.end)
    shape = (
        f'<rect class="band b{number_ % 2}" x="{left:.1f}" y="{_TOP}" width="{max(right - left, 0.5):.1f}" '
        f'height="{frame.height - _TOP - _BOTTOM}"><title>{_text(band.name)}</title></rect>'
    )
    if right - left < len(band.name) * _LABEL:
        return shape
    return f'{shape}<text class="name" x="{left + 4:.1f}" y="{_TOP + 11}">{_text(band.name)}</text>'


def _path(frame: _Frame, series: Series) -> str:
    """Straight lines; a gap where a value is missing, and a dot where one stands alone."""
    parts, pen, last = [], "M", ""
    for x, y in series.points:
        if y is None:
            pen = "M"
            continue
        at = f"{frame.x(x):.1f} {frame.y(y):.1f}"
        parts.append(f"{pen}{at}")
        if pen == "M":
            parts.append(f"L{at}")
        pen, last = "L", at
    return "".join(parts) if last else ""


def _said(title: str, series: Sequence[Series], unit: str) -> str:
    last = [
        f"{each.name} {number(found[-1])}{unit}"
        for each in series
        if (found := [y for _, y in each.points if y is not None])
    ]
    return f"{title}: {', '.join(last)} at the end" if last else f"{title}: no values yet"


def _text(value: str) -> str:
    return escape(visible(value))
