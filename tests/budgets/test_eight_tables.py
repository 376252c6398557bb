"""CQMS on eight audit tables: what is generated, what a connection holds, how much a statement reads."""

from __future__ import annotations

import pytest

from orchestrator.kernel.connections import connect
from orchestrator.ledger import schema
from tests.bench import worlds
from tests.budgets import limits, weighing
from tests.support import eight_tables as eight
from tests.support.database import Database, Databases

PLAN = "cqms"
AUDITS = 2000

pytestmark = [pytest.mark.newest, pytest.mark.slow]


def _build(database: Database) -> None:
    eight.build(database.dsn, AUDITS)
    worlds.migrate(database.dsn, PLAN)


@pytest.fixture
def migrated(databases: Databases) -> Database:
    return databases.clone("eight tables", _build)


def test_what_is_generated(migrated: Database, databases: Databases) -> None:
    with connect(databases.create().dsn) as conn:
        schema.install(conn)
        fixed, fixed_size = weighing.functions(conn)
    with migrated.connect() as conn:
        count, size = weighing.functions(conn)
    sources = migrated.value("SELECT count(*) FROM changeover.source")
    limits.FUNCTIONS.check(count, "functions")
    limits.SQL_KILOBYTES.check(size, "kB of SQL")
    limits.FUNCTIONS_PER_SOURCE.check((count - fixed) / sources, "functions per source")
    limits.KILOBYTES_PER_SOURCE.check((size - fixed_size) / sources, "kB of SQL per source")


def test_what_a_connection_holds(migrated: Database, databases: Databases) -> None:
    plain = databases.create(migrated.name)
    worlds.unmirror(plain.dsn)
    held = []
    for database in (migrated, plain):
        with database.connect("admin") as conn:
            writes = eight.Writes.read(conn)
            (key,) = writes.mapped(conn, 1)
            statements = [each for table in eight.TABLES for each in writes.touch(table)]
            held.append(weighing.megabytes(conn, [*statements, eight.NEW_UPDATE.format(score=61, key=key)]))
    limits.CONNECTION_MEGABYTES.check(held[0] - held[1], "MB more than without mirrors")


def test_how_much_a_write_reads(migrated: Database) -> None:
    with migrated.connect() as conn:
        writes = eight.Writes.read(conn)
        (key,) = writes.mapped(conn, 1)
        statements = {
            "old insert": writes.old_insert(1),
            "old update": eight.OLD_UPDATE.format(score=62, key=key),
            "old delete": eight.OLD_DELETE.format(key=eight.key(1)),
            "new insert": writes.new_insert(2),
            "new update": eight.NEW_UPDATE.format(score=63, key=key),
            "new delete": eight.NEW_DELETE.format(key=eight.key(2)),
        }
        assert statements.keys() == limits.ROWS_READ.keys()
        for name, statement in statements.items():
            limits.ROWS_READ[name].check(weighing.rows_read(conn, statement), f"rows that {name} reads")


def test_the_old_name_after_contract_reads_as_many_rows_as_before(migrated: Database, databases: Databases) -> None:
    after = databases.create(migrated.name)
    worlds.contract(after.dsn, PLAN)
    report, row = [], []
    for database in (migrated, after):
        with database.connect() as conn:
            writes = eight.Writes.read(conn)
            (key,) = writes.mapped(conn, 1)
            report.append(weighing.rows_read(conn, writes.report()))
            row.append(weighing.rows_read(conn, f"SELECT * FROM public.email_audit WHERE id = '{key}'"))
    limits.REPORT_AFTER_CONTRACT.check(report[1] / report[0], "rows of a report, after ÷ before")
    limits.ROW_AFTER_CONTRACT.check(row[1] / row[0], "rows read for a row, after ÷ before")
