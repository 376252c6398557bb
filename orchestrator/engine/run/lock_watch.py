"""Which strong locks a migration takes: seen twenty times a second from a connection of its own.

A lock that is held for less than a look may be missed, and so may a wait of that length: what is told is a lower bound
by at most one look. The time that others have waited behind one is the server's own (`pg_locks.waitstart`).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import psycopg
from psycopg.rows import tuple_row

from orchestrator.engine import queries
from orchestrator.kernel.connections import connect

if TYPE_CHECKING:
    from types import TracebackType

LOOK_S: Final = 0.05


@dataclass
class SeenLock:
    """A lock on a table, with the longest time that it was held and that anybody waited, in seconds."""

    relation: str
    mode: str
    held_s: float = 0.0
    waited_s: float = 0.0
    """How long our own session waited for it."""
    others_waited_s: float = 0.0


class LockWatch:
    """Looks as long as the block lasts; `locks` is what it has seen."""

    def __init__(self, dsn: str) -> None:
        """Watch this database."""
        self._dsn = dsn
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="changeover-lock-watch", daemon=True)
        self._since: dict[tuple[str, str, int, bool], float] = {}
        self._locks: dict[tuple[str, str], SeenLock] = {}

    @property
    def locks(self) -> list[SeenLock]:
        """Every lock that was seen, the longest first."""
        return sorted(self._locks.values(), key=lambda each: (-each.held_s, each.relation, each.mode))

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """End."""
        self._end.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        try:
            with connect(self._dsn, role="watch") as conn:
                cursor = conn.cursor(row_factory=tuple_row)
                while not self._end.wait(LOOK_S):
                    self.take(cursor.execute(queries.load("own_locks.sql")).fetchall(), time.monotonic())
        except psycopg.Error:
            return  # what was seen until then is told

    def take(self, rows: list[tuple[Any, ...]], now: float) -> None:
        """One look: (relation, mode, pid, granted, how long others have waited behind it)."""
        here = set()
        for relation, mode, pid, granted, others in rows:
            key = (relation, mode, pid, granted)
            here.add(key)
            lasted = now - self._since.setdefault(key, now)
            seen = self._locks.setdefault((relation, mode), SeenLock(relation, mode))
            if granted:
                seen.held_s = round(max(seen.held_s, lasted), 3)
            else:
                seen.waited_s = round(max(seen.waited_s, lasted), 3)
            seen.others_waited_s = round(max(seen.others_waited_s, others), 3)
        self._since = {key: since for key, since in self._since.items() if key in here}
