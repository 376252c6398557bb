"""How far the copy is: pages, rows, rate and the time that is left.

The percentage and the estimate come from pages, not rows: the number of pages is known exactly, the number of
rows is not, and reading a page costs about the same wherever it lies. The rate is taken over a sliding
window, so that an hour's pause last night does not spoil this morning's estimate. `Meter` only computes, from
times that are handed in; `report` is the loop that emits it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.kernel.clock import Clock
    from orchestrator.kernel.events import Bus

WINDOW_SECONDS: Final = 30.0
_EVERY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Position:
    """Where the copy is, over all its sources."""

    pages_done: int
    pages_total: int
    rows_seen: int
    rows_copied: int
    rows_rejected: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A position, and what follows from the ones before it."""

    position: Position
    percent: float
    rows_per_second: float
    pages_per_second: float
    eta_seconds: float | None


class Meter:
    """Remembers the positions of the last half minute."""

    def __init__(self, window_seconds: float = WINDOW_SECONDS) -> None:
        self._window = window_seconds
        self._marks: deque[tuple[float, Position]] = deque()

    def mark(self, now: float, position: Position) -> Progress:
        """Take a position at a time and say what it means."""
        # A table that started again moves the position back; rates over such a jump mean nothing.
        if self._marks and position.pages_done < self._marks[-1][1].pages_done:
            self._marks.clear()
        self._marks.append((now, position))
        # One mark older than the window stays, or slow marks would leave no distance to measure.
        while len(self._marks) > 2 and now - self._marks[1][0] >= self._window:  # noqa: PLR2004
            self._marks.popleft()
        then, earlier = self._marks[0]
        elapsed = now - then
        rows_rate = pages_rate = 0.0
        if elapsed > 0:
            rows_rate = max(0.0, (position.rows_seen - earlier.rows_seen) / elapsed)
            pages_rate = (position.pages_done - earlier.pages_done) / elapsed
        left = max(0, position.pages_total - position.pages_done)
        eta = 0.0 if left == 0 else left / pages_rate if pages_rate > 0 else None
        percent = 100.0 if position.pages_total == 0 else 100.0 * position.pages_done / position.pages_total
        return Progress(position, percent, rows_rate, pages_rate, eta)


async def report(bus: Bus, clock: Clock, position: Callable[[], Position], kind: str) -> None:
    """Emit the progress every second until cancelled."""
    meter = Meter()
    while True:
        announce(bus, kind, meter.mark(clock.monotonic(), position()))
        await asyncio.sleep(_EVERY_SECONDS)


def announce(bus: Bus, kind: str, progress: Progress) -> None:
    """Emit one progress as plain values."""
    at = progress.position
    bus.emit(
        kind,
        pages_done=at.pages_done,
        pages_total=at.pages_total,
        rows_seen=at.rows_seen,
        rows_copied=at.rows_copied,
        rows_rejected=at.rows_rejected,
        percent=round(progress.percent, 2),
        rows_per_second=round(progress.rows_per_second, 1),
        pages_per_second=round(progress.pages_per_second, 1),
        eta_seconds=progress.eta_seconds,
    )
