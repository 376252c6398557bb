"""The old name after contract: a plain, automatically updatable view of the archived table.

Old code finds there what it had: PostgreSQL puts the table in the view's place when it plans a statement. So the plans,
row locks, types, collations and rows are those of the table, and so are its triggers, the mirrors among them. The view
takes over the table's owner, grants, comments and column defaults. Where the table has row-level security, the view is
a `security_invoker` one: the policies judge the role that asks, as before. PostgreSQL has such views from 15 on.

A sequence that a column owns keeps its schema and name. It belongs to the view's column while the table is archived,
so that `nextval('t_id_seq')` and `pg_get_serial_sequence('t', 'id')` of old code work. The sequence of an identity is a
part of its table, and goes with it.

The functions here run within the short transaction that moves a table, under its lock.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from orchestrator.engine import queries
from orchestrator.kernel.errors import RefusedError
from orchestrator.mapping import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestrator.mapping.catalog import Table

INVOKER_VIEWS: Final = 150000
"""The server version from which on a view can act with the rights of the role that asks."""


NOT_DONE: Final = (
    "PostgreSQL does not do this with a view: COPY name TO or FROM, TRUNCATE, MERGE (before 17), ON CONFLICT ON "
    "CONSTRAINT, GROUP BY the key alone, ctid and xmin, TABLESAMPLE, WHERE CURRENT OF, ALTER TABLE, "
    "CREATE INDEX, REFERENCES. All else works as before."
)


def limits(stages: Sequence[str]) -> Iterator[str]:
    """What a view under the name of an old table does not do, as `plan check` tells it of stages that archive."""
    if stages:
        label = "stage" if len(stages) == 1 else "stages"
        yield f"{label} {', '.join(stages)}: from contract on, a view has the name of each old table. {NOT_DONE}"


def put(conn: psycopg.Connection[Any], table: Table, to: str) -> None:
    """Move a table to schema `to`, and put the view under its name. `table` is as it is before the move."""
    refuse_row_security(conn, table)
    here, there = sql.Identifier(table.schema, table.name), sql.Identifier(to, table.name)
    details = conn.execute(queries.load("old_name_columns.sql"), {"oid": table.oid}).fetchall()
    sequences = _owned(conn, table.oid)
    for sequence, _ in sequences:
        conn.execute(sql.SQL("ALTER SEQUENCE {} OWNED BY NONE").format(sequence))
    conn.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(here, sql.Identifier(to)))
    names = [sql.SQL("{}").format(sql.Identifier(c.name)) for c in table.columns]
    conn.execute(_select(here, table, names, there))
    conn.execute(
        sql.SQL(
            "DO $changeover$ BEGIN IF {} <> current_user THEN ALTER VIEW {} OWNER TO {}; END IF; END $changeover$"
        ).format(sql.Literal(table.owner), here, sql.Identifier(table.owner))
    )
    conn.execute("SELECT changeover.keep_private(%s::regclass, true)", (table.sql,))
    for grant in table.grants:
        conn.execute(grant.on(table.sql).encode())
    for column, default, comment in details:
        if default is not None:
            place = here, sql.Identifier(column), sql.SQL(default)
            conn.execute(sql.SQL("ALTER VIEW {} ALTER COLUMN {} SET DEFAULT {}").format(*place))
        if comment is not None:
            what = sql.SQL("VIEW {}").format(here)
            if column is not None:
                what = sql.SQL("COLUMN {}").format(sql.Identifier(table.schema, table.name, column))
            conn.execute(sql.SQL("COMMENT ON {} IS {}").format(what, sql.Literal(comment)))
    for sequence, column in sequences:
        owner = sql.Identifier(table.schema, table.name, column)
        conn.execute(sql.SQL("ALTER SEQUENCE {} OWNED BY {}").format(sequence, owner))


def take(conn: psycopg.Connection[Any], table: Table, home: str) -> None:
    """Drop the view, and move the table back to where it was. `table` is as it is before the move."""
    view = find(conn, table, home)
    sequences = [] if view is None else _owned(conn, view)
    if view is not None:
        for sequence, _ in sequences:
            conn.execute(sql.SQL("ALTER SEQUENCE {} OWNED BY NONE").format(sequence))
        _follow_grants(conn, table, catalog.read_table(conn, view))
        with named_dependents():
            conn.execute(sql.SQL("DROP VIEW {}").format(sql.Identifier(home, table.name)))
    here = sql.Identifier(table.schema, table.name)
    conn.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(here, sql.Identifier(home)))
    for sequence, column in sequences:
        owner = sql.Identifier(home, table.name, column)
        conn.execute(sql.SQL("ALTER SEQUENCE {} OWNED BY {}").format(sequence, owner))


def renew(conn: psycopg.Connection[Any], table: Table, home: str) -> None:
    """Give the view the columns that the archived table has got since."""
    view = find(conn, table, home)
    if view is None:
        return
    shown = catalog.read_table(conn, view).columns  # in the order of the table's, as it was then
    names = [
        sql.SQL("{} AS {}").format(sql.Identifier(c.name), sql.Identifier(s.name))
        for c, s in zip(table.columns, shown, strict=False)
    ]
    names += [sql.SQL("{}").format(sql.Identifier(c.name)) for c in table.columns[len(shown) :]]
    conn.execute(_select(sql.Identifier(home, table.name), table, names, sql.Identifier(table.schema, table.name)))


def find(conn: psycopg.Connection[Any], table: Table, home: str) -> int | None:
    """The oid of the view under the old name; None where there is none. Raise where something else has the name."""
    values = {"schema": home, "name": table.name, "table": table.oid}
    row = conn.execute(queries.load("view_of_table.sql"), values).fetchone()
    if row is not None:
        return int(row[0])
    taken = conn.execute("SELECT to_regclass(%s)", (sql.Identifier(home, table.name).as_string(conn),)).fetchone()
    if taken != (None,):
        raise RefusedError(
            f"{home}.{table.name} is not the view that contract has made of {table.schema}.{table.name}.",
            kept="Nothing was changed.",
            todo="Rename what has this name, then run the same command again.",
        )
    return None


def drop(conn: psycopg.Connection[Any], view: dict[str, Any]) -> list[sql.Identifier]:
    """Drop a view for good; its sequences, which belong to nobody then."""
    sequences = [sequence for sequence, _ in _owned(conn, view["oid"])]
    for sequence in sequences:
        conn.execute(sql.SQL("ALTER SEQUENCE {} OWNED BY NONE").format(sequence))
    conn.execute(sql.SQL("DROP VIEW {}").format(sql.Identifier(view["nspname"], view["relname"])))
    return sequences


def drop_unused(conn: psycopg.Connection[Any], sequences: list[sql.Identifier]) -> None:
    """Drop the sequences from which nothing draws any more; a new table may go on with an old one's."""
    for sequence in sequences:
        with suppress(psycopg.errors.DependentObjectsStillExist), conn.transaction():
            conn.execute(sql.SQL("DROP SEQUENCE {}").format(sequence))


