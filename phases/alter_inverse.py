"""What takes a change of a table in use back: read from the catalog before the change, and recorded in the ledger.

Each is a query that gives the statements (`Action.inverse_query`). Names are printed in full, because the search path
is empty while the query runs. Where rows must be read again, the statements are parts of their own, with COMMIT between
them: a constraint comes back NOT VALID, is validated while the application writes, and only then takes the place of
what it replaces. So no lock is held for longer than a change of the catalog.
"""

from __future__ import annotations

from typing import Final

from orchestrator.kernel.identifiers import bounded, quote
from orchestrator.kernel.sqllexer import split
from orchestrator.mapping.sqltext import literal, text_array

THEN: Final = ";\nCOMMIT;\n"
"""Ends a part of an inverse: what comes behind it is a transaction of its own."""
NOTHING: Final = "''"


def parts(text: str) -> list[str]:
    """The transactions of an inverse."""
    found: list[list[str]] = [[]]
    for statement in split(text):
        if statement.text.strip().upper() == "COMMIT":
            found.append([])
        else:
            found[-1].append(statement.text)
    return [";\n".join(each) for each in found if each] if len(found) > 1 else [text]


def _asked(answer: str, source: str) -> str:
    """A query whose first column is the answer; the search path is as it was afterwards."""
    return (
        "WITH path AS MATERIALIZED (SELECT pg_catalog.current_setting('search_path') AS before, "
        "pg_catalog.set_config('search_path', '', true) AS now), "
        f"found AS MATERIALIZED (SELECT {answer} AS answer FROM path, {source}) "
        "SELECT (SELECT answer FROM found), pg_catalog.set_config('search_path', before, true) FROM path, "
        "(SELECT count(*) FROM found) AS asked"
    )


def _column(table: str, name: str) -> str:
    return (
        "pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
        f"WHERE a.attrelid = pg_catalog.to_regclass({literal(table)}) AND a.attname = {literal(name)} "
        "AND NOT a.attisdropped"
    )


def default(table: str, name: str) -> str:
    """The default that the column has now."""
    head = literal(f"ALTER TABLE {table} ALTER COLUMN {quote(name)} ")
    answer = f"{head} || coalesce('SET DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid), 'DROP DEFAULT')"
    return _asked(answer, _column(table, name))


def not_null_again(table: str, name: str) -> str:
    """NOT NULL, if the column has it now: validated first, so that no row is read under the last lock."""
    check = quote(not_null_check(name))
    added = f"ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({quote(name)} IS NOT NULL) NOT VALID"
    prepared = [
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {check};\n{added}",
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {check}",
        "",
    ]
    # From PostgreSQL 18 on NOT NULL is a constraint with a name, which may be the user's.
    named = (
        "(SELECT pg_catalog.format('ADD CONSTRAINT %I NOT NULL %I', o.conname, a.attname) "
        "FROM pg_catalog.pg_constraint o "
        "WHERE o.conrelid = a.attrelid AND o.contype = 'n' AND o.conkey = ARRAY[a.attnum])"
    )
    set_again = literal(f"ALTER COLUMN {quote(name)} SET NOT NULL")
    last = (
        f"{literal(f'ALTER TABLE {table} ')} || coalesce({named}, {set_again}) "
        f"|| {literal(f';{chr(10)}ALTER TABLE {table} DROP CONSTRAINT {check}')}"
    )
    answer = f"CASE WHEN a.attnotnull THEN {literal(THEN.join(prepared))} || {last} ELSE {NOTHING} END"
    return _asked(answer, _column(table, name))


def nullable_again(table: str, name: str) -> str:
    """Nullable, if the column is so now."""
    undo = literal(f"ALTER TABLE {table} ALTER COLUMN {quote(name)} DROP NOT NULL")
    return _asked(f"CASE WHEN a.attnotnull THEN {NOTHING} ELSE {undo} END", _column(table, name))


def replaced(table: str, old: str, new: str, now: str) -> str:
    """The constraint `old` as it is now: added beside the new one, validated, then put in its place.

    `new` is the name under which the new one was added, `now` the one that it has afterwards.
    """
    waiting = quote(bounded("changeover_back", old))
    head = f"ALTER TABLE {table} "
    swap = [f"{head}RENAME CONSTRAINT {quote(now)} TO {quote(new)}"] if now != new else []
    swap.append(f"{head}RENAME CONSTRAINT {waiting} TO {quote(old)}")
    # Writers lock the row that is referred to first, and we keep to their order.
    swap.insert(0, parents_locked(table, (bounded("changeover_back", old), now)))
    lock = literal("LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE;\n")
    parent = f"CASE WHEN o.confrelid <> 0 THEN pg_catalog.format({lock}, o.confrelid::regclass) END"
    definition = "pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(o.oid), ' NOT VALID$', '')"
    comment = (
        f"coalesce({literal(f';{chr(10)}COMMENT ON CONSTRAINT {quote(old)} ON {table} IS ')} || "
        "pg_catalog.quote_literal(pg_catalog.obj_description(o.oid, 'pg_constraint')), '')"
    )
    answer = (
        f"coalesce({parent}, '') || {literal(f'{head}DROP CONSTRAINT IF EXISTS {waiting};{chr(10)}')} "
        f"|| {literal(f'{head}ADD CONSTRAINT {waiting} ')} || {definition} "
        f"|| {literal(f' NOT VALID{THEN}')} || CASE WHEN o.convalidated THEN "
        f"{literal(f'{head}VALIDATE CONSTRAINT {waiting}{THEN}')} ELSE {NOTHING} END "
        f"|| {literal(f';{chr(10)}'.join(swap))} || {comment}"
    )
    source = (
        "pg_catalog.pg_constraint o "
        f"WHERE o.conrelid = pg_catalog.to_regclass({literal(table)}) AND o.conname = {literal(old)}"
    )
    return _asked(answer, source)


def parents_locked(table: str, names: tuple[str, ...]) -> str:
    """Lock the tables that these constraints refer to, in the order in which writers do."""
    return (
        "DO $changeover$ DECLARE parent regclass; BEGIN FOR parent IN SELECT DISTINCT confrelid::regclass "
        f"FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass({literal(table)}) AND confrelid <> 0 "
        f"AND conname = ANY ({text_array(names)}) ORDER BY 1 "
        "LOOP EXECUTE pg_catalog.format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', parent); END LOOP; END $changeover$"
    )


def not_null_check(name: str) -> str:
    """The CHECK that stands in for NOT NULL while the rows are read."""
    return bounded("changeover", name, "not_null")
