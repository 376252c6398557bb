"""Draining what the mirrors have left behind, where somebody is about to rely on one side alone.

A mirror that was hindered leaves its key in `queue`. As long as both sides are there that is no harm: the next
drain drains it. But old code that is given the view instead of the table must find its last write there, and new
tables that are about to be emptied must have given theirs away. So it is drained twice: at leisure while everybody
works, and what came in between under the lock that keeps the writers of that side out. If something still waits
then (its row is locked by somebody), the lock is given back, and the whole is tried again.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, Literal

import psycopg

from backfill.drain import drain_until_empty
from backfill.refs import SourceRef
from orchestrator.engine import queries
from orchestrator.kernel.errors import LockTimeoutError, RetryableError, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg.abc import Query

    from orchestrator.engine.session import Session
    from orchestrator.ledger.sources import Source

Direction = Literal["forward", "reverse"]
COUNTED: Final = 1000
"""Of keys that still wait, a drain counts no more."""
_KEYS: Final = 1000
_ROUNDS: Final = 20
_PAUSE_S: Final = 0.2


class _StillWaitingError(Exception):
    """Keys could not be drained under the lock; nothing has been changed."""


def drain_source(conn: psycopg.Connection[Any], source: int, keys: int) -> tuple[int, int]:
    """Drain up to so many keys of a source: how many were, and how many still wait (`COUNTED` at most)."""
    row = conn.execute("SELECT drained, remaining FROM changeover.drain(%s, %s)", (source, keys)).fetchone()
    assert row is not None  # noqa: S101 - the function returns its row
    return int(row[0]), int(row[1])


def empty_queue(session: Session, sources: Sequence[Source], direction: Literal["reverse"] | None = None) -> None:
    """Drain the queue of these sources while everybody works.

    On the way back only what the new side wrote holds up (``reverse``): what waits to reach the new tables goes
    with them, or may wait on.
    """
    refs = [SourceRef(s.id, s.name, s.oid) for s in sources if s.state != "found"]
    if refs:
        draining = drain_until_empty(
            session.dsn, refs, bus=session.bus, stop=asyncio.Event(), fence=session.fence, direction=direction
        )
        asyncio.run(draining)


def under_lock(
    session: Session,
    sources: Sequence[Source],
    direction: Direction | Literal["both"],
    statement: Query,
    within: Callable[[psycopg.Connection[Any]], None],
) -> None:
    """Run a statement that keeps the writers of one side out; drain what they left; then do the rest.

    ``direction`` is the side whose writers are kept out: forward for those of the old tables; both where they are one.
    """
    ids = [s.id for s in sources if s.state != "found"]

    def rest(conn: psycopg.Connection[Any]) -> None:
        ways: tuple[Direction, ...] = ("reverse", "forward") if direction == "both" else (direction,)
        if any(_drain(conn, ids, way) for way in ways):
            raise _StillWaitingError
        within(conn)

    for number in range(_ROUNDS):
        empty_queue(session, sources, "reverse" if direction == "reverse" else None)
        try:
            session.bounded(statement, within=rest)
        except _StillWaitingError:
            session.bus.emit("drain.retry", attempt=number + 1)
            time.sleep(_PAUSE_S)
        except (psycopg.Error, LockTimeoutError) as exc:
            error = translate(exc)
            error.what = f"{', '.join(s.name for s in sources)}: {error.what}"
            raise error from exc
        else:
            return
    raise RetryableError(
        f"Writes of {', '.join(s.name for s in sources)} wait for their mirror and cannot be drained now.",
        kept="Nothing was changed; they wait in changeover.queue, with what hinders them.",
        todo="Look for long transactions in pg_stat_activity, then run the same command again.",
    )


def _drain(conn: psycopg.Connection[Any], ids: list[int], direction: Direction) -> int:
    """Drain what waits now; how many keys of this direction are left."""
    query = queries.load("waiting.sql")
    values = {"ids": ids, "direction": direction}
    for source, _ in conn.execute(query, values).fetchall():
        drain_source(conn, source, _KEYS)
    return sum(int(row[1]) for row in conn.execute(query, values).fetchall())
