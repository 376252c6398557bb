"""Statements that wait for each other: run one in a thread, and know when it waits for a lock."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

_PATIENCE = 60.0


class Waiting:
    """A statement under way in another thread."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def result(self) -> Any:
        """What it gave, or its error."""
        return self._future.result(_PATIENCE)

    @property
    def done(self) -> bool:
        return self._future.done()


class Threads:
    """Runs statements in threads; `watcher` is a session of its own that looks on."""

    def __init__(self, watcher: psycopg.Connection[Any]) -> None:
        self._watcher = watcher
        self._pool = ThreadPoolExecutor(max_workers=8)

    def start(self, conn: psycopg.Connection[Any], statement: str, *, waits: bool = True) -> Waiting:
        """Send a statement; come back when it waits for a lock, or is done."""
        future = self._pool.submit(conn.execute, statement.encode())
        end = time.monotonic() + _PATIENCE
        while waits and not future.done() and time.monotonic() < end:
            state = self._watcher.execute(
                "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", (conn.info.backend_pid,)
            ).fetchone()
            if state == (True,):
                break
            time.sleep(0.005)
        return Waiting(future)

    def close(self) -> None:
        """Wait for all of them."""
        self._pool.shutdown()


@contextmanager
def threads(watcher: psycopg.Connection[Any]) -> Iterator[Threads]:
    """Threads that end with the block."""
    made = Threads(watcher)
    try:
        yield made
    finally:
        made.close()
