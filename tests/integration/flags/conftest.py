from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flags import store
from flags.stages import Stage
from flags.store import By
from orchestrator.ledger import schema
from tests.support.database import Database, Databases

if TYPE_CHECKING:
    import psycopg

FLAG = "USE_UNIFIED_AUDITS_TABLE"


def _build(database: Database) -> None:
    schema.install(database.connect())


@pytest.fixture
def installed(databases: Databases) -> Database:
    return databases.clone("ledger", _build)


@pytest.fixture
def conn(installed: Database) -> psycopg.Connection:
    return installed.connect()


@pytest.fixture
def planned(conn: psycopg.Connection) -> store.Flag:
    """The flag of a plan stage, in dualwrite; mirrored and copied, never verified."""
    store.ensure(conn, FLAG, "cqms", "audits", By("engine", "dual-write is on"))
    conn.execute(
        """INSERT INTO changeover.run (plan, plan_version, checksum, kind) VALUES ('cqms', 1, 'abc', 'cutover');
           INSERT INTO changeover.phase (run_id, stage, phase, state)
           SELECT id, 'audits', name, 'done'
             FROM changeover.run, unnest('{expand,dual-write,backfill}'::text[]) AS name"""
    )
    return store.set_flag(conn, FLAG, store.Change(Stage.DUALWRITE), By("engine", "mirror"))


@pytest.fixture
def verified(conn: psycopg.Connection, planned: store.Flag) -> store.Flag:
    """The same, after a clean verification."""
    conn.execute(
        """INSERT INTO changeover.verification (run_id, plan, stage, checksum, state, ended_at)
           SELECT id, plan, 'audits', checksum, 'clean', now() FROM changeover.run"""
    )
    return planned
