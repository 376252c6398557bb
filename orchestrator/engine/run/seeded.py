"""Seed rows: what the plan's seeds made is remembered, and compared later.

The rows that a seed puts into a table of the plan's own are remembered in its own transaction, as they are. So the way
back knows the rows of the application from those of the plan, whatever the seed computes or asks (`new_only`).

Verify tells of a row that somebody has changed or deleted.

The plan's INSERT is carried out on an empty copy of the table, in a transaction that is rolled back, and what it gives
is looked for in the table, in the columns that it names. Values that are others tomorrow (`now()`) are not compared,
and neither is a statement that PostgreSQL does not take for such a copy, or that asks the table itself whether its rows
are there (`WHERE NOT EXISTS`; `ON CONFLICT DO NOTHING` is compared). It is a warning: the application may change
what the plan has only begun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from orchestrator.engine import queries
from orchestrator.engine.stage_compiler import dataset_statements
from orchestrator.kernel.identifiers import qualified, quote
from orchestrator.kernel.sqlcursor import Cursor, sql_name
from orchestrator.kernel.words import counted
from orchestrator.mapping import catalog
from orchestrator.plan.created import created
from orchestrator.plan.volatile import unsteady

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.mapping.catalog import Table
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage

_TWIN: Final = "changeover.twin_of_seed"
_SHOWN: Final = 5


def remember(conn: psycopg.Connection[Any], plan: LoadedPlan, text: str) -> None:
    """Keep the rows that a seed has just made, in its own transaction."""
    made = created(each for stage in plan.model.stages for _, each in plan.statements(stage.expand))
    for name in made:
        schema, _, table = name.partition(".")
        if table in text and (oid := catalog.find(conn, qualified(schema, table))) is not None:
            query = sql.SQL(queries.load("remember_seed.sql"))
            conn.execute(query.format(oid=sql.Literal(oid), table=sql.Identifier(schema, table)))


def checks(conn: psycopg.Connection[Any], plan: LoadedPlan, stage: Stage) -> Iterator[dict[str, Any]]:
    """One answer for each table that the stage seeds, as the verification has its checks."""
    for label, (rows, differing) in tables(conn, plan, stage).items():
        shown = ", ".join(differing[:_SHOWN]) + (", …" if len(differing) > _SHOWN else "")
        good = f"{counted(rows, 'seed row')} of {label} as the plan has them"
        bad = f"{len(differing)} of {counted(rows, 'seed row')} of {label} changed or deleted by somebody: {shown}"
        yield {"check": f"seed of {label}", "ok": not differing, "binding": False, "words": bad if differing else good}


def tables(conn: psycopg.Connection[Any], plan: LoadedPlan, stage: Stage) -> dict[str, tuple[int, list[str]]]:
    """The seeded tables that can be compared: how many rows the plan gives, and those that are not there like that."""
    found: dict[str, tuple[int, list[str]]] = {}
    for place, text in [*plan.statements(stage.seed), *dataset_statements(stage)]:
        answer = _compared(conn, text)
        if answer is not None:
            label, rows, differing = answer
            before = found.get(label, (0, []))
            found[label] = (before[0] + rows, before[1] + [f"{each} ({place})" for each in differing])
    return found


def _compared(conn: psycopg.Connection[Any], text: str) -> tuple[str, int, list[Any]] | None:
    """Table, rows of the statement, and those that the table has not; None where it cannot be compared."""
    head = Cursor(text)
    if not head.takes("insert", "into") or any(True for _ in unsteady(head.found)):
        return None
    name = head.name()
    oid = catalog.find(conn, sql_name(name)) if name else None
    if oid is None:
        return None
    table = catalog.read_table(conn, oid)
    begins = head.here.start
    if head.takes("as"):
        head.name()
    given = head.arguments()
    columns = _names(given) if given is not None else [c.name for c in table.columns]
    if not columns or not set(columns) <= table.by_name.keys():
        return None
    try:
        with conn.transaction(force_rollback=True):
            for statement in _twin(table, columns):
                conn.execute(statement.encode())
            conn.execute(f"INSERT INTO {_TWIN} {text[begins:]}".encode())
            listed = ", ".join(map(quote, columns))
            count = conn.execute(f"SELECT count(*) FROM {_TWIN}".encode()).fetchone()
            differing = conn.execute(
                f"SELECT to_jsonb(x)::text FROM (SELECT {listed} FROM {_TWIN}) x WHERE to_jsonb(x) NOT IN "
                f"(SELECT to_jsonb(y) FROM (SELECT {listed} FROM {table.sql}) y) ORDER BY 1".encode()
            ).fetchall()
    except psycopg.errors.ProgrammingError:
        return None  # it needs more of the table than a copy has
    if count is None or count[0] == 0:
        return None  # its own condition says that the rows are there already: what they should be is not to be had
    return table.label, int(count[0]), [row[0] for row in differing]


def _twin(table: Table, columns: list[str]) -> Iterator[str]:
    """A copy with these columns, and the unique keys over them, which ON CONFLICT asks for."""
    yield f"CREATE TABLE {_TWIN} AS SELECT {', '.join(map(quote, columns))} FROM {table.sql} WITH NO DATA"
    for key in table.unique_keys:
        if set(key) <= set(columns):
            yield f"CREATE UNIQUE INDEX ON {_TWIN} ({', '.join(map(quote, key))})"


def _names(arguments: str) -> list[str]:
    cursor, names = Cursor(arguments), []
    while name := cursor.name():
        names.append(name[-1])
        if not cursor.takes(","):
            break
    return names if cursor.at_end else []
