"""The asyncio client: flags in memory, kept up to date by LISTEN/NOTIFY and by polling.

One task holds one connection. It listens first and reads a snapshot second, so that no change falls between the two,
and reads again after each notification and every `poll` seconds: behind a transaction pooler no notification ever
arrives, and a connection that died silently shows itself that way. A notification is a bell (see `bell`):
nothing is taken from its text. Without a database the last known values stand, and the task tries again with growing
pauses. Nothing here raises into the application: an answer is a look into a dict, and a flag nobody has heard of reads
the old side.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from .answers import Answers
from .bell import Bell
from .queries import load

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import asyncpg


CHANNEL: Final = "changeover_flags"
_FIRST_PAUSE_S: Final = 0.1
_TIMEOUT_S: Final = 5.0

Connect = Callable[[], Awaitable["asyncpg.Connection"]]


class AsyncFlagClient(Answers):
    """Answers from memory; `async with AsyncFlagClient(lambda: connect_rows(dsn, "flags")) as flags: ...`."""

    def __init__(self, connect: Connect, *, poll: float = 5.0, listen: bool = True) -> None:
        """`connect` opens a connection of its own, direct where possible; `poll` is in seconds."""
        super().__init__()
        self._connect = connect
        self._poll = poll
        self._listen = listen
        self._task: asyncio.Task[None] | None = None
        self._known = asyncio.Event()
        self._pause = _FIRST_PAUSE_S

    async def start(self, *, wait: float = _TIMEOUT_S) -> bool:
        """Begin to follow the flags; wait for the first snapshot. False, and no error, if none came in time."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name="changeover-flags")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._known.wait()
        return self._known.is_set()

    async def close(self) -> None:
        """Stop following; the last known values go on answering."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.close()

    async def _follow(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    conn = await self._connect()
                try:
                    await self._follow_on(conn)
                finally:
                    await _close(conn)
            except Exception as exc:  # noqa: BLE001 - whatever ails the database is not the application's affair
                self.last_error = exc
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, self._poll)

    async def _follow_on(self, conn: asyncpg.Connection) -> None:
        wake, bell, rung = asyncio.Event(), Bell(), False
        conn.add_termination_listener(lambda _conn: wake.set())
        if self._listen:
            async with asyncio.timeout(_TIMEOUT_S):
                await conn.add_listener(CHANNEL, lambda *_: wake.set())
        while not conn.is_closed():
            wake.clear()
            async with asyncio.timeout(_TIMEOUT_S):
                rows = await conn.fetch(load("snapshot.sql"))
            bell.looked(rung=rung, changed=self.cache.replace([tuple(row.values()) for row in rows]))
            self._last_contact = time.monotonic()
            self._pause = _FIRST_PAUSE_S
            self._known.set()
            rung = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    rung = await wake.wait()
            if rung and not conn.is_closed():
                await asyncio.sleep(bell.pause)


async def _close(conn: asyncpg.Connection) -> None:
    try:
        async with asyncio.timeout(1):
            await conn.close()
    except Exception:  # noqa: BLE001 - it is to go away, one way or the other
        conn.terminate()
