"""A session: one operator's hold on one plan. Connection, ledger, run, lease with its heartbeat.

The lease is taken when the session opens and given back when it closes, whatever happens in between. A
thread of its own keeps it alive over a connection of its own: work on the main connection may take long.
Losing the lease stops the work; what the fence guards could not be committed anyway.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import psycopg

from backfill.refs import Fence
from backfill.runtime_settings import RuntimeSettings
from orchestrator.engine import pooler
from orchestrator.engine.contract import usage
from orchestrator.engine.errors import NotInstalledError, RunEndedError, StoppedError
from orchestrator.engine.stage_compiler import StageCompiler
from orchestrator.kernel import locks
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import ChangeoverError, LockTimeoutError, RefusedError, RetryableError, translate
from orchestrator.kernel.events import Bus
from orchestrator.kernel.lock_holders import LockHolders
from orchestrator.ledger import leases, runs, schema
from orchestrator.ledger.errors import DriftError, LeaseHeldError, LeaseLostError
from orchestrator.ledger.store import About, Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg.abc import Query

    from orchestrator.engine.drift.watch import Watch
    from orchestrator.ledger.runs import Run
    from orchestrator.plan.loader import LoadedPlan

_LOOK_S = 0.5
_NO_LEASE: Final = -1
_NOTICE_S = 0.1
_PATIENT_ATTEMPTS = 3


# No such column, function, table.
_LACKS: Final = frozenset({"42703", "42883", "42P01"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a session holds its lease, and who may change the work meanwhile. Times are seconds."""

    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)
    ttl: float = leases.TTL_S
    beat: float = 5.0
    wait: float = 0.0
    """How long to wait for a lease that somebody else holds."""
    lock_timeout_ms: int = locks.LOCK_TIMEOUT_MS
    lock_attempts: int = locks.ATTEMPTS
    patient_ms: int = 600_000
    """How long a statement may wait that nobody queues behind (CREATE INDEX CONCURRENTLY)."""
    poll_s: float = 5.0
    """How often a client of the flags asks for them, at the longest."""


class Stop(threading.Event):
    """A stop of the session's own, which the caller's sets as well, but never the other way.

    Else a lost lease would pass for the caller's Ctrl-C.
    """

    def __init__(self, asked: threading.Event | None) -> None:
        """`asked` is the caller's."""
        super().__init__()
        self._asked = asked or threading.Event()

    def is_set(self) -> bool:
        """Whether to stop, for whatever reason."""
        return super().is_set() or self._asked.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for either."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = _NOTICE_S if deadline is None else min(_NOTICE_S, deadline - time.monotonic())
            if left <= 0:
                break
            self._asked.wait(left)
        return self.is_set()


@dataclass
class Session:
    """What every command that changes something works with."""

    dsn: str
    conn: psycopg.Connection[Any]
    ledger: Ledger
    plan: LoadedPlan
    run: Run
    epoch: int
    bus: Bus
    workers: int
    stop: threading.Event = field(default_factory=threading.Event)
    terms: Terms = field(default_factory=Terms)
    holders: LockHolders | None = None
    """Who holds the lock that the last statement which took locks has waited for."""
    watches: dict[str, Watch] = field(default_factory=dict)
    """What the copies of each stage have seen of its tables."""

    @cached_property
    def compiler(self) -> StageCompiler:
        """The one compiler of the session, which knows what it has compiled."""
        return StageCompiler(self.conn, self.ledger, self.plan)

    @property
    def fence(self) -> Fence:
        """What each batch must pass."""
        return Fence(leases.FENCE_SQL, (self.plan.name, self.epoch), enlist=leases.ENLIST_SQL)

    def bounded(
        self,
        statement: Query,
        *,
        patient: bool = False,
        transactional: bool = True,
        within: Callable[[psycopg.Connection[Any]], None] | None = None,
        on_retry: Callable[[int, str], None] | None = None,
    ) -> None:
        """Run a statement that takes locks, and wait for them as long and as often as the terms say."""
        told = (lambda who: self.bus.emit("lock.waits", held_by=who)) if patient else None
        self.holders = LockHolders(self.dsn, self.conn.info.backend_pid, told)
        try:
            locks.run_bounded(
                self.conn,
                statement,
                lock_timeout_ms=self.terms.patient_ms if patient else self.terms.lock_timeout_ms,
                attempts=min(_PATIENT_ATTEMPTS, self.terms.lock_attempts) if patient else self.terms.lock_attempts,
                transactional=transactional,
                within=within,
                on_retry=on_retry,
                holders=self.holders,
                stop=self.stop,
            )
        except LockTimeoutError as exc:
            if self.stop.is_set():
                raise StoppedError("The wait for a lock") from exc
            raise


