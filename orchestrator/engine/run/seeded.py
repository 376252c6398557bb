"""Seed rows: what the plan's seeds made is remembered, and compared later.

The rows that a seed puts into a table of the plan's own are remembered in its own transaction, as they are. So the way
back knows the rows of the application from those of the plan, whatever the seed computes or asks (`new_only`).

Verify tells of a row that somebody has changed or deleted.

The plan's INSERT is carried out on an empty copy of the table, in a transaction that is rolled back, after those of
the plan that come before it. What it gives is looked for in the table, in the columns that it names. Values that are
others tomorrow (`now()`) are not compared, and neither is a statement that PostgreSQL does not take for such a copy, or
that asks the table itself whether its rows are there (`WHERE NOT EXISTS`; `ON CONFLICT DO NOTHING` is compared). It is
a warning: the application may change what the plan has only begun.
"""

from __future__ import annotations

from dataclasses import dataclass
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
_NOW: Final = '"#now"'  # true in the rows of the statement that is compared
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
        shown = ", ".join(differing[:_SHOWN]) + (", ..." if len(differing) > _SHOWN else "")
        good = f"{counted(rows, 'seed row')} of {label} as the plan has them"
        bad = f"{len(differing)} of {counted(rows, 'seed row')} of {label} changed or deleted by somebody: {shown}"
        yield {"check": f"seed of {label}", "ok": not differing, "binding": False, "words": bad if differing else good}


def tables(conn: psycopg.Connection[Any], plan: LoadedPlan, stage: Stage) -> dict[str, tuple[int, list[str]]]:
    """The seeded tables that can be compared: how many rows the plan gives, and those that are not there like that."""
    found: dict[str, tuple[int, list[str]]] = {}
    earlier: dict[int, list[_Insert]] = {}
    for place, text in [*plan.statements(stage.seed), *dataset_statements(stage)]:
        insert = _read(conn, text)
        if insert is None:
            continue
        before = earlier.setdefault(insert.table.oid, [])
        answer = _compared(conn, insert, before)
        if answer is not None:
            rows, differing = answer
            known = found.get(insert.table.label, (0, []))
            found[insert.table.label] = (known[0] + rows, known[1] + [f"{each} ({place})" for each in differing])
            before.append(insert)
    return found


@dataclass(frozen=True)
class _Insert:
    """A statement that puts rows into a table, for a copy of it."""

    table: Table
    columns: list[str]
    said: str  # what follows the table's name

    @property
    def into_twin(self) -> bytes:
        return f"INSERT INTO {_TWIN} {self.said}".encode()


def _read(conn: psycopg.Connection[Any], text: str) -> _Insert | None:
    """What the statement inserts; None where it cannot be compared."""
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
    return _Insert(table, columns, text[begins:])


def _compared(conn: psycopg.Connection[Any], insert: _Insert, earlier: list[_Insert]) -> tuple[int, list[Any]] | None:
    """How many rows the statement gives after the earlier ones, and those that the table has not."""
    table = insert.table
    named = {c for each in (*earlier, insert) for c in each.columns}
    try:
        with conn.transaction(force_rollback=True):
            for statement in _twin(table, [c.name for c in table.columns if c.name in named]):
                conn.execute(statement.encode())
            for each in earlier:
                conn.execute(each.into_twin)
            conn.execute(f"ALTER TABLE {_TWIN} ADD {_NOW} boolean, ALTER {_NOW} SET DEFAULT true".encode())
            conn.execute(insert.into_twin)
            listed = ", ".join(map(quote, insert.columns))
            count = conn.execute(f"SELECT count(*) FROM {_TWIN} WHERE {_NOW}".encode()).fetchone()
            differing = conn.execute(
                f"SELECT to_jsonb(x)::text FROM (SELECT {listed} FROM {_TWIN} WHERE {_NOW}) x WHERE to_jsonb(x) NOT IN "
                f"(SELECT to_jsonb(y) FROM (SELECT {listed} FROM {table.sql}) y) ORDER BY 1".encode()
            ).fetchall()
    except psycopg.errors.ProgrammingError:
        return None  # it needs more of the table than a copy has
    if count is None or count[0] == 0:
        return None  # its own condition, or an earlier statement, says that the rows are there already
    return int(count[0]), [row[0] for row in differing]


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
