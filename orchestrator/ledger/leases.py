"""Leases: one runner at a time per plan, and a runner that has lost its lease cannot commit another batch.

Time alone cannot give that: a runner may be paused between its last look at the clock and its commit. So
each lease has an epoch that grows with every owner, and each transaction that works under it begins with the
**fence** (`FENCE_SQL`): it finds the lease row only under our epoch and locks it until the commit. A takeover locks the
same row FOR UPDATE, so it waits for such a transaction to end or comes before it, in which case the fence finds
nothing. There is no moment in between.

A takeover of a lease that ran out does not wait for a runner that hangs: it ends the backends that enlisted under that
lease (`ENLIST_SQL`; the one that acquires or heartbeats is enlisted by that). A lease can be taken when it was
released, when it ran out, or when every backend that worked under it is gone, so that after a kill -9 the same command
goes on at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import pq
from psycopg.rows import class_row

from orchestrator.kernel import advisory_locks, sqlfiles
from orchestrator.kernel.errors import LOCK_NOT_AVAILABLE, sqlstate_of
from orchestrator.kernel.words import moment
from orchestrator.ledger.errors import LeaseHeldError, LeaseLostError
from orchestrator.ledger.store import About, Ledger

if TYPE_CHECKING:
    from datetime import datetime

FENCE_SQL: Final = sqlfiles.load(__package__, "fence.sql")
"""First statement of a transaction under the lease, for asyncpg: $1 plan, $2 epoch. No row: the lease is lost."""

ENLIST_SQL: Final = sqlfiles.load(__package__, "lease_enlist.sql")
"""First statement of a connection that will work under the lease, for asyncpg: $1 plan, $2 epoch. No row: lost."""

TTL_S: Final = 30.0
_PATIENCE_MS: Final = 2_000
_END_BACKEND_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as the server sees it; `state` is held, expired, released or abandoned (see lease_state.sql)."""

    plan: str
    owner: str
    epoch: int
    pids: list[int]
    acquired_at: datetime
    heartbeat_at: datetime
    expires_at: datetime | None
    state: str


def acquire(ledger: Ledger, plan: str, owner: str, *, ttl: float = TTL_S) -> int:
    """Take the lease of a plan, and return its epoch.

    `owner` should name host and process; it is shown to whoever comes second. Raises LeaseHeldError while
    another owner is alive. Needs a connection without an open transaction: the lease must be visible at once.
    """
    conn = ledger.conn
    if conn.info.transaction_status != pq.TransactionStatus.IDLE:
        message = "a lease is acquired outside of any transaction: others must see it at once"
        raise ValueError(message)
    values = {"plan": plan, "owner": owner, "ttl": ttl}
    try:
        with conn.transaction():
            _lock_timeout(conn, _PATIENCE_MS)
            first = conn.execute(_load("lease_claim.sql"), values).fetchone()
            if first is not None:
                epoch = int(first[0])
                ledger.event("lease.acquired", About(plan), owner=owner, epoch=epoch)
                return epoch
            conn.execute(_load("lease_serialize.sql"))
            return _take_over(ledger, plan, values)
    except psycopg.Error as exc:
        if sqlstate_of(exc) != LOCK_NOT_AVAILABLE:
            raise
        error = LeaseHeldError(
            f"The lease of plan {plan} could not be taken: transactions under it, or another runner, are in the way.",
            kept="Nothing was changed.",
            todo="Look for sessions named changeover/... in pg_stat_activity, then run the same command again.",
            sqlstate=LOCK_NOT_AVAILABLE,
        )
        raise advisory_locks.blamed(conn, error) from exc


def heartbeat(conn: psycopg.Connection[Any], plan: str, epoch: int, *, ttl: float = TTL_S) -> None:
    """Prolong the lease; raises LeaseLostError when it is no longer ours."""
    if conn.execute(_load("lease_heartbeat.sql"), {"plan": plan, "epoch": epoch, "ttl": ttl}).rowcount != 1:
        raise LeaseLostError(plan, epoch)


