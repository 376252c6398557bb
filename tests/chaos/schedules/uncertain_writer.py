"""Writers on a line that may break. What was acknowledged must stand; of what was not, nobody knows.

A request whose connection is lost before its answer came may have been carried out or not: a **doubt**. The writer
leaves its rows alone from then on, and later the tables tell what became of it: all of it or nothing, and the same on
both sides. A request that finds no server was not made at all. Which errors somebody may meet depends on what has gone
wrong until then: after a reset or a crash, a lost connection; on a full disk 53100, and that only who himself writes
to that disk: the new version. The old version's writes are never excused on account of the disk, also when views have
the names of its tables. Anything else is a failure (P2).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.support.traffic import Failure, Writer

_GONE = ("57P01", "57P02", "57P03")
_FULL = "53100"


@dataclass
class Weather:
    """What has gone wrong until now."""

    lines_broke: bool = False
    disk_was_full: bool = False
    begun: float = field(default_factory=time.monotonic)
    failures: list[str] = field(default_factory=list)
    """What nothing explains, with its time."""

    @property
    def now(self) -> str:
        """Seconds since it began, as they stand before a line."""
        return f"{time.monotonic() - self.begun:7.2f}"


@dataclass(frozen=True)
class Doubt:
    """The tags that stand if a request was not carried out, and if it was."""

    before: frozenset[str]
    after: frozenset[str]


class UncertainWriter(Writer):
    """A writer that knows what it does not know."""

    weather = Weather()

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.doubts: list[Doubt] = []
        self.excused = 0
        self._under_way: list[tuple[str, str]] = []

    def resolve(self, found: set[str]) -> list[str]:
        """Learn from what stands what became of the doubts; those that became neither are the answer."""
        odd = []
        for doubt in self.doubts:
            stands = found & (doubt.before | doubt.after)
            if stands not in {doubt.before, doubt.after}:
                odd.append(f"{self.name}: {sorted(stands)}, not {sorted(doubt.before)} or {sorted(doubt.after)}")
            self.kept |= stands
        self.doubts = []
        return odd

    def _request(self) -> None:
        self._under_way = []
        failed = len(self.failures)
        super()._request()
        if len(self.failures) == failed:
            return
        if self._excused(self.failures[-1]):
            self.failures.pop()
            self.excused += 1
        else:
            self.weather.failures.append(f"{self.weather.now}  {self.name}, {self.failures[-1].what}"[:300])

    def _excused(self, failure: Failure) -> bool:
        error, weather = failure.error, self.weather
        if error is None:
            return False
        if error.sqlstate == _FULL:
            return weather.disk_was_full and self.name.startswith("new")
        if not weather.lines_broke or not _lost(error):
            return False
        if self._conn is not None:
            self._conn.close()
            self._conn = None
        if self._under_way:
            self._doubt()
        return True

    def _doubt(self) -> None:
        before = frozenset(old for _, old in self._under_way if old)
        after = frozenset(tag for tag, _ in self._under_way if tag)
        self.doubts.append(Doubt(before, after))
        self.rows = [row for row in self.rows if row.tag(self.name) not in before]

    def _write(self, statement: str, tag: str, old: str = "") -> None:
        _ = self.conn  # whoever gets none has done nothing
        self._under_way.append((tag, old))
        super()._write(statement, tag, old)


def _lost(error: psycopg.Error) -> bool:
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError)
    return state in _GONE or state.startswith("08")


def under(weather: Weather) -> type[UncertainWriter]:
    """Writers for this weather."""
    return type("UncertainWriterThere", (UncertainWriter,), {"weather": weather})
