"""The statements that an expand file may hold, each with its inverse: one function for each form.

What a statement makes is dropped again. What it changes is put back as the catalog had it (`inverse_query`, asked just
before). What only concerns an object that the stage itself has made goes with that object (`goes_with`). A statement of
no form here has no way back, and the lint refuses it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.sqlcursor import Cursor, sql_name
from orchestrator.mapping.sqltext import literal
from phases.actions import Action, NewColumns
from phases.comments import comment
from phases.grants import grant
from phases.routines import input_types

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.kernel.sqlcursor import Name

_RELATION, _SCHEMA, _TYPE, _ROUTINE = "relation", "schema", "type", "routine"
_NEW: Final = "none (a new object)"
_BRIEF: Final = "ACCESS EXCLUSIVE, briefly"


def known(statement: str) -> Action | None:
    """The action of a statement, without its place; None if no form fits."""
    return next((action for form in _FORMS if (action := form(Cursor(statement))) is not None), None)


def made(kind: str, name: Name) -> str:
    """How an object is called in `Action.makes` and `Action.own`."""
    return f"{kind} {'.'.join(name)}"


def _creates(head: Cursor) -> bool:
    return head.takes("create") and head.skips("or", "replace")


def _dropped(noun: str, kind: str, finder: str, name: Name, head: Cursor) -> Action:
    full = sql_name(name)
    return Action(
        id=f"{noun.lower()} {'.'.join(name)}",
        statement=head.text,
        inverse=f"DROP {noun} IF EXISTS {full}",
        probe=f"SELECT {finder}({literal(full)}) IS NOT NULL",
        lock=_NEW,
        makes=made(kind, name),
    )


def _table(head: Cursor) -> Action | None:
    if not (head.takes("create") and head.skips("unlogged") and head.takes("table")):
        return None
    unless_there = head.takes("if", "not", "exists")
    name = head.name()
    if not name:
        return None
    action = replace(_dropped("TABLE", _RELATION, "to_regclass", name, head), unless_there=unless_there)
    if head.takes("partition", "of"):
        return replace(action, own=(made(_RELATION, head.name()),), lock="SHARE UPDATE EXCLUSIVE on its parent")
    return action


def _plain(head: Cursor) -> Action | None:
    """Objects with a name of their own."""
    if not _creates(head):
        return None
    noun = next((words for words in _PLAIN if head.takes(*words.lower().split())), "")
    unless_there = head.takes("if", "not", "exists")
    if not noun or head.here.says("authorization") or not (name := head.name()):
        return None
    if noun == "SCHEMA" and head.seek("create"):
        return None  # what else it makes would have to be dropped first
    kind, finder = _PLAIN[noun]
    return replace(_dropped(noun.removeprefix("RECURSIVE "), kind, finder, name, head), unless_there=unless_there)


_PLAIN: Final = {
    "VIEW": (_RELATION, "to_regclass"),
    "RECURSIVE VIEW": (_RELATION, "to_regclass"),
    "MATERIALIZED VIEW": (_RELATION, "to_regclass"),
    "SEQUENCE": (_RELATION, "to_regclass"),
    "TYPE": (_TYPE, "to_regtype"),
    "DOMAIN": (_TYPE, "to_regtype"),
    "SCHEMA": (_SCHEMA, "to_regnamespace"),
}


def _routine(head: Cursor) -> Action | None:
    noun = head.takes_one_of("function", "procedure").upper() if _creates(head) else ""
    name = head.name() if noun else ()
    arguments = head.arguments() if name else None
    types = None if arguments is None else input_types(arguments)
    if types is None:
        return None
    signature = f"{sql_name(name)}({', '.join(types)})"
    return Action(
        id=f"{noun.lower()} {'.'.join(name)}({', '.join(types)})",
        statement=head.text,
        inverse=f"DROP {noun} IF EXISTS {signature}",
        probe=f"SELECT to_regprocedure({literal(signature)}) IS NOT NULL",
        lock=_NEW,
        makes=made(_ROUTINE, name),
    )


def _statistics(head: Cursor) -> Action | None:
    if not (head.takes("create", "statistics") and head.skips("if", "not", "exists")) or head.here.says("on"):
        return None  # without a name of its own the server makes one up
    name = head.name()
    if not name:
        return None
    schema, plain = (literal(name[0]) if len(name) > 1 else "current_schema()"), literal(name[-1])
    return Action(
        id=f"statistics {'.'.join(name)}",
        statement=head.text,
        inverse=f"DROP STATISTICS IF EXISTS {sql_name(name)}",
        probe="SELECT EXISTS (SELECT FROM pg_catalog.pg_statistic_ext e JOIN pg_catalog.pg_namespace n "
        f"ON n.oid = e.stxnamespace WHERE e.stxname = {plain} AND n.nspname = {schema})",
        lock="SHARE UPDATE EXCLUSIVE",
        makes=made("statistics", name),
    )


def _on_a_table(head: Cursor) -> Action | None:
    """Triggers, policies and rules: their names are those of a table."""
    if not _creates(head):
        return None
    noun = "TRIGGER" if head.takes("trigger") or head.takes("constraint", "trigger") else ""
    noun = noun or head.takes_one_of("policy", "rule").upper()
    name = head.name() if noun else ()
    if len(name) != 1 or not head.seek("to" if noun == "RULE" else "on"):
        return None
    table = head.name()
    if not table:
        return None
    catalog, column, relation = _OF_A_TABLE[noun]
    where = f"{column} = {literal(name[0])} AND {relation} = to_regclass({literal(sql_name(table))})"
    return Action(
        id=f"{noun.lower()} {name[0]} on {'.'.join(table)}",
        statement=head.text,
        inverse=f"DROP {noun} IF EXISTS {sql_name(name)} ON {sql_name(table)}",
        probe=f"SELECT EXISTS (SELECT FROM pg_catalog.{catalog} WHERE {where})",
        lock="SHARE ROW EXCLUSIVE" if noun == "TRIGGER" else _BRIEF,
        on=made(_RELATION, table),
    )


_OF_A_TABLE: Final = {
    "TRIGGER": ("pg_trigger", "tgname", "tgrelid"),
    "POLICY": ("pg_policy", "polname", "polrelid"),
    "RULE": ("pg_rewrite", "rulename", "ev_class"),
}


def _alter_sequence(head: Cursor) -> Action | None:
    if not (head.takes("alter", "sequence") and head.skips("if", "exists") and (name := head.name())):
        return None
    if not head.takes("owned", "by") or not head.name() or not head.at_end:
        return None
    full = sql_name(name)
    owner = (
        "SELECT pg_catalog.format('%I.%I.%I', n.nspname, c.relname, a.attname) FROM pg_catalog.pg_depend d "
        "JOIN pg_catalog.pg_class c ON c.oid = d.refobjid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid "
        "WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a' "
        f"AND d.objid = to_regclass({literal(full)})"
    )
    return Action(
        id=f"owner of {'.'.join(name)}",
        statement=head.text,
        inverse_query=f"SELECT {literal(f'ALTER SEQUENCE {full} OWNED BY ')} || coalesce(({owner}), 'NONE')",
        lock=_BRIEF,
        on=made(_RELATION, name),
    )


def _alter_table(head: Cursor) -> Action | None:
    if not (head.takes("alter", "table") and head.skips("if", "exists") and head.skips("only")):
        return None
    table = head.name()
    if not table:
        return None
    return _row_security(head, table) or _attached(head, table) or _columns(head, table) or _of_new_table(head, table)


def _attached(head: Cursor, table: Name) -> Action | None:
    child = head.name() if head.takes("attach", "partition") else ()
    if not child:
        return None
    return Action(
        id=f"partition {'.'.join(child)} of {'.'.join(table)}",
        statement=head.text,
        inverse=f"ALTER TABLE {sql_name(table)} DETACH PARTITION {sql_name(child)}",
        lock="SHARE UPDATE EXCLUSIVE",
        own=(made(_RELATION, table), made(_RELATION, child)),
    )


def _columns(head: Cursor, table: Name) -> Action | None:
    """New columns of a table of the plan; in one of the application `alter` adds them, where their rows may be read."""
    columns = _added_columns(head)
    if not columns:
        return None
    full = sql_name(table)
    dropped = ", ".join(f"DROP COLUMN IF EXISTS {sql_name([column])}" for column in columns)
    there = " AND ".join(
        f"EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass({literal(full)}) "
        f"AND attname = {literal(column)} AND NOT attisdropped)"
        for column in columns
    )
    return Action(
        id=f"columns {', '.join(columns)} of {'.'.join(table)}",
        statement=head.text,
        inverse=f"ALTER TABLE IF EXISTS {full} {dropped}",
        probe=f"SELECT {there}",
        lock=_BRIEF,
        own=(made(_RELATION, table),),
        new_columns=NewColumns(table, tuple(columns)),
    )


def _of_new_table(head: Cursor, table: Name) -> Action | None:
    """Anything else about a table that the stage has made, unless it would no longer be found under its name."""
    if head.takes_one_of("rename", "owner") or head.takes("set", "schema"):
        return None
    return Action(id="", statement=head.text, lock=_BRIEF, own=(made(_RELATION, table),), goes_with=True)


def _added_columns(head: Cursor) -> list[str]:
    """The columns of an ALTER TABLE that does nothing but add some."""
    begins, columns = head.place, []
    while head.takes("add"):
        constraint = head.here.says("constraint", "primary", "unique", "check", "foreign", "exclude")
        head.takes("column")
        head.takes("if", "not", "exists")
        name = head.name()
        if constraint or len(name) != 1:
            break
        columns.append(name[0])
        if not head.seek(","):
            return columns
    head.place = begins
    return []


def _row_security(head: Cursor, table: Name) -> Action | None:
    verb = next((verb for verb in _ROW_SECURITY if head.takes(*verb.lower().split(), "row", "level", "security")), "")
    if not verb or not head.at_end:
        return None
    back, column = _ROW_SECURITY[verb]
    undo = literal(f"ALTER TABLE {sql_name(table)} {back} ROW LEVEL SECURITY")
    before = (
        f"SELECT CASE WHEN c.{column} THEN '' ELSE {undo} END "
        f"FROM pg_catalog.pg_class c WHERE c.oid = to_regclass({literal(sql_name(table))})"
    )
    return Action(
        id=f"{verb.lower()} row security of {'.'.join(table)}",
        statement=head.text,
        inverse_query=before,
        lock=_BRIEF,
        on=made(_RELATION, table),
    )


_ROW_SECURITY: Final = {"ENABLE": ("DISABLE", "relrowsecurity"), "FORCE": ("NO FORCE", "relforcerowsecurity")}

_FORMS: Final[tuple[Callable[[Cursor], Action | None], ...]] = (
    *(_table, _plain, _routine, _statistics, _on_a_table, _alter_sequence, _alter_table, grant, comment),
)