def enlist(conn: psycopg.Connection[Any], plan: str, epoch: int) -> None:
    """Say that this connection works under the lease, so that a takeover ends it should it hang."""
    if psycopg.RawCursor(conn).execute(ENLIST_SQL, (plan, epoch)).fetchone() is None:
        raise LeaseLostError(plan, epoch)


def fence(conn: psycopg.Connection[Any], plan: str, epoch: int) -> None:
    """Make this transaction able to commit only under the lease; raises LeaseLostError when it is lost."""
    if conn.autocommit and conn.info.transaction_status == pq.TransactionStatus.IDLE:
        message = "the fence belongs into the transaction that it guards"
        raise ValueError(message)
    if psycopg.RawCursor(conn).execute(FENCE_SQL, (plan, epoch)).fetchone() is None:
        raise LeaseLostError(plan, epoch)


def release(ledger: Ledger, plan: str, epoch: int) -> bool:
    """Give the lease back; False when it was not ours any more, which is no harm."""
    with ledger.transaction():
        given = ledger.conn.execute(_load("lease_release.sql"), {"plan": plan, "epoch": epoch}).rowcount == 1
        if given:
            ledger.event("lease.released", About(plan), epoch=epoch)
    return given


def current(conn: psycopg.Connection[Any], plan: str) -> Lease | None:
    """The lease of a plan, None if there never was one."""
    return conn.cursor(row_factory=class_row(Lease)).execute(_load("lease_state.sql"), {"plan": plan}).fetchone()


def _take_over(ledger: Ledger, plan: str, values: dict[str, Any]) -> int:
    conn = ledger.conn
    former = current(conn, plan)
    if former is None or former.state == "held":
        raise _held(plan, former)
    ended: list[int] = []
    target = {**values, "epoch": former.epoch, "pids": former.pids, "wait_ms": _END_BACKEND_MS}
    if former.state == "expired":
        # Not only those that would block us: a hanging runner's DDL passes no fence and must not go on either.
        ended = _end_backends(conn, target, blocking=False)
    if not _locked(conn, target):
        raise _held(plan, current(conn, plan))
    taken = conn.execute(_load("lease_take.sql"), target).fetchone()
    if taken is None:
        raise _held(plan, current(conn, plan))
    epoch = int(taken[0])
    detail = {"owner": values["owner"], "epoch": epoch, "from": former.owner, "because": former.state, "ended": ended}
    ledger.event("lease.taken", About(plan), **detail)
    return epoch


def _locked(conn: psycopg.Connection[Any], target: dict[str, Any]) -> bool:
    """Lock the lease row against every fence; False when its epoch has moved on meanwhile."""
    try:
        with conn.transaction():
            return conn.execute(_load("lease_lock.sql"), target).fetchone() is not None
    except psycopg.errors.LockNotAvailable:
        # Somebody who did not enlist holds a fence: ended by the lock that it holds.
        _end_backends(conn, target, blocking=True)
        return conn.execute(_load("lease_lock.sql"), target).fetchone() is not None


def _end_backends(conn: psycopg.Connection[Any], target: dict[str, Any], *, blocking: bool) -> list[int]:
    rows = conn.execute(_load("lease_end_backends.sql"), {**target, "blocking": blocking})
    return [int(row[0]) for row in rows]


def _held(plan: str, lease: Lease | None) -> LeaseHeldError:
    if lease is None:
        return LeaseHeldError(
            f"The lease of plan {plan} is being taken by another runner.", kept="Nothing was changed."
        )
    beat = moment(lease.heartbeat_at)
    free = "soon" if lease.expires_at is None else f"at {moment(lease.expires_at)}"
    return LeaseHeldError(
        f"{lease.owner} holds the lease of plan {plan} (epoch {lease.epoch}, last heartbeat {beat}).",
        kept="Nothing was changed.",
        todo=f"Wait for it, or stop it; without a heartbeat the lease is free {free}.",
    )


def _lock_timeout(conn: psycopg.Connection[Any], milliseconds: int) -> None:
    conn.execute("SELECT set_config('lock_timeout', %s, true)", (f"{milliseconds}ms",))


def _load(file: str) -> str:
    return sqlfiles.load(__package__, file)
