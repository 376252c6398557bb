"""Several applications and one runner on real connections, their statements interleaved one step at a time.

A statement is sent from a thread, because it may have to wait for a lock that another of these sessions holds. What is
done then is told beforehand (`Wait`): the one in the way commits, rolls back, sends a statement of its own first (two
that wait for each other), or the waiting one runs out of patience. So a schedule is the same each time, however slow the
machine is, and a statement that really waits goes on in a snapshot that it could not have had without waiting.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Unfinished
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import psycopg
from hypothesis import note

from tests.support.memory import Effect, Memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LEVELS: Final = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
_PATIENCE: Final = 30.0
_CONTENTION: Final = {"55P03", "40P01"}
_WAITING: Final = "SELECT FROM changeover.queue WHERE direction = 'forward' LIMIT 1"
# Longer than a mirror waits (450 ms), shorter than the server takes to see a deadlock (1 s).
_LONG, _SHORT = "900ms", "60ms"


class Wait(Enum):
    """What ends the wait of a statement that another session is in the way of."""

    COMMIT = "the other commits"
    ROLLBACK = "the other rolls back"
    MEET = "the other writes too"
    TIMEOUT = "it waits no longer"


@dataclass(frozen=True)
class Statement:
    """What a session sends. Rows come back as (tag, row, as written, links), see `Memory`."""

    text: str
    side: str
    table: str
    kind: str = "writes"
    """writes, removes, hides (there, or under its key, from the other side), touches (a part of the row); empties a table, taints everything."""
    ordinary: frozenset[tuple[str, str]] = frozenset()
    """What it may raise about which table, migration or not, besides that a key of its own table is taken."""
    again: str = ""
    """What its transaction asks right after it: whether each of its rows still says what was written. Only of rows that
    are named: all of them may have become more meanwhile."""


@dataclass
class Session:
    """One connection, and what its transaction has done so far."""

    name: str
    conn: psycopg.Connection[Any]
    level: str = ""
    effects: list[Effect] = field(default_factory=list)
    savepoint: int | None = None
    copied: bool = False
    """Whether everything was copied when its transaction began."""
    busy: Future[Any] | None = None

    @property
    def pid(self) -> int:
        return self.conn.info.backend_pid

    def ended(self) -> None:
        """The transaction is over."""
        self.level, self.effects, self.savepoint = "", [], None


@dataclass
class Stage:
    """The sessions, and who watches them."""

    watcher: psycopg.Connection[Any]
    applications: Sequence[Session]
    runner: Session
    memory: Memory
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=8))

    # -- transactions ----------------------------------------------------------------------------------

    def begin(self, session: Session, level: str) -> None:
        """Begin a transaction, unless one is open."""
        if not session.level:
            note(f"{session.name}: BEGIN ISOLATION LEVEL {level}")
            session.conn.execute(f"BEGIN ISOLATION LEVEL {level}".encode())
            session.level, session.copied = level, self.memory.copied

    def finish(self, session: Session, *, commit: bool) -> bool:
        """Commit or roll back; True when it was committed."""
        if not session.level:
            return False
        note(f"{session.name}: {'COMMIT' if commit else 'ROLLBACK'}")
        try:
            session.conn.execute(b"COMMIT" if commit else b"ROLLBACK")
        except psycopg.Error as exc:
            self._permitted(session, None, exc)
            session.conn.execute(b"ROLLBACK")
            commit = False
        if commit:
            others = {e.tag for s in self.applications if s is not session for e in s.effects}
            self.memory.commit(session.effects, others)
        session.ended()
        return commit

    def finish_all(self) -> None:
        """Everybody commits."""
        for session in (self.runner, *self.applications):
            self.finish(session, commit=True)

    def savepoint(self, session: Session) -> None:
        """Set one, or go back to it."""
        if not session.level:
            return
        if session.savepoint is None:
            note(f"{session.name}: SAVEPOINT s")
            session.conn.execute(b"SAVEPOINT s")
            session.savepoint = len(session.effects)
        else:
            note(f"{session.name}: ROLLBACK TO SAVEPOINT s")
            session.conn.execute(b"ROLLBACK TO SAVEPOINT s")
            del session.effects[session.savepoint :]

    # -- statements ------------------------------------------------------------------------------------

    def write(self, session: Session, statement: Statement, wait: Wait, rival: Statement | None) -> None:
        """One statement of an application, in its transaction."""
        met: list[tuple[Session, Statement, Future[Any]]] = []
        self.send(session, statement, _SHORT if wait is Wait.TIMEOUT else _LONG)
        for blocker in self._blockers(session, wait):
            if wait is Wait.MEET and rival is not None and not met and blocker in self.applications:
                met.append((blocker, rival, self.send(blocker, rival, _LONG)))
            else:
                self.finish(blocker, commit=wait is not Wait.ROLLBACK)
        self.receive(session, statement)
        for other, sent, _ in met:
            for blocker in self._blockers(other, Wait.COMMIT):
                self.finish(blocker, commit=True)
            self.receive(other, sent)

    def look(self, session: Session, query: str) -> None:
        """Take a snapshot, and read what others may write; one who would have to wait for that gives up."""
        note(f"{session.name}: {query}")
        session.conn.execute(f"SET LOCAL lock_timeout = '{_SHORT}'".encode())
        try:
            session.conn.execute(query.encode())
        except psycopg.Error as exc:
            self._permitted(session, None, exc)
            session.conn.execute(b"ROLLBACK")
            session.ended()

    def send(self, session: Session, statement: Statement, patience: str) -> Future[Any]:
        """Send it from a thread."""
        note(f"{session.name}: {statement.text}")
        session.conn.execute(f"SET LOCAL lock_timeout = '{patience}'".encode())
        session.busy = self.pool.submit(_fetch, session.conn, statement.text)
        return session.busy

    def receive(self, session: Session, statement: Statement) -> None:
        """Take what it gave: its effects are known, or it has failed in a way that is its own."""
        assert session.busy is not None
        future, session.busy = session.busy, None
        try:
            rows = future.result(_PATIENCE)
            # A column that was written as it stood is no change: where a write of the other side waits, that one counts.
            # So do the old rows of a new table that this transaction has emptied before all was copied.
            waits = self.watcher.execute(_WAITING).fetchall() or any(e.kind == "unsettles" for e in session.effects)
            asks = statement.again and rows and not waits
            kept = session.conn.execute(statement.again.encode()).fetchall() if asks else []
        except psycopg.Error as exc:
            note(f"{session.name}:   -> {exc.sqlstate} {exc.diag.message_primary}")
            self._permitted(session, statement, exc)
            if session.savepoint is not None and exc.sqlstate not in {"40001", "40P01"}:
                session.conn.execute(b"ROLLBACK TO SAVEPOINT s")
                del session.effects[session.savepoint :]
            else:
                session.conn.execute(b"ROLLBACK")
                session.ended()
            return
        note(f"{session.name}:   -> {rows}")
        assert all(each for (each,) in kept), f"{statement.text}: undone in its own transaction"
        session.effects += self.memory.effects(statement, rows, copied=session.copied)

    def _blockers(self, session: Session, wait: Wait) -> Iterator[Session]:
        """Whoever of us is in the way and could go out of it, until the statement is through."""
        assert session.busy is not None
        end = time.monotonic() + _PATIENCE
        patience = 0.02
        while time.monotonic() < end:
            try:
                session.busy.exception(_PATIENCE if wait is Wait.TIMEOUT else patience)
            except Unfinished:
                patience = 0.005
            else:
                return
            query = "SELECT unnest(pg_blocking_pids(%s))"
            in_the_way = {pid for (pid,) in self.watcher.execute(query, (session.pid,))}
            for other in (self.runner, *self.applications):
                if other.pid in in_the_way and other.level and other.busy is None:
                    yield other
                    break
        message = f"{session.name} waits for ever"
        raise AssertionError(message)

    def _permitted(self, session: Session, statement: Statement | None, exc: psycopg.Error) -> None:
        """P2: what a transaction of this level may meet without any migration, and nothing else."""
        if exc.sqlstate in _CONTENTION or (exc.sqlstate == "40001" and session.level != "READ COMMITTED"):
            return
        if statement is not None and exc.diag.schema_name == "public":
            about = (exc.sqlstate or "", exc.diag.table_name or "")
            if about == ("23505", statement.table) or about in statement.ordinary:
                return
        message = f"P2: {session.name} ({session.level}) got {exc.sqlstate}: {exc}"
        raise AssertionError(message) from exc

    # -- the end ---------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Roll everything back, whatever stands where."""
        for _ in range(3):
            for session in (self.runner, *self.applications):
                if session.busy is not None and not session.busy.done():
                    session.conn.cancel_safe()
                    session.busy.exception(_PATIENCE)
                session.busy = None
                session.conn.execute(b"ROLLBACK")
                session.ended()

    def close(self) -> None:
        """End the threads."""
        self.clear()
        self.pool.shutdown()


def _fetch(conn: psycopg.Connection[Any], text: str) -> list[tuple[Any, ...]]:
    cursor = conn.execute(text.encode())
    return cursor.fetchall() if cursor.description else []
