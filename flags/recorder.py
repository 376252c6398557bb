"""Keeps what shadow reads have seen, and reports it twice a second, off the application's path.

`note` adds to sums in memory and returns. A daemon thread writes them with one call, then asks the guard. While the
database is away the sums wait; they are bounded, and what does not fit is counted in `dropped`.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.types.json import Jsonb

from . import guard
from .comparison import text
from .guard import BOUNDS_MS, Listens
from .queries import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self


_MOST_SUMS: Final = 5000
_MOST_SAMPLES: Final = 200
_EVERY_S: Final = 0.5
_SECTIONS: Final = len(BOUNDS_MS) + 1


@dataclass(frozen=True, slots=True)
class Seen:
    """One shadow read. `kind` is None where both sides agree."""

    flag: str
    version: int
    read: str
    key: str | None
    kind: str | None
    fields: list[str] = field(default_factory=list)
    old_value: Any = None
    new_value: Any = None
    old_ms: float | None = None
    new_ms: float | None = None


class Recorder:
    """`with Recorder(lambda: connect(dsn, role="shadow")) as recorder: Shadow(client, recorder)`."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], *, bus: Listens | None = None) -> None:
        """`connect` opens an autocommit connection of the recorder's own."""
        self._connect = connect
        self._bus = bus
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._sums: dict[tuple[str, int, str, int], dict[str, Any]] = {}
        self._samples: list[Seen] = []
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._conn: psycopg.Connection[Any] | None = None
        self.ticks: list[Callable[[], None]] = []
        self.dropped = 0
        self.last_error: Exception | None = None

    def __enter__(self) -> Self:
        """Start the thread."""
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, name="changeover-recorder", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Write what is left and stop."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(5)
        self.flush()
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def note(self, seen: Seen) -> None:
        """Take one read in; costs a few microseconds and never raises."""
        key = (seen.flag, seen.version, seen.read, int(time.time()))
        with self._lock:
            if key not in self._sums:
                if len(self._sums) >= _MOST_SUMS:
                    self.dropped += 1
                    return
                counts = dict.fromkeys(("compared", "mismatches", "errors", "late"), 0)
                self._sums[key] = {**counts, "old_ms": [0] * _SECTIONS, "new_ms": [0] * _SECTIONS}
            sums = self._sums[key]
            sums["compared"] += 1
            for side, took in (("old_ms", seen.old_ms), ("new_ms", seen.new_ms)):
                if took is not None:
                    sums[side][bisect_left(BOUNDS_MS, took)] += 1
            if seen.kind is not None:
                sums[{"different": "mismatches", "error": "errors", "late": "late"}[seen.kind]] += 1
                if len(self._samples) < _MOST_SAMPLES:
                    self._samples.append(seen)
        if seen.kind is not None and self._bus is not None:
            self._bus.emit("flag.mismatch", flag=seen.flag, read=seen.read, mismatch=seen.kind)

    def flush(self) -> bool:
        """Write what is known and ask the guard; False if the database could not be asked, then it is kept."""
        with self._writing:
            with self._lock:
                sums, samples, self._sums, self._samples = self._sums, self._samples, {}, []
            try:
                if self._conn is None or self._conn.closed:
                    self._conn = self._connect()
                if sums:
                    self._write(self._conn, sums, samples)
                    flags = sorted({flag for flag, *_ in sums})
                    sums, samples = {}, []  # written: whatever fails now, they are not written again
                    for flag in flags:
                        guard.check(self._conn, flag, self._bus)
            except Exception as exc:  # noqa: BLE001 - the application must not notice
                self.last_error = exc
                if isinstance(exc, (psycopg.DataError, TypeError, ValueError)):
                    # What the database does not take, or no JSON can write, would stand before all others for ever.
                    self.dropped += len(samples)
                    samples = []
                with self._lock:
                    self._keep(sums)
                    self._samples = [*samples, *self._samples][:_MOST_SAMPLES]
                if self._conn is not None:
                    self._conn.close()
                return False
            return True

    def _keep(self, sums: dict[tuple[str, int, str, int], dict[str, Any]]) -> None:
        """Take sums back that could not be written, to those of the same second that have come meanwhile."""
        for key, counts in sums.items():
            newer = self._sums.setdefault(key, counts)
            if newer is counts:
                continue
            for name, value in counts.items():
                if isinstance(value, list):
                    newer[name] = [sum(pair) for pair in zip(newer[name], value, strict=True)]
                else:
                    newer[name] += value

    def _run(self) -> None:
        while not self._ending.wait(_EVERY_S):
            for tick in self.ticks:
                tick()
            self.flush()

    @staticmethod
    def _write(conn: psycopg.Connection[Any], sums: dict[tuple[str, int, str, int], Any], samples: list[Seen]) -> None:
        rows = [
            {"flag": flag, "version": version, "read": read, "second": _moment(second), **counts}
            for (flag, version, read, second), counts in sums.items()
        ]
        shown = [
            {
                **{name: getattr(seen, name) for name in Seen.__slots__},
                "key": None if seen.key is None else text(str(seen.key)),
                "fields": [text(path) for path in seen.fields],
            }
            for seen in samples
        ]
        conn.execute(load("report.sql"), {"sums": Jsonb(rows), "samples": Jsonb(shown)})


def _moment(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()
