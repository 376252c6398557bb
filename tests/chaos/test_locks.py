"""Somebody holds the lock: each phase gives up after its bounded attempts with code 7, and has changed nothing.

Meanwhile nobody else waits longer than one attempt lasts. A wait cannot be timed on a busy machine, so the
application says by itself how long it is ready to wait: its statements have a timeout that is many attempts long, and
far shorter than all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.chaos.facts import dump
from tests.chaos.killing import ForkServer
from tests.support.cases import EXAMPLE, TICKETS
from tests.support.database import Database, Databases

pytestmark = pytest.mark.newest

SHORT = {"CHANGEOVER_LOCK__TIMEOUT_MS": "50", "CHANGEOVER_LOCK__ATTEMPTS": "4", "CHANGEOVER_LOCK__PATIENT_MS": "300"}
STAGE = ("--plan", "example", "--stage", "customers")
READS = "SELECT * FROM public.customers_old"
WRITES = "UPDATE public.customers_old SET name = name WHERE id = 1"
ON_SOURCES = """
SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relname LIKE 'customers\\_%'
UNION ALL SELECT c.relname, i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relname LIKE 'customers\\_%' ORDER BY 1, 2
"""


@contextmanager
def held(database: Database, statement: str) -> Iterator[None]:
    """A transaction of the application that does not end."""
    conn = database.connect("app", autocommit=False)
    conn.execute(statement.encode())
    try:
        yield
    finally:
        conn.rollback()
        conn.close()


@contextmanager
def application(database: Database) -> Iterator[list[Any]]:
    """Somebody who reads and writes the same table all the time, and never has to wait for long."""
    failures: list[Any] = []
    done = threading.Event()

    def work() -> None:
        with psycopg.connect(database.app_dsn, autocommit=True) as conn:
            conn.execute("SET statement_timeout = '60s'")
            while not done.wait(0.01):
                try:
                    conn.execute(READS.encode())
                    conn.execute(b"UPDATE public.customers_old SET credit = credit + 1 WHERE id = 3")
                except psycopg.Error as exc:
                    failures.append(exc)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield failures
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize(
    ("first", "command", "holding", "named"),
    [
        (None, ("run", "dual-write", *STAGE), WRITES, "triggers changeover_a000001"),
        ("verify", ("run", "contract", *STAGE), READS, "public.customers_old"),
        ("verify", ("rollback", "--yes", "--plan", "example", "--to", "expand"), READS, "triggers changeover_a000001"),
        ("contract", ("rollback", "--yes", "--plan", "example", "--to", "verify"), READS, "public.customers_old"),
    ],
    ids=["dual-write", "contract", "back from dual-write", "back from contract"],
)
def test_a_phase_that_gets_no_lock(
    databases: Databases, fork_server: ForkServer, first: str | None, command: tuple[str, ...], holding: str, named: str
) -> None:
    database = databases.clone("chaos example", EXAMPLE.build)

    def run(*argv: str, code: int = 0) -> str:
        done = fork_server.run(database.dsn, *argv, env=SHORT)
        assert done.code == code, f"{argv}: {done.code} {done.err}"
        return done.err

    run("init")
    run("start", "example", "--kind", "rehearsal", "--until", first or "expand")
    with application(database) as failures:
        with held(database, holding):
            said = run(*command, code=7)
            assert "Look for long transactions" in said
            assert named in said
            before, standing = dump(database), database.rows(ON_SOURCES)
            run(*command, code=7)
            assert dump(database) == before
            assert database.rows(ON_SOURCES) == standing
        run(*command)
    assert failures == []


def test_an_index_that_gets_no_lock(databases: Databases, fork_server: ForkServer) -> None:
    """Building one concurrently waits for older transactions: nobody queues behind it, and it gives up as well."""
    database = databases.clone("chaos tickets", TICKETS.build)
    database.run("ALTER TABLE branch.billing DROP CONSTRAINT billing_pkey")
    assert fork_server.run(database.dsn, "init").code == 0
    expand = ("run", "expand", "--plan", TICKETS.plan, "--stage", "tickets")
    with held(database, "UPDATE branch.billing SET state = state WHERE id = 1"):
        for _ in range(2):
            done = fork_server.run(database.dsn, *expand, env=SHORT)
            assert done.code == 7, done.err
            assert "index changeover_" in done.err
    done = fork_server.run(database.dsn, *expand, env=SHORT)
    assert done.code == 0, done.err
    assert database.rows("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid") == []
