"""Bounded waiting for locks: how DDL is run without the application queueing behind it.

A DDL statement that waits for its lock stands in the lock's queue, and every later reader and writer of
that table stands behind it: a single long transaction of the application plus one ALTER TABLE is an
outage. So each attempt waits only briefly (`lock_timeout`, local to its transaction), gives up, lets the
queue pass, and comes again after an exponentially growing pause with jitter; after the last attempt it
raises `LockTimeoutError` (exit 7) and nothing has changed. Only "lock not available" (55P03) and "deadlock
detected" (40P01) are tried again, by SQLSTATE; any other error is the caller's at once.

`lock_timeout` should stay below the server's `deadlock_timeout` (1 s by default): then, in a circle of waits, it is
we who step out, never the application's transaction. On a table that is written all the time by slow transactions the
first attempts may find no gap: after ten, and again after twenty, one lasts longer, up to 420 ms, which is still less
than a mirror waits (450 ms): else the mirrors of the writers behind us would give up, one after the other.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import pq
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_after_attempt,
    stop_any,
    stop_when_event_set,
    wait_exponential,
    wait_random,
)

from orchestrator.kernel import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg.abc import Query

    from orchestrator.kernel.lock_holders import LockHolders

LOCK_TIMEOUT_MS: Final = 300
ATTEMPTS: Final = 30
_LONGEST_MS: Final = 420
_PATIENCE_GROWS: Final = 10
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_JITTER_S: Final = 0.1
_SET: Final = "SELECT set_config('lock_timeout', %s, false)"
_AGAIN: Final = {errors.LOCK_NOT_AVAILABLE, errors.DEADLOCK_DETECTED}


def run_bounded(  # noqa: PLR0913 - how long, and who is told
    conn: psycopg.Connection,
    statement: Query,
    *,
    lock_timeout_ms: int = LOCK_TIMEOUT_MS,
    attempts: int = ATTEMPTS,
    on_retry: Callable[[int, str], None] | None = None,
    within: Callable[[psycopg.Connection], None] | None = None,
    transactional: bool = True,
    holders: LockHolders | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Run a statement in a transaction of its own, trying again while its lock is not to be had.

    `on_retry` is told the number of the failed attempt and its SQLSTATE. `within` is called after the
    statement, in the same transaction: what it writes to the ledger commits with the statement or not
    at all. `transactional=False` is for the statements that refuse a transaction block (CREATE INDEX
    CONCURRENTLY); then the timeout is set for the session and taken back, and `within` runs afterwards.
    From the second attempt on, or in a long one, `holders` sees who has the lock; the error names them. `stop` ends it
    after the attempt in hand.
    """
    if conn.info.transaction_status != pq.TransactionStatus.IDLE:
        message = "run_bounded needs a connection with no open transaction: it must own its locks"
        raise ValueError(message)
    over = stop or threading.Event()
    attempt = _in_transaction if transactional else _outside_transaction

    def before_sleep(state: RetryCallState) -> None:
        if on_retry and state.outcome and (failure := state.outcome.exception()):
            on_retry(state.attempt_number, errors.sqlstate_of(failure) or "")

    retrying = Retrying(
        retry=retry_if_exception(lambda exc: errors.sqlstate_of(exc) in _AGAIN),
        stop=stop_any(stop_after_attempt(attempts), stop_when_event_set(over)),
        wait=wait_exponential(multiplier=_FIRST_PAUSE_S, max=_LONGEST_PAUSE_S) + wait_random(0, _JITTER_S),
        before_sleep=before_sleep,
        sleep=sleep_using_event(over),
        reraise=True,
    )
    try:
        for each in retrying:
            with each:
                longer = min(
                    lock_timeout_ms * (1 + (each.retry_state.attempt_number - 1) // _PATIENCE_GROWS), _LONGEST_MS
                )
                timeout = max(lock_timeout_ms, longer)
                watched = holders is not None and (each.retry_state.attempt_number > 1 or timeout > _LONGEST_MS)
                with holders.looking(timeout) if holders is not None and watched else nullcontext():
                    attempt(conn, statement, timeout, within)
    except psycopg.Error as exc:
        if (state := errors.sqlstate_of(exc)) in _AGAIN:
            told, todo = ("", "") if holders is None else (holders.told, holders.todo)
            raise errors.LockTimeoutError(
                f"The lock was not available in {attempts} attempts of {lock_timeout_ms} ms: {exc}".strip()
                + (f"; it was held by {told}." if told else ""),
                kept="Nothing was changed by this statement.",
                todo=f"{todo or 'Look for long transactions in pg_stat_activity.'} Then run the same command again.",
                sqlstate=state,
            ) from exc
        raise


def _in_transaction(
    conn: psycopg.Connection,
    statement: Query,
    lock_timeout_ms: int,
    within: Callable[[psycopg.Connection], None] | None,
) -> None:
    with conn.transaction():
        conn.execute("SELECT set_config('lock_timeout', %s, true)", (f"{lock_timeout_ms}ms",))
        conn.execute(statement)
        if within:
            within(conn)


def _outside_transaction(
    conn: psycopg.Connection,
    statement: Query,
    lock_timeout_ms: int,
    within: Callable[[psycopg.Connection], None] | None,
) -> None:
    if not conn.autocommit:
        message = "a statement outside a transaction needs a connection in autocommit mode"
        raise ValueError(message)
    before = conn.execute("SELECT current_setting('lock_timeout')").fetchone()
    assert before is not None  # noqa: S101 - there is such a setting
    conn.execute(_SET, (f"{lock_timeout_ms}ms",))
    try:
        conn.execute(statement)
    finally:
        if not conn.broken:
            conn.execute(_SET, before)
    if within:
        within(conn)