def mark(plan: LoadedPlan) -> runs.PlanMark:
    """What identifies the plan at hand."""
    return runs.PlanMark(plan.name, plan.model.version, plan.checksum, plan.place)


@contextmanager
def open_ledger(dsn: str, operator: str) -> Iterator[Ledger]:
    """A connection with the ledger, for commands that need no lease."""
    try:
        conn = connect(dsn)
    except psycopg.Error as exc:
        raise translate(exc) from exc
    try:
        if schema.installed(conn) is None:
            raise NotInstalledError
        yield Ledger(conn, operator)
    except psycopg.Error as exc:
        raise _of_another_version(conn, translate(exc)) from exc
    finally:
        conn.close()


def _of_another_version(conn: psycopg.Connection, error: ChangeoverError) -> ChangeoverError:
    """The error, with what to do if it is that the ledger lacks what this version of the program asks for."""
    if error.sqlstate in _LACKS and not conn.closed:
        conn.rollback()
        if not schema.current(conn):
            error.todo = (
                "Another version of Changeover has installed the ledger: run `changeover init` once. It brings the "
                "ledger to this version and keeps what is in it."
            )
    return error


@contextmanager
def open_session(  # noqa: PLR0913 - what the commands may say of a session
    dsn: str,
    plan: LoadedPlan,
    *,
    operator: str,
    bus: Bus,
    workers: int = 2,
    kind: runs.Kind | None = None,
    stop: threading.Event | None = None,
    terms: Terms | None = None,
    begins: bool = True,
) -> Iterator[Session]:
    """Hold the plan's lease for the time of the block; `begins` a run if there is none, or refuses.

    Raises RunEndedError where the run that stood when the command was given has ended while it waited for the lease.
    """
    terms, stop = terms or Terms(), Stop(stop)
    with open_ledger(dsn, operator) as ledger:
        pooler.refuse(dsn, ledger.conn)
        try:
            before = _standing(ledger, plan, kind, begins=begins)
            with _lease(ledger, plan.name, operator, terms, stop, bus) as epoch:
                # Only who holds the lease knows: while it was waited for, its holder may have moved or begun the run.
                run = _standing(ledger, plan, kind, begins=begins, before=before)
                if run is None:
                    run, _ = runs.start_or_resume(ledger, mark(plan), kind or "cutover")
                session = Session(dsn, ledger.conn, ledger, plan, run, epoch, bus, workers, stop, terms)
                bus.emit("lease.acquired", plan=plan.name, run=run.id, epoch=epoch)
                with _beating(session), usage.ours(ledger.conn, plan.name):
                    yield session
        except DriftError as exc:
            _note_drift(ledger, plan.name, exc)
            raise


@contextmanager
def _lease(ledger: Ledger, plan: str, operator: str, terms: Terms, stop: threading.Event, bus: Bus) -> Iterator[int]:
    """The lease, given back at the end; its epoch."""
    owner = f"{operator} pid {os.getpid()} on {socket.gethostname()}"
    epoch = _acquire(ledger, plan, owner, terms, stop, bus)
    try:
        yield epoch
    finally:
        if not ledger.conn.closed:
            try:
                leases.release(ledger, plan, epoch)
            except (psycopg.Error, ChangeoverError):
                # It runs out by itself, and a lease without backends is free at once.
                bus.emit("lease.not_released", plan=plan, epoch=epoch)


