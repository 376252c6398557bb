"""Makes a legacy CQMS: `generate(dsn, audits=1_000_000, tables=20, seed=7)`.

The same arguments give the same rows on every server: nothing is drawn from a random source, every value
is a hash of seed, table and row number, and no value is the current time. The rows are made by the server
(`INSERT … SELECT` over generate_series), so a million takes a minute or two and none passes through Python.
The connection is that of an ordinary owner; it needs CREATE on the database, for the schemas `auth` and `qa`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from orchestrator.demo.legacy import build
from orchestrator.demo.legacy.catalogue import audit_tables, shares
from orchestrator.demo.legacy.expectations import count
from orchestrator.kernel.connections import connect
from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Sequence

    from orchestrator.demo.legacy.catalogue import AuditTable
    from orchestrator.demo.legacy.planted import Planted

_PARTNERS = ("email_audit", "chat_audit")  # rows of the first take ids of the second


def generate(
    dsn: str, *, audits: int, tables: int, seed: int, progress: Callable[[str], None] | None = None
) -> Planted:
    """Build the legacy database and return what stands in it, counted.

    `tables` is raised to the number of troubled tables where it is lower (see catalogue.py); from about
    a thousand audits up, every kind of dirt is there. `progress` is told what is being made.
    """
    said = progress or _silent
    chosen = audit_tables(tables)
    rows = shares(chosen, audits)
    people = _population(audits, seed)
    with connect(dsn, autocommit=False, role="demo") as conn:
        said("people, users and scorecards")
        _foundation(conn, people)
        _unresolvable_scorecards(conn)
        for place, (table, number) in enumerate(zip(chosen, rows, strict=True)):
            said(f"{table.label}: {number} rows")
            build.create(conn, table)
            build.fill(conn, table, place, number, people)
        _take_ids(conn, chosen, rows, seed)
        for place, (table, number) in enumerate(zip(chosen, rows, strict=True)):
            build.finish(conn, table, number)
            scorecard = build.register(conn, table, seed)
            _assign(conn, table, place, scorecard, seed)
        conn.commit()
        conn.autocommit = True
        said("statistics and counts")
        for name in ("people", "users", "audit_assignments"):
            conn.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("public", name)))
        return count(conn, troubles={table.label: table.trouble for table in chosen if table.trouble})


def _population(audits: int, seed: int) -> build.Population:
    """One person per fifty audits, within reason; one in six of them has left and is not known any more."""
    known = min(max(audits // 50, 120), 20_000)
    return build.Population(seed=seed, known=known, leavers=known // 6, auditors=max(known // 12, 8))


def _foundation(conn: psycopg.Connection[Any], people: build.Population) -> None:
    conn.execute(load(__package__, "core_tables.sql"))
    conn.execute(load(__package__, "tools.sql"))
    values = {"seed": people.seed, "known": people.known, "leavers": people.leavers}
    # Client-side binding: these files hold several statements, and DDL takes no parameters.
    with psycopg.ClientCursor(conn) as cursor:
        for file in ("roster.sql", "people.sql", "people_dirt.sql", "users.sql", "decoys.sql"):
            cursor.execute(load(__package__, file), values)
    conn.execute("ANALYZE roster")


def _unresolvable_scorecards(conn: psycopg.Connection[Any]) -> None:
    conn.execute(load(__package__, "unresolvable.sql"))


def _take_ids(conn: psycopg.Connection[Any], tables: Sequence[AuditTable], rows: Sequence[int], seed: int) -> None:
    place, other = (next(i for i, table in enumerate(tables) if table.name == name) for name in _PARTNERS)
    _view(conn, tables[place])
    conn.execute(
        load(__package__, "id_taken.sql"),
        {
            "seed": seed,
            "place": place,
            "label": tables[place].label,
            "rows": rows[place],
            "other_place": other,
            "other_label": tables[other].label,
            "other_rows": rows[other],
        },
    )


def _assign(
    conn: psycopg.Connection[Any], table: AuditTable, place: int, scorecard: uuid.UUID | None, seed: int
) -> None:
    _view(conn, table)
    conn.execute(
        load(__package__, "assignments.sql"),
        {"seed": seed, "label": table.label, "place": place, "scorecard": scorecard},
    )


def _view(conn: psycopg.Connection[Any], table: AuditTable) -> None:
    """Put a table under the name `audit`, so that fixed statements can speak of it."""
    conn.execute("DROP VIEW IF EXISTS pg_temp.audit")
    named = "employee_name" in table.columns
    name = sql.Identifier("employee_name") if named else sql.SQL("NULL::text AS employee_name")
    conn.execute(
        sql.SQL("CREATE TEMPORARY VIEW audit AS SELECT id, employee_email, {}, auditor_email FROM {}").format(
            name, build.identifier(table)
        )
    )


def _silent(_: str) -> None:
    """Say nothing."""
