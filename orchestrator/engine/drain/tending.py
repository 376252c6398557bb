"""Draining between runs.

While a job runs it drains what the mirrors leave behind. Between jobs, and as long as the archive is kept, writers in
REPEATABLE READ or SERIALIZABLE leave keys that nobody drains: `changeover drain --every 5` does. It takes no lease,
because it stands in nobody's way: a drain excludes batches by its own lock, and draining a key twice changes nothing.
As in a job it gives way: it waits 100 ms for a lock, and a transaction of several keys ends before anybody who waits
for its rows makes PostgreSQL look for a circle (`deadlock_timeout`).
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import errors

from backfill.errors import drain_todo
from orchestrator.engine import queries
from orchestrator.engine.contract import usage
from orchestrator.engine.drain.drain import drain_source
from orchestrator.engine.session import open_ledger
from orchestrator.kernel.events import Bus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from orchestrator.ledger.store import Ledger

_KEYS: Final = 200
_FIRST_KEYS: Final = 32
_ROUNDS: Final = 10_000
_TURNS: Final = 10
_TELL_S: Final = 2.0
_ANOTHER_TIME: Final = (
    *(errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure),
    *(errors.QueryCanceled, errors.UndefinedFunction),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Keys of one source that wait."""

    source: str
    mapping: str
    keys: int
    since: datetime
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Drained:
    """What one round has done, and what is left."""

    drained: int
    waiting: list[Waiting]

    @property
    def todo(self) -> str:
        """What to do about what waits."""
        return drain_todo([each.last_error for each in self.waiting if each.last_error])


def drain(
    dsn: str,
    *,
    plan: str | None = None,
    operator: str,
    bus: Bus | None = None,
    stop: threading.Event | None = None,
) -> Drained:
    """Drain what waits, of one plan or of all; what cannot be drained now is told, and stays."""
    stop = stop or threading.Event()
    with open_ledger(dsn, operator) as ledger, usage.ours(ledger.conn, plan):
        drained = 0
        told = _Told(ledger, plan, bus or Bus())
        # Draining a key may leave keys that hang on it to a source that has had its turn. Writers add some as well, so
        # the turns are bounded.
        for _ in range(_TURNS):
            of_turn = sum(_drain(ledger, row[0], told, stop) for row in _waiting(ledger, plan))
            drained += of_turn
            if stop.is_set():
                break
            if not of_turn:
                pause = _looked_at_again(ledger, plan)
                if pause is None:
                    break
                time.sleep(pause)
        return Drained(drained, [Waiting(*row[1:]) for row in _waiting(ledger, plan)])


def _looked_at_again(ledger: Ledger, plan: str | None) -> float | None:
    """How long a note of a looked-up row waits for its second look, if that is soon."""
    row = ledger.conn.execute(queries.load("looked_at_again.sql"), {"plan": plan}).fetchone()
    return None if row is None else row[0]


def _waiting(ledger: Ledger, plan: str | None) -> list[tuple[Any, ...]]:
    return ledger.conn.execute(queries.load("waiting_sources.sql"), {"plan": plan}).fetchall()


class _Told:
    """Tells now and then how far it is. What waits is counted only then: of many keys that takes a while, too."""

    def __init__(self, ledger: Ledger, plan: str | None, bus: Bus) -> None:
        self._ledger, self._plan, self._bus = ledger, plan, bus
        self._next = time.monotonic() + _TELL_S
        self._drained = 0

    def more(self, drained: int) -> None:
        self._drained += drained
        if time.monotonic() >= self._next:
            waiting = sum(row[3] for row in _waiting(self._ledger, self._plan))
            self._bus.emit("drain.progress", drained=self._drained, waiting=waiting)
            self._next = time.monotonic() + _TELL_S


def _drain(ledger: Ledger, source: int, told: _Told, stop: threading.Event) -> int:
    """Drain the keys of one source as far as they go."""
    total, keys = 0, _FIRST_KEYS
    for _ in range(_ROUNDS):
        if stop.is_set():
            break
        drained, remaining, hindered = 0, 0, True
        with _hindered(), ledger.transaction():
            ledger.conn.execute(queries.load("give_way.sql"), {"whole": keys > 1})
            drained, remaining = drain_source(ledger.conn, source, keys)
            hindered = False
        total += drained
        told.more(drained)
        if hindered and keys > 1:
            keys = max(1, keys // 4)  # what one key alone holds up is tried without the others
        elif drained == 0 or remaining == 0:
            break
        else:
            keys = min(_KEYS, keys * 2)
    return total


@contextmanager
def _hindered() -> Iterator[None]:
    """Somebody's lock or newer row, our own time, or a rollback that has just taken the function away: another time."""
    try:
        yield
    except _ANOTHER_TIME:
        return
