"""Settling between runs.

While a job runs it settles what the mirrors leave behind. Between jobs, and as long as the archive is kept, writers in
REPEATABLE READ or SERIALIZABLE leave keys that nobody settles: `changeover settle --every 5` does. It takes no lease,
because it stands in nobody's way: a sweep excludes batches by its own lock, and settling a key twice changes nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import errors

from orchestrator.engine import settling
from orchestrator.engine.session import open_ledger
from orchestrator.kernel import sqlfiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from orchestrator.ledger.store import Ledger

_KEYS: Final = 200
_ROUNDS: Final = 10_000
_TURNS: Final = 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """Keys of one source that wait."""

    source: str
    mapping: str
    keys: int
    since: datetime
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What one round has done, and what is left."""

    settled: int
    waiting: list[Waiting]


def settle(dsn: str, *, plan: str | None = None, operator: str) -> Settled:
    """Settle what waits, of one plan or of all; what cannot be settled now is told, and stays."""
    with open_ledger(dsn, operator) as ledger:
        settled = 0
        # Settling a key may leave keys that hang on it to a source that has had its turn. Writers add some as well, so
        # the turns are bounded.
        for _ in range(_TURNS):
            of_turn = sum(_sweep(ledger, row[0]) for row in _waiting(ledger, plan))
            settled += of_turn
            if not of_turn:
                break
        return Settled(settled, [Waiting(*row[1:]) for row in _waiting(ledger, plan)])


def _waiting(ledger: Ledger, plan: str | None) -> list[tuple[Any, ...]]:
    return ledger.conn.execute(sqlfiles.load(__package__, "waiting_sources.sql"), {"plan": plan}).fetchall()


def _sweep(ledger: Ledger, source: int) -> int:
    """Settle the keys of one source as far as they go."""
    total = 0
    for _ in range(_ROUNDS):
        settled = remaining = 0
        with _hindered(), ledger.transaction():
            # Briefly: behind one who waits for the sweeper's lock every batch would queue.
            ledger.conn.execute("SET LOCAL lock_timeout = '1s'")
            settled, remaining = settling.sweep(ledger.conn, source, _KEYS)
        total += settled
        if settled == 0 or remaining == 0:
            break
    return total


@contextmanager
def _hindered() -> Iterator[None]:
    """Somebody's lock, somebody's newer row, or a rollback that has just taken the function away: another time."""
    try:
        yield
    except (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure, errors.UndefinedFunction):
        return
