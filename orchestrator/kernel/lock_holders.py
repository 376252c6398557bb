"""Who holds the lock that a connection of ours waits for.

While it waits, only a second connection can ask; afterwards there is nothing left to see. So a second one is opened
after an attempt that failed, and looks in the middle of each attempt that follows; in a long one, every ten seconds.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg

from orchestrator.kernel.connections import connect
from orchestrator.kernel.visible import visible
from orchestrator.kernel.words import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SHARE: Final = 0.4
_FIRST_S: Final = 3.0
_EVERY_S: Final = 10.0
_SHOWN: Final = 60
# A prepared transaction has no process: pg_blocking_pids says 0 for it, and what it holds stands under its number.
_HOLDERS: Final = """
SELECT a.pid::text, coalesce(a.application_name, ''), coalesce(a.usename, a.backend_type, ''), coalesce(a.state, ''),
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8, coalesce(a.query, ''),
       starts_with(coalesce(a.application_name, ''), 'changeover/')
  FROM unnest(pg_catalog.pg_blocking_pids(%(pid)s)) AS b (pid)
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid
UNION
SELECT NULL, p.gid, p.owner, '', extract(epoch FROM clock_timestamp() - p.prepared)::float8, '', false
  FROM pg_catalog.pg_locks AS w
  JOIN pg_catalog.pg_locks AS h ON h.pid IS NULL AND h.granted AND h.locktype = w.locktype
       AND (h.database, h.relation, h.transactionid) IS NOT DISTINCT FROM (w.database, w.relation, w.transactionid)
  JOIN pg_catalog.pg_locks AS t ON t.pid IS NULL AND t.virtualtransaction = h.virtualtransaction
       AND t.locktype = 'transactionid'
  JOIN pg_catalog.pg_prepared_xacts AS p ON p.transaction = t.transactionid
 WHERE w.pid = %(pid)s AND NOT w.granted AND 0 = ANY (pg_catalog.pg_blocking_pids(%(pid)s))
 ORDER BY 5 DESC NULLS LAST
 LIMIT 3
"""


class LockHolders:
    """What is known of those for whom the connection with this process number has waited."""

    told = ""
    """The last that was seen, in words; empty where nothing was."""
    todo = ""
    """What would end them; empty where there is nobody to end."""

    def __init__(self, dsn: str, pid: int, tell: Callable[[str], None] | None = None) -> None:
        """`dsn` is where it is connected to; `tell` hears of those whom a long attempt waits for."""
        self._dsn = dsn
        self._pid = pid
        self._tell = tell

    @contextmanager
    def looking(self, timeout_ms: int) -> Iterator[None]:
        """Look while the block waits for a lock, for that long at most."""
        over = threading.Event()
        pause = min(_SHARE * timeout_ms / 1000, _FIRST_S)
        thread = threading.Thread(target=self._look, args=(over, pause), name="changeover-lock-holders", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(1)

    def _look(self, over: threading.Event, pause: float) -> None:
        if over.wait(pause):
            return
        try:
            with connect(self._dsn, role="watch") as conn:
                self._take(conn)
                while not over.wait(_EVERY_S):
                    self._take(conn)
        except psycopg.Error:
            return  # who holds it stays unknown

    def _take(self, conn: psycopg.Connection) -> None:
        rows = conn.execute(_HOLDERS, {"pid": self._pid}).fetchall()
        if rows:
            self.told = "; ".join(_told(*row[:6]) for row in rows)
            self.todo = " ".join(_todo(row[0], row[1]) for row in rows if not row[6])
            if self._tell is not None:
                self._tell(self.told)


def _told(pid: str | None, name: str, role: str, state: str, seconds: float | None, query: str) -> str:
    age = "" if seconds is None else f" for {duration(seconds)}"
    if pid is None:
        return f"the prepared transaction {visible(name)!r} of {visible(role)}{age}"
    words = visible(" ".join(query.split()))
    said = f": {words[:_SHOWN]}{'…' if len(words) > _SHOWN else ''}" if words else ""
    return f"pid {pid} ({', '.join(visible(each) for each in (name, role) if each)}), {state or 'at work'}{age}{said}"


def _todo(pid: str | None, name: str) -> str:
    if pid is None:
        quoted = visible(name).replace("'", "''")
        return f"`COMMIT PREPARED '{quoted}'` or `ROLLBACK PREPARED '{quoted}'` ends it."
    return f"`SELECT pg_terminate_backend({pid})` ends it."