@contextmanager
def _beating(session: Session) -> Iterator[None]:
    """The lease is kept alive; what its loss brings about is the loss."""
    beat = _Heartbeat(session)
    beat.start()
    try:
        yield
    except (RetryableError, psycopg.Error) as exc:
        # A stop that nobody asked for, a backend that was ended.
        if beat.lost is not None:
            raise beat.lost from exc
        raise
    finally:
        beat.end()


def looking(dsn: str, ledger: Ledger, plan: LoadedPlan, run: Run) -> Session:
    """A session that only looks: without a lease, so nothing that the fence guards can be committed."""
    runs.check_drift(run, mark(plan))
    return Session(dsn, ledger.conn, ledger, plan, run, epoch=_NO_LEASE, bus=Bus(), workers=1)


def _note_drift(ledger: Ledger, plan: str, exc: DriftError) -> None:
    """Keep in the ledger what was found, for those who were not there."""
    if not ledger.conn.closed and not ledger.conn.broken:
        ledger.event("drift.found", About(plan), what=exc.what)


def _standing(
    ledger: Ledger, plan: LoadedPlan, kind: runs.Kind | None, *, begins: bool, before: Run | None = None
) -> Run | None:
    """The run to work in: the active one, or a finished one, whose mirrors are still on. None where one is to begin.

    `before` is the one that stood when the command was given.
    """
    run = runs.current(ledger, plan.name)
    if before is not None and (run is None or run.id != before.id):
        raise RunEndedError(
            before.id, plan.name, next(r.state for r in runs.every(ledger, plan.name) if r.id == before.id)
        )
    if run is not None:
        runs.check_drift(run, mark(plan), kind)
        runs.remember_folder(ledger, run, plan.place)
    elif not begins:
        raise RefusedError(
            f"Plan {plan.name} has no run in this database.",
            kept="Nothing was changed.",
            todo=f"`changeover start {plan.argument}` begins one; `changeover status` shows what there is.",
        )
    return run


def _acquire(ledger: Ledger, plan: str, owner: str, terms: Terms, stop: threading.Event, bus: Bus) -> int:
    """Take the lease; wait for it as long as the terms say."""
    deadline = time.monotonic() + terms.wait
    told = False
    while True:
        try:
            return leases.acquire(ledger, plan, owner, ttl=terms.ttl)
        except LeaseHeldError as exc:
            if time.monotonic() >= deadline or stop.is_set():
                raise
            if not told:
                bus.emit("lease.waiting", plan=plan, why=exc.what)
                told = True
            stop.wait(_LOOK_S)


class _Heartbeat(threading.Thread):
    """Renews the lease until told to end; a lost lease sets the session's stop."""

    def __init__(self, session: Session) -> None:
        super().__init__(name="changeover-heartbeat", daemon=True)
        self._session = session
        self._end = threading.Event()
        self.lost: LeaseLostError | None = None
        """Why it has ended, if that was not asked for."""

    def run(self) -> None:
        """Beat, reconnecting when the connection is lost."""
        conn: psycopg.Connection[Any] | None = None
        session = self._session
        while not self._end.wait(session.terms.beat):
            try:
                if conn is None or conn.closed:
                    conn = connect(session.dsn, role="heartbeat")
                leases.heartbeat(conn, session.plan.name, session.epoch, ttl=session.terms.ttl)
            except LeaseLostError as exc:
                self.lost = exc
                session.bus.emit("lease.lost", plan=session.plan.name, why=exc.what)
                session.stop.set()
                break
            except psycopg.Error as exc:
                session.bus.emit("lease.heartbeat_failed", plan=session.plan.name, why=str(exc))
                if conn is not None:
                    conn.close()
                conn = None
        if conn is not None:
            conn.close()

    def end(self) -> None:
        """Stop beating and wait for the thread."""
        self._end.set()
        self.join(timeout=30)
