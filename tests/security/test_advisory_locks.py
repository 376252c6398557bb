"""Anybody who may connect can hold our advisory locks: whoever waits for one in vain is told who it is."""

from __future__ import annotations

import psycopg
import pytest

from backfill.errors import hindered
from orchestrator.kernel import advisory_locks
from orchestrator.kernel.errors import LockTimeoutError
from orchestrator.ledger import leases
from orchestrator.ledger.errors import LeaseHeldError
from orchestrator.ledger.store import Ledger
from tests.support.cli import Cli
from tests.support.database import Database

pytestmark = pytest.mark.every

INSTALL, TAKEOVER = "109300063106674", "hashtextextended('changeover.lease', 0)"
OF_A_SOURCE = "1128419927, 3"


def _held(database: Database, key: str) -> psycopg.Connection:
    app = database.connect("app")
    app.execute(f"SELECT pg_advisory_lock({key})".encode())
    return app


def _impatient(database: Database) -> str:
    return psycopg.conninfo.make_conninfo(database.dsn, options="-c lock_timeout=100ms")


def test_init_and_doctor_name_the_session(database: Database) -> None:
    app = _held(database, INSTALL)
    cli = Cli(_impatient(database))
    refused = cli("init")
    assert refused.code == 7
    assert f"held by pid {app.info.backend_pid} ({database.app_role}" in refused.err
    assert f"pg_terminate_backend({app.info.backend_pid})" in refused.err
    looked = cli("doctor")
    assert looked.code == 5
    assert f"pid {app.info.backend_pid}" in looked.out
    app.close()
    cli.ok("init")


def test_who_takes_a_lease_over_and_who_copies_hears_of_it(database: Database) -> None:
    Cli(database.dsn).ok("init")
    ledger = Ledger(database.connect(), "ann")
    leases.acquire(ledger, "shops", "ann@host:1")
    app = _held(database, TAKEOVER)
    with pytest.raises(LeaseHeldError, match=f"held by pid {app.info.backend_pid}"):
        leases.acquire(Ledger(database.connect(), "bob"), "shops", "bob@host:2")
    app.close()
    app = _held(database, OF_A_SOURCE)
    error = advisory_locks.blamed(ledger.conn, hindered("A batch of public.shop", 40, "55P03", "lock timeout"))
    assert isinstance(error, LockTimeoutError)
    assert f"held by pid {app.info.backend_pid}" in error.what


def test_neither_our_own_sessions_nor_locks_of_others_are_named(database: Database) -> None:
    app, own = _held(database, "42"), database.connect()
    app.execute("SELECT pg_advisory_lock(7, 3)")
    own.execute(f"SELECT pg_advisory_lock({OF_A_SOURCE})".encode())
    assert advisory_locks.others(database.connect()) == []
