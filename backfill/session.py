"""A worker's connection, replaced when it is lost, for a bounded time.

A restart of the server or a failover is an ordinary event in a copy that takes hours. What was in flight is
rolled back by the server, what was committed stands in the chunks, so a worker needs nothing but a new
connection. How long it tries is bounded; the pause between tries grows.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backfill.errors import FenceLostError
from backfill.faults import Fault, backoff, classify
from orchestrator.kernel.connections import connect_rows
from orchestrator.kernel.errors import sqlstate_of, translate

if TYPE_CHECKING:
    import asyncpg

    from backfill.refs import Fence
    from orchestrator.kernel.events import Bus

_TOO_MANY_CONNECTIONS = "53300"
_CLOSE_SECONDS = 5.0
_FIRST_ATTEMPTS = 3
_ENLIST_SECONDS = 10.0


class Session:
    """One connection at a time, opened when it is asked for."""

    def __init__(self, dsn: str, role: str, bus: Bus, *, reconnect_seconds: float, fence: Fence | None = None) -> None:
        self._dsn = dsn
        self._role = role
        self._bus = bus
        self._reconnect = reconnect_seconds
        self._fence = fence
        self._conn: asyncpg.Connection | None = None
        self._opened = False

    @property
    def pid(self) -> int | None:
        """The server process, if there is a connection."""
        return None if self._conn is None or self._conn.is_closed() else self._conn.get_server_pid()

    async def connection(self) -> asyncpg.Connection:
        """Return the connection; open one if there is none, trying again while that may help."""
        if self._conn is not None and not self._conn.is_closed():
            return self._conn
        deadline = asyncio.get_running_loop().time() + self._reconnect
        attempt = 0
        while True:
            try:
                self._conn = await self._open()
            except Exception as exc:
                attempt += 1
                again = classify(exc) is Fault.LOST or sqlstate_of(exc) == _TOO_MANY_CONNECTIONS
                # The first connection of all is not "re-": a wrong DSN should say so soon.
                if (
                    not again
                    or (attempt >= _FIRST_ATTEMPTS and not self._opened)
                    or asyncio.get_running_loop().time() >= deadline
                ):
                    raise translate(exc) from exc
                self._bus.emit("session.reconnecting", role=self._role, attempt=attempt, sqlstate=sqlstate_of(exc))
                await asyncio.sleep(backoff(attempt))
            else:
                self._opened = True
                return self._conn

    async def _open(self) -> asyncpg.Connection:
        conn = await connect_rows(self._dsn, self._role)
        if self._fence is not None and self._fence.enlist is not None:
            try:
                async with asyncio.timeout(_ENLIST_SECONDS):
                    enlisted = await conn.fetchrow(self._fence.enlist, *self._fence.args)
            except BaseException:
                conn.terminate()
                raise
            if enlisted is None:
                conn.terminate()
                raise FenceLostError
        return conn

    def drop(self) -> None:
        """Let go of a connection that is of no use any more."""
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None

    async def close(self) -> None:
        """End it in an orderly way if possible, at any rate."""
        conn, self._conn = self._conn, None
        if conn is None or conn.is_closed():
            return
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await conn.close()
        except Exception:  # noqa: BLE001 - a session that will not close in time is cut
            conn.terminate()
        except BaseException:
            conn.terminate()
            raise
