"""The compatibility view: the old table in the old words, made of the new one. It is the proof and not the door.

It is in schema ``compat`` under the table's own name (under ``schema.name`` where two tables of different schemas have
one name), from dual-write until `retire`. It gives every legacy row that was migrated, every column as it was: it is
equal to the old table less the rejects. Nothing can be written through it. Old code reads and writes the old table,
before contract and after it (`old_name`).

Each row is made by a function that fixes the settings on which the text of a value depends, for a view can fix none.
Who may read the whole old table may read the view; of a table with row-level security, only its owner. The view shows
nothing to a role to which row-level security that was switched on since hides rows of the old table, nor to a role that
has lost its right to the old table since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import qualified, quote
from orchestrator.mapping.objects import DbObject, ObjectKind, keep_private
from orchestrator.mapping.part import computed
from orchestrator.mapping.sqltext import comma, literal, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.mapping.catalog import Column, Table

SCHEMA = "compat"


def proof(*, source_id: int, table: Table, pins: str, columns: Sequence[Column], target: Table, which: str) -> DbObject:
    """The view with its function, over the rows ``t`` of the target that fulfil a condition."""
    name = table.view or table.name
    view, function = qualified(SCHEMA, name), f"changeover.m{source_id}_old"
    signature, rows = f"{function}(tid, oid)", f"FROM {target.sql} t\nWHERE {which}"
    body = render(
        "view_row.sql",
        fn=f"m{source_id}",
        target=target.sql,
        which=which,
        # Each by its name: the body is what tells whether the view has the columns of the table.
        columns=", ".join(f"r.{_out(c)}" for c in columns),
        oid=str(table.oid),
        may_read=_may_read(table),
    )
    outs = ", ".join(f"OUT {_out(c)} {c.handled_as}" for c in columns)
    make = (
        f'CREATE FUNCTION {function}(tid, oid, OUT "#there" boolean, {outs})\n'
        f"LANGUAGE sql\nSTABLE\nSECURITY DEFINER\n{pins}\nAS {literal(body)}"
    )
    readers = [g for g in table.grants if g.privilege == "SELECT" and g.column is None and not table.row_security]
    drop = f"DROP VIEW IF EXISTS {view};\nDROP FUNCTION IF EXISTS {signature}"
    return DbObject(
        id=f"view {SCHEMA}.{name}",
        kind=ObjectKind.VIEW,
        create=";\n".join(
            [
                drop,
                make,
                f"SELECT changeover.keep_private({literal(signature)}::pg_catalog.regprocedure)",
                *(f"GRANT EXECUTE ON FUNCTION {signature} TO {_role(g.grantee)}" for g in readers),
                f"CREATE VIEW {view} AS\n{_select(table, columns, rows, function)}",
                keep_private(view),
                *(f"GRANT SELECT ON {view} TO {_role(g.grantee)}" for g in readers),
            ]
        ),
        drop=drop,
        exists=(
            f"SELECT to_regclass({literal(view)}) IS NOT NULL AND EXISTS (SELECT FROM pg_catalog.pg_proc "
            f"WHERE oid = to_regprocedure({literal(signature)}) AND prosrc = {literal(body)})"
        ),
        doc=f"{table.label} in the old words, made of the new table",
        owner=f"m{source_id}",
    )


def _select(table: Table, old: Sequence[Column], rows: str, function: str) -> str:
    """The view's text. Without OFFSET the server would make each row anew for each of its columns."""
    may_read = f"has_table_privilege({table.oid}::oid, 'SELECT') AND NOT row_security_active({table.oid}::oid) AND {_may_read(table)}"
    made = f"SELECT {function}(t.ctid, t.tableoid) AS row\n{rows}\n    AND (SELECT {may_read})\nOFFSET 0"
    columns = comma(f"{_typed(c)} AS {c.sql}" for c in old)
    required = [f"(o.row).{_out(c)} IS NOT NULL" for c in old if c.handled_as != c.sql_type]
    # A value that is missing cannot be shown in such a type, and one such row would fail every reader. The table could
    # not hold it either: what would be that row waits.
    there = f"\nWHERE {' AND '.join(required)}" if required else ""
    return computed(table, f"SELECT {columns}\nFROM (\n{made}\n) o{there}")


def _may_read(table: Table) -> str:
    """Whether the role that asks, by SET ROLE or by its session, may read the whole old table."""
    role = "CASE pg_catalog.current_setting('role') WHEN 'none' THEN session_user ELSE pg_catalog.current_setting('role')::name END"
    return f"pg_catalog.has_table_privilege({role}, {table.oid}::oid, 'SELECT')"


def _typed(column: Column) -> str:
    collation = "" if column.collation is None else f" COLLATE {column.collation}"
    return f"(o.row).{_out(column)}::{column.sql_type}{collation}"


def _out(column: Column) -> str:
    """A name of its own: a column of the old table may be called like one of the new table."""
    return f'"#{column.attnum}"'


def _role(name: str | None) -> str:
    return "PUBLIC" if name is None else quote(name)