def refuse_row_security(conn: psycopg.Connection[Any], table: Table) -> None:
    """Raise where a view could not keep to the table's row-level security, or the owner does not see every row."""
    if why := row_security_problems(conn, table):
        raise RefusedError(
            f"{table.label}: {'; '.join(why)}.",
            kept="Nothing was changed by this step.",
            todo="Change the table's row-level security, then run the same command again. Or roll back.",
        )


def row_security_problems(conn: psycopg.Connection[Any], table: Table) -> list[str]:
    """What speaks against a table with row-level security, in words."""
    if table.hides_rows:
        why = "FORCE ROW LEVEL SECURITY, or the role is not its owner"
        return [f"row-level security hides rows of it from the role that runs the plan ({why})"]
    if table.row_security and conn.info.server_version < INVOKER_VIEWS:
        return ["it has row-level security, which a view under its name can only keep from PostgreSQL 15 on"]
    return []


@contextmanager
def named_dependents() -> Iterator[None]:
    """What somebody has hung on a view or a table is named, and nothing is dropped."""
    try:
        yield
    except psycopg.errors.DependentObjectsStillExist as exc:
        named = "; ".join((exc.diag.message_detail or str(exc)).splitlines())
        raise RefusedError(
            f"Something else depends on an old table or on the view under its name: {named}",
            kept="Nothing was changed.",
            todo="Drop it, or make it refer to the new table; then run the same command again.",
        ) from exc


def _select(view: sql.Identifier, table: Table, names: list[sql.Composed], place: sql.Identifier) -> sql.Composed:
    """The statement that makes the view, or makes it anew."""
    how = sql.SQL("WITH (security_invoker = true) " if table.row_security else "")
    text = sql.SQL("CREATE OR REPLACE VIEW {} {}AS SELECT {} FROM {}")
    return text.format(view, how, sql.SQL(", ").join(names), place)


def _follow_grants(conn: psycopg.Connection[Any], table: Table, view: Table) -> None:
    """Rights that were given or taken under the old name, while the view had it, are the table's."""
    name = sql.Identifier(table.schema, table.name).as_string(conn)
    for grant in set(table.grants) - set(view.grants):
        conn.execute(grant.off(name).encode())
    for grant in sorted(set(view.grants) - set(table.grants), key=str):
        conn.execute(grant.on(name).encode())


def _owned(conn: psycopg.Connection[Any], relation: int) -> list[tuple[sql.Identifier, str]]:
    rows = conn.execute(queries.load("owned_sequences.sql"), {"oid": relation}).fetchall()
    return [(sql.Identifier(schema, name), column) for schema, name, column in rows]
