"""What contract makes of a table's columns: the new ones NOT NULL where the plan says so, the old ones nullable.

NOT NULL comes by a CHECK that is NOT VALID at first, is validated while everybody works, and lets SET NOT NULL read
nothing. The way back of a NOT NULL that goes is the same: three statements that do nothing on the way there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestrator.kernel import sqlfiles
from orchestrator.kernel.identifiers import bounded, quote
from orchestrator.mapping.objects import DbObject
from orchestrator.mapping.sqltext import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.in_place import InPlaceTable

_BRIEF = "ACCESS EXCLUSIVE, briefly"
_NOTHING = "SELECT true"


def objects(m: InPlaceTable) -> list[DbObject]:
    """Everything, in order."""
    there = {check.name for check in m.checks}
    made: list[DbObject] = []
    for column in m.written:
        rule = m.spec.rules[column.name]
        ours = not column.not_null or rule.type is not None or _name(m, column) in there
        if rule.required and ours:
            made += _required(m, column)
    for column in m.old:
        if column.not_null and column not in m.key:
            made += _nullable(m, column)
    return made


def as_before(conn: psycopg.Connection[Any], table: Table) -> Table:
    """The table with NOT NULL where contract has taken it away.

    The functions stay as dual-write has made them, so that contract finds them again after a kill.
    """
    done = sqlfiles.load(__package__, "made_nullable.sql")
    (names,) = conn.execute(done, {"ids": [_nullable_id(table, c) for c in table.columns]}).fetchone() or ([],)
    changed = (replace(c, not_null=True) if _nullable_id(table, c) in names else c for c in table.columns)
    return replace(table, columns=tuple(changed)) if names else table


def _nullable_id(table: Table, column: Column) -> str:
    return f"nullable {table.label}.{column.name}"


def _name(m: InPlaceTable, column: Column) -> str:
    return bounded("changeover", str(m.id), column.name, "not_null")


def _required(m: InPlaceTable, column: Column) -> Iterator[DbObject]:
    add, validate, drop, there = _check(m, column)
    alter, label = f"ALTER TABLE {m.table.sql} ALTER COLUMN {column.sql}", f"{m.table.label}.{column.name}"
    done = (
        "EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attnotnull "
        f"AND a.attrelid = {literal(m.table.sql)}::regclass AND a.attname = {literal(column.name)})"
    )
    yield DbObject(f"check {label} is there", add, drop, f"SELECT {done} OR {there}", _BRIEF, "NOT NULL of new rows")
    yield DbObject(
        f"check {label} holds", validate, "", f"SELECT {done}", "SHARE UPDATE EXCLUSIVE", "NOT NULL of all rows"
    )
    yield DbObject(
        f"required {label}", f"{alter} SET NOT NULL", f"{alter} DROP NOT NULL", f"SELECT {done}", _BRIEF, "NOT NULL"
    )
    yield DbObject(f"check {label} goes", drop, "", f"SELECT NOT {there}", _BRIEF, "NOT NULL says it")


def _nullable(m: InPlaceTable, column: Column) -> Iterator[DbObject]:
    add, validate, drop, _ = _check(m, column)
    alter, label = f"ALTER TABLE {m.table.sql} ALTER COLUMN {column.sql}", f"{m.table.label}.{column.name}"
    yield DbObject(f"way back of {label}: the check goes", _NOTHING, drop, "")
    yield DbObject(f"way back of {label}: NOT NULL", _NOTHING, f"{alter} SET NOT NULL", "")
    yield DbObject(f"way back of {label}: the check holds", _NOTHING, validate, "")
    yield DbObject(
        _nullable_id(m.table, column), f"{alter} DROP NOT NULL", add, "", _BRIEF, "new code need not fill it"
    )


def _check(m: InPlaceTable, column: Column) -> tuple[str, str, str, str]:
    """Making, validating and dropping the CHECK, and whether it is there."""
    name, alter = _name(m, column), f"ALTER TABLE {m.table.sql}"
    there = (
        f"EXISTS (SELECT FROM pg_catalog.pg_constraint x WHERE x.conrelid = {literal(m.table.sql)}::regclass "
        f"AND x.conname = {literal(name)})"
    )
    drop = f"{alter} DROP CONSTRAINT IF EXISTS {quote(name)}"
    return (
        f"{drop}; {alter} ADD CONSTRAINT {quote(name)} CHECK ({column.sql} IS NOT NULL) NOT VALID",
        f"{alter} VALIDATE CONSTRAINT {quote(name)}",
        drop,
        there,
    )
