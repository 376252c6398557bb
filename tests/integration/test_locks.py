"""Bounded waiting, against real contention."""

from __future__ import annotations

import threading

import psycopg
import pytest

from orchestrator.kernel.connections import LOCK_TIMEOUT
from orchestrator.kernel.errors import LockTimeoutError
from orchestrator.kernel.lock_holders import LockHolders
from orchestrator.kernel.locks import run_bounded
from tests.support.database import Database
from tests.support.running import eventually
from tests.support.sessions import threads

ALTER = "ALTER TABLE t ADD COLUMN j int"


@pytest.fixture
def table(database: Database) -> Database:
    database.run("CREATE TABLE t (i int); CREATE TABLE ledger (what text)")
    return database


def note(conn: psycopg.Connection) -> None:
    conn.execute("INSERT INTO ledger VALUES ('done')")


def fail(conn: psycopg.Connection) -> None:
    conn.execute("INSERT INTO nowhere VALUES (1)")


def columns(database: Database) -> int:
    count: int = database.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0")
    return count


def test_gives_up_with_nothing_changed(table: Database) -> None:
    holder = table.connect(autocommit=False)
    holder.execute("SELECT * FROM t")
    retries: list[tuple[int, str]] = []
    conn = table.connect()
    with pytest.raises(LockTimeoutError) as caught:
        run_bounded(
            conn,
            ALTER,
            lock_timeout_ms=20,
            attempts=4,
            on_retry=lambda attempt, state: retries.append((attempt, state)),
            within=note,
        )
    assert caught.value.exit_code == 7
    assert retries == [(1, "55P03"), (2, "55P03"), (3, "55P03")]
    assert columns(table) == 1
    assert table.value("SELECT count(*) FROM ledger") == 0
    assert conn.execute("SHOW lock_timeout").fetchone() == (LOCK_TIMEOUT,), (
        "the timeout was the transaction's, not the session's"
    )


def test_succeeds_as_soon_as_the_lock_is_free(table: Database) -> None:
    holder = table.connect(autocommit=False)
    holder.execute("SELECT * FROM t")
    free = threading.Timer(0.5, holder.rollback)
    free.start()
    run_bounded(
        table.connect(),
        ALTER,
        lock_timeout_ms=50,
        within=note,
    )
    free.join()
    assert columns(table) == 2
    assert table.value("SELECT count(*) FROM ledger") == 1


def test_a_reader_waits_for_an_attempt_and_not_for_all_of_them(table: Database) -> None:
    """The point of it all: who comes after us in the queue is let through, though we have not got our lock yet."""
    holder = table.connect(autocommit=False)
    holder.execute("SELECT * FROM t")
    stop, failed = threading.Event(), list[LockTimeoutError]()

    def alter() -> None:
        try:
            run_bounded(table.connect(), ALTER, lock_timeout_ms=500, attempts=10_000, stop=stop)
        except LockTimeoutError as exc:
            failed.append(exc)

    runner, reader = threading.Thread(target=alter), table.connect()
    runner.start()
    try:
        with threads(table.connect()) as running:

            def has_waited() -> bool:
                reading = running.start(reader, "SELECT * FROM t")
                behind_us = not reading.done
                reading.result()
                return behind_us

            eventually(has_waited)
        assert not failed, "it goes on trying"
    finally:
        stop.set()
        holder.rollback()
        runner.join()


def test_a_deadlock_is_tried_again(table: Database) -> None:
    table.run("CREATE TABLE u (i int)")
    other, ours = table.connect("admin", autocommit=False), table.connect()
    other.execute("SET deadlock_timeout = '10min'")  # so that it is ours that runs out, and we who are the victim
    other.execute("LOCK TABLE u")
    waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"

    def cross() -> None:
        eventually(lambda: bool(table.value(waits, (ours.info.backend_pid,))))
        other.execute("LOCK TABLE t")
        other.rollback()

    crossing = threading.Thread(target=cross)
    crossing.start()
    retries: list[str] = []
    run_bounded(
        ours,
        "LOCK TABLE t; LOCK TABLE u",
        lock_timeout_ms=60_000,
        on_retry=lambda _attempt, state: retries.append(state),
    )
    crossing.join()
    assert retries == ["40P01"]


