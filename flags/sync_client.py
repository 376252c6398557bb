"""The client for code without an event loop: the same cache, kept up to date by a daemon thread.

It does what `flags.client` does, with psycopg: LISTEN first, snapshot second, a new snapshot after each notification
and every `poll` seconds, growing pauses while the database is away. Answering never waits for the thread. A fork leaves
the thread in the parent: the child (a worker of a server that loads the application first) begins one of its own, with
a connection of its own.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import tuple_row

from .answers import Answers
from .bell import Bell
from .queries import load

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import psycopg


_FIRST_PAUSE_S: Final = 0.1
_LOOK_UP_S: Final = 0.25  # how often the waiting thread looks whether it is to end
_TIMEOUT_S: Final = 5.0

Connect = Callable[[], "psycopg.Connection[Any]"]


class FlagClient(Answers):
    """Answers from memory; `with FlagClient(lambda: connect(dsn, role="flags")) as flags: ...`."""

    def __init__(self, connect: Connect, *, poll: float = 5.0, listen: bool = True) -> None:
        """`connect` opens an autocommit connection of its own, direct where possible; `poll` is in seconds."""
        super().__init__()
        self._connect = connect
        self._poll = poll
        self._listen = listen
        self._thread: threading.Thread | None = None
        self._known = threading.Event()
        self._ending = threading.Event()
        self._pause = _FIRST_PAUSE_S
        self.on_contact: Callable[[bool], None] | None = None
        """Told whether the database answered, after each look; for providers that report it."""
        if sys.platform != "win32":
            os.register_at_fork(after_in_child=_begin_anew(weakref.ref(self)))

    def start(self, *, wait: float = _TIMEOUT_S) -> bool:
        """Begin to follow the flags; wait for the first snapshot. False, and no error, if none came in time."""
        if self._thread is None:
            self._ending.clear()
            self._thread = threading.Thread(target=self._follow, name="changeover-flags", daemon=True)
            self._thread.start()
        return self._known.wait(wait)

    def forked(self) -> None:
        """In the child of a fork: what another thread held is free, and the flags are followed here, too."""
        self._known, self._ending = threading.Event(), threading.Event()
        self.cache.forked()
        if self._thread is not None:
            self._thread = None
            self.start(wait=0)

    def close(self) -> None:
        """Stop following; the last known values go on answering."""
        if self._thread is not None:
            self._ending.set()
            self._thread.join(_TIMEOUT_S)
            self._thread = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.close()

    def _contact(self, *, there: bool) -> None:
        if self.on_contact is not None:
            with suppress(Exception):  # whoever is told must not end the thread
                self.on_contact(there)

    def _follow(self) -> None:
        while not self._ending.is_set():
            try:
                with self._connect() as conn:
                    self._follow_on(conn)
            except Exception as exc:  # noqa: BLE001 - whatever ails the database is not the application's affair
                self.last_error = exc
                self._contact(there=False)
            self._ending.wait(self._pause)
            self._pause = min(self._pause * 2, self._poll)

    def _follow_on(self, conn: psycopg.Connection[Any]) -> None:
        rows, bell, rung = conn.cursor(row_factory=tuple_row), Bell(), False
        if self._listen:
            conn.execute("LISTEN changeover_flags")
        while not self._ending.is_set():
            changed = self.cache.replace(rows.execute(load("snapshot.sql")).fetchall())
            bell.looked(rung=rung, changed=changed)
            self._last_contact = time.monotonic()
            self._pause = _FIRST_PAUSE_S
            self._known.set()
            self._contact(there=True)
            rung = self._wait(conn, bell.pause)

    def _wait(self, conn: psycopg.Connection[Any], pause: float) -> bool:
        """Wait until it is time to read again; True if that is for a notification."""
        until = time.monotonic() + self._poll
        while not self._ending.is_set() and (left := until - time.monotonic()) > 0:
            if not self._listen:
                self._ending.wait(min(left, _LOOK_UP_S))
            elif any(True for _ in conn.notifies(timeout=min(left, _LOOK_UP_S), stop_after=1)):
                # Those that follow are taken off the line: a listener that does not read fills the server's queue.
                resume = time.monotonic() + pause
                while not self._ending.is_set() and (left := resume - time.monotonic()) > 0:
                    for _ in conn.notifies(timeout=min(left, _LOOK_UP_S)):
                        pass
                return True
        return False


def _begin_anew(client: weakref.ref[FlagClient]) -> Callable[[], None]:
    def in_child() -> None:
        if (there := client()) is not None:
            there.forked()

    return in_child
