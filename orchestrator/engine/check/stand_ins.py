"""What takes the place of a new object that a trial cannot keep, because making it has locked the application's tables.

A foreign key of a new table locks the table that it refers to against writers until the transaction ends; a view, a
query that fills a table, the body of a function lock what they read. The object is made once as the plan has it, so
that the server has judged it, and taken back with its locks. What later statements need of it is made again from what
the catalog said: a table without its foreign keys, a view of NULLs, some of the rows that were filled in.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from orchestrator.engine import queries
from orchestrator.mapping import catalog

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from orchestrator.mapping.catalog import Column, Table

_ROWS: Final = 10_000
"""Reference data has fewer; a trial can do without the rest."""
_SEQUENCE: Final = "S"
_VIEWS: Final = {"v": "VIEW", "m": "MATERIALIZED VIEW"}


@dataclass(frozen=True)
class StandIn:
    """Statements that make an object again without locks, and rows for it."""

    statements: Sequence[str]
    table: str = ""
    columns: str = ""
    rows: Sequence[bytes] = ()

    def make(self, conn: psycopg.Connection[Any]) -> None:
        """Make it, in the caller's transaction."""
        for statement in self.statements:
            conn.execute(statement.encode())

    def fill(self, conn: psycopg.Connection[Any]) -> None:
        """Put its rows in. Those that refer to rows that are left out stay out themselves."""
        asked = f"COPY {self.table} ({self.columns}) FROM STDIN".encode()
        with suppress(psycopg.IntegrityError), conn.transaction(), conn.cursor() as cursor:
            if self.rows:
                with cursor.copy(asked) as copy:
                    for row in self.rows:
                        copy.write(row)


def of_new(conn: psycopg.Connection[Any], oids: Collection[int]) -> list[StandIn]:
    """For relations that a statement has just made."""
    tables = [table for table in catalog.read_tables(conn, sorted(oids)).values() if table.kind != _SEQUENCE]
    return [_view(table) if table.kind in _VIEWS else _table(conn, table) for table in tables]


def of_changed(conn: psycopg.Connection[Any], before: Table) -> StandIn:
    """For a table of the plan that a statement has changed: the columns that it has got, and its rows."""
    now = catalog.read_table(conn, before.oid)
    added = [c for c in now.columns if c.name not in before.by_name]
    statements = [f"ALTER TABLE {now.sql} ADD COLUMN {_column(c)}" for c in added]
    return StandIn([f"TRUNCATE {now.sql} CASCADE", *statements], *_rows(conn, now))


def _view(table: Table) -> StandIn:
    values = ", ".join(f"NULL::{c.sql_type} AS {c.sql}" for c in table.columns)
    return StandIn([f"CREATE {_VIEWS[table.kind]} {table.sql} AS SELECT {values} WHERE false"])


def _table(conn: psycopg.Connection[Any], table: Table) -> StandIn:
    parts = conn.execute(queries.load("stand_in_parts.sql"), {"oid": table.oid}).fetchall()
    columns = ",\n    ".join(_column(c) for c in table.columns)
    key = conn.execute("SELECT pg_catalog.pg_get_partkeydef(%s)", (table.oid,)).fetchone()
    partitioned = f" PARTITION BY {key[0]}" if key and key[0] else ""
    return StandIn(
        [
            *(text for first, text in parts if first),
            f"CREATE TABLE {table.sql} (\n    {columns}\n){partitioned}",
            *(text for first, text in parts if not first),
        ],
        *_rows(conn, table),
    )


def _column(column: Column) -> str:
    collation = "" if column.collation is None else f" COLLATE {column.collation}"
    value = "" if column.default is None else f" DEFAULT {column.default}"
    if column.generated:
        value = f" GENERATED ALWAYS AS ({column.generation}) STORED"
    elif column.identity:
        value = f" GENERATED {'ALWAYS' if column.identity == 'a' else 'BY DEFAULT'} AS IDENTITY"
    return f"{column.sql} {column.sql_type}{collation}{value}{' NOT NULL' if column.not_null else ''}"


def _rows(conn: psycopg.Connection[Any], table: Table) -> tuple[str, str, list[bytes]]:
    names = sql.SQL(", ").join(sql.Identifier(c.name) for c in table.columns if not c.generated)
    asked = sql.SQL("COPY (SELECT {} FROM {} LIMIT {}) TO STDOUT").format(
        names, sql.Identifier(table.schema, table.name), sql.Literal(_ROWS)
    )
    with conn.cursor() as cursor, cursor.copy(asked) as copy:
        return table.sql, names.as_string(conn), [bytes(row) for row in copy]