def test_any_other_error_comes_at_once_as_it_is(table: Database) -> None:
    retries: list[int] = []
    with pytest.raises(psycopg.errors.DuplicateColumn):
        run_bounded(
            table.connect(),
            "ALTER TABLE t ADD COLUMN i int",
            on_retry=lambda attempt, _state: retries.append(attempt),
        )
    assert retries == []


def test_a_failure_of_the_ledger_takes_the_statement_with_it(table: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        run_bounded(table.connect(), ALTER, within=fail)
    assert columns(table) == 1


def test_an_open_transaction_is_refused(table: Database) -> None:
    conn = table.connect(autocommit=False)
    conn.execute("SELECT 1")
    with pytest.raises(ValueError, match="no open transaction"):
        run_bounded(conn, ALTER)


def test_statements_that_refuse_a_transaction_block(table: Database) -> None:
    conn = table.connect()
    run_bounded(conn, "CREATE INDEX CONCURRENTLY i ON t (i)", transactional=False)
    assert table.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")
    assert conn.execute("SHOW lock_timeout").fetchone() == (LOCK_TIMEOUT,)


def refused(table: Database, attempts: int = 4) -> LockTimeoutError:
    """The error of a change that gets no lock, with those who hold it."""
    conn = table.connect()
    holders = LockHolders(table.dsn, conn.info.backend_pid)
    with pytest.raises(LockTimeoutError) as caught:
        run_bounded(conn, ALTER, lock_timeout_ms=400, attempts=attempts, holders=holders)
    return caught.value


def test_who_holds_it_is_told_and_what_would_end_them(table: Database) -> None:
    holder = table.connect(autocommit=False)
    holder.execute("SELECT 'nightly\nreport' FROM t")
    error, pid = refused(table), holder.info.backend_pid
    assert (
        f"; it was held by pid {pid} (changeover/test-owner, changeover_owner), idle in transaction for " in error.what
    )
    assert ": SELECT 'nightly report' FROM t" in error.what
    assert "pg_terminate_backend" not in (error.todo or ""), "our own sessions end by themselves"


def test_an_application_and_a_prepared_transaction_are_told(table: Database) -> None:
    app = psycopg.connect(table.dsn, application_name="billing")
    app.execute("SELECT FROM t")
    with table.connect() as conn:
        conn.execute("BEGIN")
        conn.execute("INSERT INTO t VALUES (1)")
        conn.execute("PREPARE TRANSACTION 'it''s half'")
    try:
        error = refused(table)
        assert "(billing, changeover_owner), idle in transaction" in error.what
        assert f"`SELECT pg_terminate_backend({app.info.backend_pid})` ends it." in (error.todo or "")
        app.close()
        error = refused(table)
        assert 'held by the prepared transaction "it\'s half" of changeover_owner for ' in error.what
        assert "`ROLLBACK PREPARED 'it''s half'` ends it." in (error.todo or "")
    finally:
        with table.connect() as conn:
            conn.execute("ROLLBACK PREPARED 'it''s half'")


def test_a_long_wait_says_meanwhile_for_whom(table: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.kernel.lock_holders._FIRST_S", 0.05)
    holder, heard = table.connect(autocommit=False), list[str]()
    holder.execute("INSERT INTO t VALUES (1)")
    conn = table.connect()
    holders = LockHolders(table.dsn, conn.info.backend_pid, heard.append)

    def index() -> None:
        run_bounded(
            conn, "CREATE INDEX CONCURRENTLY i ON t (i)", lock_timeout_ms=60_000, transactional=False, holders=holders
        )

    building = threading.Thread(target=index)
    building.start()
    eventually(lambda: bool(heard))
    holder.commit()
    building.join()
    assert f"pid {holder.info.backend_pid} " in heard[0]
    assert table.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")


def test_it_ends_after_the_attempt_in_hand(table: Database) -> None:
    holder = table.connect(autocommit=False)
    holder.execute("SELECT FROM t")
    stop, tried = threading.Event(), list[int]()

    def retried(attempt: int, _state: str) -> None:
        tried.append(attempt)
        stop.set()

    with pytest.raises(LockTimeoutError):
        run_bounded(table.connect(), ALTER, lock_timeout_ms=20, on_retry=retried, stop=stop)
    assert tried == [1]
