"""The pictures of the report: latency over time with the phases behind it, and rows copied over time."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from orchestrator.demo.application.record import percentile
from orchestrator.kernel.charts import Band, Series, line_chart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from orchestrator.demo.application import Request
    from orchestrator.kernel.events import Event

_WIDTH: Final = 1100
_HEIGHT: Final = 240
_BIN_S: Final = 1.0
_SHARES: Final = ((0.5, "p50"), (0.95, "p95"))


@dataclass(frozen=True)
class Picture:
    """A chart with its title, and the names of its lines."""

    title: str
    svg: str
    names: tuple[str, ...] = ()


@dataclass
class Copied:
    """Listens to the copy, and remembers how many rows were read by when."""

    clock: Callable[[], float] = time.time
    marks: list[tuple[float, float]] = field(default_factory=list)
    _before: int = 0
    _last: int = 0

    def listen(self, event: Event) -> None:
        """Take in an event of the engine; each copy counts from nothing, and all of them are added up."""
        if event.kind != "backfill.progress":
            return
        rows = int(event.fields["rows_seen"])
        if rows < self._last:
            self._before += self._last
        self._last = rows
        self.marks.append((self.clock(), float(self._before + rows)))


def pictures(requests: Sequence[Request], copied: Sequence[tuple[float, float]]) -> tuple[Picture, ...]:
    """Both of them, over the time in which the application worked."""
    if not requests:
        return ()
    begin = min(request.at for request in requests)
    bands = phases(requests, begin)
    title = "Latency of the application's requests over time, in ms"
    lines = latency(requests, begin)
    made = [Picture(title, _chart(title, lines, bands, " ms"), tuple(each.name for each in lines))]
    if copied:
        title = "Rows copied over time"
        end = max(request.at for request in requests)
        rows = [Series("rows", [(at - begin, value) for at, value in [*copied, (end, copied[-1][1])]])]
        made.append(Picture(title, _chart(title, rows, bands, "")))
    return tuple(made)


def latency(requests: Iterable[Request], begin: float) -> list[Series]:
    """The median and the 95th percentile of each second; a second without a request is a gap."""
    bins: dict[int, list[float]] = defaultdict(list)
    for request in requests:
        bins[int((request.at - begin) / _BIN_S)].append(request.milliseconds)
    sorted_bins = {number: sorted(values) for number, values in bins.items()}
    return [
        Series(
            name,
            [
                ((number + 0.5) * _BIN_S, percentile(sorted_bins[number], share) if number in sorted_bins else None)
                for number in range(max(sorted_bins, default=-1) + 1)
            ],
        )
        for share, name in _SHARES
    ]


def phases(requests: Iterable[Request], begin: float) -> list[Band]:
    """What the migration did meanwhile: from the first request under a label to the first under the next one."""
    first: dict[str, float] = {}
    last = begin
    for request in requests:
        first[request.phase] = min(first.get(request.phase, request.at), request.at)
        last = max(last, request.at)
    ordered = sorted(first.items(), key=lambda each: each[1])
    ends = [start for _, start in ordered[1:]] + [last]
    return [Band(name, start - begin, end - begin) for (name, start), end in zip(ordered, ends, strict=True)]


def _chart(title: str, series: Sequence[Series], bands: Sequence[Band], unit: str) -> str:
    return line_chart(title, series, bands=bands, unit=unit, width=_WIDTH, height=_HEIGHT)
