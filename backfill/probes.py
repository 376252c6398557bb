"""Measuring how busy the database is. What follows from it is decided in `pacing.throttle`.

Each probe is one query that returns one number, over a connection of its own with a short `statement_timeout`
that can only read. An ordinary owner must be able to read them (no superuser), so they use pg_locks rather than
pg_stat_activity wherever they can: the latter hides the sessions of others from those without
pg_read_all_stats. A probe that fails, or returns NULL, is *unreadable*, and that counts as too much; the
operator who cannot give the right sets no limit.

Only probes that have a limit are measured. The age of the oldest transaction is the exception to one query:
pg_locks shows everybody's transactions, but not since when, so `Probes` remembers when it first saw each.
"""

from __future__ import annotations

import asyncio
import time
import urllib.request
from typing import TYPE_CHECKING, Final

from backfill.compose import load
from backfill.pacing import Reading
from orchestrator.kernel.errors import sqlstate_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import asyncpg

    from backfill.pacing import Limit
    from backfill.settings import CustomProbe

OLDEST: Final = "oldest_transaction_seconds"
_TIMEOUT_SECONDS: Final = 2.0
_LONGEST_ANSWER: Final = 64


class Probes:
    """All probes of one run."""

    def __init__(self, limits: Mapping[str, Limit], custom: Sequence[CustomProbe]) -> None:
        known = {
            "replica_lag_seconds",
            "archive_backlog_segments",
            "lock_waiters",
            "active_sessions",
            "autovacuum",
            OLDEST,
        }
        names = [probe.name for probe in custom]
        unknown = set(limits) - known
        if unknown or known & set(names) or len(set(names)) < len(names):
            message = f"unknown or repeated probes: {sorted(unknown) or names}"
            raise ValueError(message)
        self._custom = {probe.name: probe for probe in custom}
        self.limits: dict[str, Limit] = {**limits, **{probe.name: probe.limit for probe in custom}}
        self._first_seen: dict[str, float] = {}

    async def measure(self, conn: asyncpg.Connection, ours: Sequence[int], tables: Sequence[int]) -> list[Reading]:
        """Read every probe that has a limit. `ours` are our server processes, `tables` the sources being copied."""
        queries: dict[str, Callable[[], Awaitable[float | None]]] = {
            "replica_lag_seconds": lambda: conn.fetchval(load("probe_replica_lag.sql")),
            "archive_backlog_segments": lambda: conn.fetchval(load("probe_archive_backlog.sql")),
            "lock_waiters": lambda: conn.fetchval(load("probe_lock_waiters.sql"), list(ours)),
            "active_sessions": lambda: conn.fetchval(load("probe_active_sessions.sql"), list(ours)),
            "autovacuum": lambda: conn.fetchval(load("probe_autovacuum.sql"), list(tables), list(ours)),
            OLDEST: lambda: self._oldest(conn, ours),
        }
        readings = []
        for name in self.limits:
            query = queries.get(name) or self._question(conn, self._custom[name])
            readings.append(await _read(conn, name, query))
        return readings

    async def _oldest(self, conn: asyncpg.Connection, ours: Sequence[int]) -> float:
        """Age of the oldest transaction: as the server says, or at least since we first saw it."""
        now = time.monotonic()
        rows = await conn.fetch(load("probe_transactions.sql"), list(ours))
        self._first_seen = {row["id"]: self._first_seen.get(row["id"], now) for row in rows}
        return max((max(row["age"] or 0.0, now - self._first_seen[row["id"]]) for row in rows), default=0.0)

    def _question(self, conn: asyncpg.Connection, probe: CustomProbe) -> Callable[[], Awaitable[float | None]]:
        async def measured() -> float | None:
            before = time.perf_counter()
            value = await (asyncio.to_thread(_get, probe) if probe.url else conn.fetchval(probe.sql))
            return (time.perf_counter() - before) * 1000 if probe.latency else value

        return measured


def _get(probe: CustomProbe) -> float | None:
    """Ask an address. Anything but a good answer raises, which makes the probe unreadable."""
    with urllib.request.urlopen(probe.url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - see CustomProbe
        text = answer.read(_LONGEST_ANSWER)
    return None if probe.latency else float(text)


async def _read(conn: asyncpg.Connection, name: str, query: Callable[[], Awaitable[float | None]]) -> Reading:
    """Run one probe; whatever goes wrong in it makes it unreadable, never the copy fail."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS), conn.transaction(readonly=True):
            await conn.execute(load("probe_begin.sql"))
            value = await query()
            return Reading(name, None if value is None else float(value), "no value" if value is None else "")
    except Exception as exc:  # noqa: BLE001 - see above
        return Reading(name, None, sqlstate_of(exc) or type(exc).__name__)
