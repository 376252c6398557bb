"""A narrow table, one bigint key and one computed column, on every server: the least that a mirror can weigh."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.kernel.connections import connect
from orchestrator.ledger import schema
from tests.bench import worlds
from tests.budgets import limits, weighing
from tests.support.database import Database, Databases

STATEMENTS = {
    "update": "UPDATE accounts SET points = 7 WHERE id = 5",
    "insert": "INSERT INTO accounts (id, name, points) VALUES (900000, 'n', 3)",
    "delete": "DELETE FROM accounts WHERE id = 900000",
}


@pytest.fixture
def narrow(databases: Databases, tmp_path: Path) -> Database:
    def build(database: Database) -> None:
        worlds.migrate(database.dsn, worlds.narrow(database.dsn, tmp_path, 1000))

    return databases.clone("narrow table", build)


def test_what_is_generated(narrow: Database, databases: Databases) -> None:
    with connect(databases.create().dsn) as conn:
        schema.install(conn)
        fixed, fixed_size = weighing.functions(conn)
    with narrow.connect() as conn:
        count, size = weighing.functions(conn)
    limits.NARROW_FUNCTIONS.check(count - fixed, "functions")
    limits.NARROW_KILOBYTES.check(size - fixed_size, "kB of SQL")


def test_what_a_connection_holds(narrow: Database, databases: Databases) -> None:
    plain = databases.create(narrow.name)
    worlds.unmirror(plain.dsn)
    held = []
    for database in (narrow, plain):
        with database.connect("admin") as conn:
            held.append(weighing.megabytes(conn, STATEMENTS.values()))
    limits.NARROW_CONNECTION_MEGABYTES.check(held[0] - held[1], "MB more than without mirrors")


def test_how_much_a_write_reads(narrow: Database) -> None:
    with narrow.connect() as conn:
        for name, statement in STATEMENTS.items():
            limits.NARROW_ROWS_READ[name].check(weighing.rows_read(conn, statement), f"rows that {name} reads")
