"""`rename:`: the table gets its new name in expand, and a plain, automatically updatable view has the old one.

Both versions of the application read and write the same rows: there is nothing to copy and nothing to mirror. Where the
table keeps its name and only columns get others, the view with the new names is in a schema of its own, which the new
application puts first in its search path. At `retire` the columns are renamed and the view goes, in one transaction: a
statement of the new application finds the same names before and after.

The views have the owner and the grants of the table. From PostgreSQL 15 on they act with the rights of the role that
asks, so that row-level security, also one that comes later, judges that role (`acts_as_asker` tells where). A sequence
that a column owns keeps its name and belongs to the view under the old name until `retire`, so that
`pg_get_serial_sequence` of old code works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine import queries
from orchestrator.engine.contract import old_name
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.kernel.words import meant
from orchestrator.mapping import catalog
from orchestrator.mapping.discovery import never
from orchestrator.mapping.nearby import meant_table
from orchestrator.mapping.sqltext import literal
from phases.actions import Action, own_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from orchestrator.mapping.catalog import Table
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage
    from phases.rename_spec import Rename

_KIND: Final = "SELECT relkind::text FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%s)"
_OWNER: Final = "SELECT pg_catalog.pg_has_role(%s, 'USAGE')"


def actions(conn: psycopg.Connection[Any], stage: Stage) -> Iterator[Action]:
    """One action for each, compiled from the catalog."""
    for rename in stage.rename:
        table = _table(conn, rename)
        yield without_database(rename) if table is None else _action(conn, rename, table)


def without_database(rename: Rename) -> Action:
    """The action as it is where it is done already, or where there is no database to ask."""
    old, new = rename.sql
    shown, table = (old, new) if rename.to is not None else (new, old)
    return Action(
        id=rename.id,
        statement="SELECT",
        probe=(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_class "
            f"WHERE oid = to_regclass({literal(shown)}) AND relkind = 'v') "
            f"AND to_regclass({literal(table)}) IS NOT NULL"
        ),
        lock="ACCESS EXCLUSIVE, briefly" if rename.to is not None else "none",
        doc="the old name is a view of the table" if rename.to is not None else "a view with the new names",
        record=f"-- {rename.id}: compiled from the plan and the catalog",
        tried_apart=True,
    )


def problems(conn: psycopg.Connection[Any], plan: LoadedPlan, stage: Stage) -> Iterator[str]:
    """What keeps the renaming of a stage from being carried out, in words."""
    for rename in stage.rename:
        values = {"plan": plan.name, "stage": stage.stage, "action": rename.id}
        if conn.execute(queries.load("action_known.sql"), values).fetchone() is not None:
            continue
        label = ".".join(rename.old)
        table = _table(conn, rename)
        if table is None:
            yield f"rename {label}: there is no such table{meant_table(conn, rename.sql[0])}"
        else:
            yield from (f"rename {label}: {words}" for words in _unfit(conn, rename, table))


def notes(conn: psycopg.Connection[Any], stage: Stage) -> Iterator[str]:
    """What one should know."""
    for rename in stage.rename:
        table = _table(conn, rename)
        if rename.to is not None:
            label = ".".join(rename.old)
            yield f"stage {stage.stage}: from expand on, a view has the name {label}. {old_name.NOT_DONE}"
        for column in () if table is None or rename.to is None else table.columns:
            if column.identity:
                yield (
                    f"stage {stage.stage}: column {column.name} of {'.'.join(rename.old)} is an identity: "
                    "pg_get_serial_sequence finds its sequence by the new name only (INSERT works as before)"
                )


def _table(conn: psycopg.Connection[Any], rename: Rename) -> Table | None:
    """The table under its old name, as long as it has that."""
    old, _ = rename.sql
    if conn.execute(_KIND, (old,)).fetchone() not in {("r",), ("p",)}:
        return None
    oid = catalog.named(conn, old)
    return None if oid is None else catalog.read_table(conn, oid)


def _unfit(conn: psycopg.Connection[Any], rename: Rename, table: Table) -> Iterator[str]:
    _, new = rename.sql
    if conn.execute(_OWNER, (table.owner,)).fetchone() != (True,):
        yield f"it belongs to {table.owner}, and only its owner may change it"
    if conn.execute("SELECT pg_catalog.to_regclass(%s) IS NULL", (new,)).fetchone() != (True,):
        yield f"{'.'.join(rename.new)} is there already"
    if never(rename.new[0]):
        yield f"schema {rename.new[0]} is Changeover's or PostgreSQL's own"
    if table.row_security and not acts_as_asker(conn, table):
        yield (
            "it has row-level security, which a view keeps only from PostgreSQL 15 on, and where no right is given on "
            "single columns"
        )
    for old, name in rename.renamed.items():
        if old not in table.by_name:
            yield f"there is no column {old}{meant(old, table.by_name)}"
        elif name in table.by_name:
            yield f"there is a column {name} already"


def _action(conn: psycopg.Connection[Any], rename: Rename, table: Table) -> Action:
    build = _under_new_name if rename.to is not None else _new_names_in_schema
    statement, inverse = build(conn, rename, table)
    found = without_database(rename)
    return Action(
        id=found.id,
        statement=";\n".join(statement),
        inverse=";\n".join(inverse),
        probe=found.probe,
        lock=found.lock,
        doc=found.doc,
        record=found.record,
        tried_apart=True,
    )


def _under_new_name(conn: psycopg.Connection[Any], rename: Rename, table: Table) -> tuple[list[str], list[str]]:
    old, new = rename.sql
    sequences = owned(conn, table.oid)
    plain = quote(rename.new[1])
    there = {name: f"{new}.{quote(rename.renamed.get(column, column))}" for name, column in sequences}
    statement = [
        *(f"ALTER SEQUENCE {name} OWNED BY NONE" for name, _ in sequences),
        f"ALTER TABLE {old} RENAME TO {plain}",
        *(f"ALTER TABLE {new} RENAME COLUMN {quote(a)} TO {quote(b)}" for a, b in rename.renamed.items()),
        *view(conn, table, old, new, {rename.renamed.get(c.name, c.name): c.name for c in table.columns}),
        *(f"ALTER SEQUENCE {name} OWNED BY {old}.{quote(column)}" for name, column in sequences),
    ]
    inverse = [
        f"LOCK TABLE {old} IN ACCESS EXCLUSIVE MODE",
        *(f"ALTER SEQUENCE {name} OWNED BY {place}" for name, place in there.items()),
        _followed(old, new, rename.renamed),
        f"DROP VIEW {old}",
        *(f"ALTER TABLE {new} RENAME COLUMN {quote(b)} TO {quote(a)}" for a, b in rename.renamed.items()),
        f"ALTER TABLE {new} RENAME TO {quote(rename.old[1])}",
    ]
    return statement, inverse


def _new_names_in_schema(conn: psycopg.Connection[Any], rename: Rename, table: Table) -> tuple[list[str], list[str]]:
    old, new = rename.sql
    names = {c.name: rename.renamed.get(c.name, c.name) for c in table.columns}
    statement = [own_schema(rename.new[0], usable=True), *view(conn, table, new, old, names)]
    back = {new_name: old_name for old_name, new_name in rename.renamed.items()}
    return statement, [_followed(new, old, back), f"DROP VIEW {new}"]


def acts_as_asker(conn: psycopg.Connection[Any], table: Table) -> bool:
    """Whether the view can act with the rights of who asks.

    Such a view reads all its columns in the name of the role. A role with rights on some columns only could not read
    these any more, so there the view acts with the rights of the owner, and its own grants say who may read what.
    """
    on_columns = any(grant.column is not None for grant in table.grants)
    return conn.info.server_version >= old_name.INVOKER_VIEWS and not on_columns


def view(conn: psycopg.Connection[Any], table: Table, view: str, target: str, names: dict[str, str]) -> Iterator[str]:
    """The statements that make the view; `names` leads from the table's columns to those of the view."""
    shown = ", ".join(f"{quote(a)} AS {quote(b)}" for a, b in names.items())
    invoker = " WITH (security_invoker = true)" if acts_as_asker(conn, table) else ""
    yield f"CREATE VIEW {view}{invoker} AS SELECT {shown} FROM {target}"
    yield (
        f"DO $changeover$ BEGIN IF {literal(table.owner)} <> current_user THEN "
        f"ALTER VIEW {view} OWNER TO {quote(table.owner)}; END IF; END $changeover$"
    )
    # The grants were read before the table's columns got other names.
    shown_as = names if target == table.sql else {c.name: c.name for c in table.columns}
    yield f"SELECT changeover.keep_private({literal(view)}::regclass, true)"
    for grant in table.grants:
        if grant.column is not None and grant.column not in shown_as:
            continue
        what = grant.privilege
        if grant.column is not None:
            what += f" ({quote(shown_as[grant.column])})"
        to = "PUBLIC" if grant.grantee is None else quote(grant.grantee)
        yield f"GRANT {what} ON {view} TO {to}{' WITH GRANT OPTION' if grant.grantable else ''}"


def _followed(view: str, target: str, renamed: dict[str, str]) -> str:
    """What was taken from a role by the view's name is taken from it for the table, before the view goes.

    `renamed` leads from the view's columns to those of the table.
    """
    pairs = ", ".join(f"({literal(a)}, {literal(b)})" for a, b in renamed.items()) or "(NULL, NULL)"
    return queries.load("follow_revokes.sql").format(view=literal(view), table=literal(target), pairs=pairs)


def owned(conn: psycopg.Connection[Any], relation: int) -> list[tuple[str, str]]:
    """The sequences that belong to a column of a relation, in SQL, with the column."""
    rows = conn.execute(queries.load("owned_sequences.sql"), {"oid": relation}).fetchall()
    return [(sql_name((schema, name)), column) for schema, name, column in rows]
