"""COMMENT ON: the way back is the comment that was there, read from the catalog just before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.mapping.sqltext import literal, text_array
from phases.actions import Action
from phases.routines import input_types

if TYPE_CHECKING:
    from orchestrator.kernel.sqlcursor import Cursor, Name

# The kind as COMMENT has it, and as pg_get_object_address calls it.
_PLAIN: Final = {
    "table": "table",
    "view": "view",
    "materialized view": "materialized view",
    "sequence": "sequence",
    "index": "index",
    "schema": "schema",
    "statistics": "statistics object",
}
_TYPES: Final = {"type": "type", "domain": "type"}
_ROUTINES: Final = ("function", "procedure")
_OF_A_TABLE: Final = {"constraint": "table constraint", "trigger": "trigger", "policy": "policy", "rule": "rule"}


def comment(head: Cursor) -> Action | None:
    """The action, if the statement is such a one and names an object that a plan can make or change."""
    if not head.takes("comment", "on"):
        return None
    begins = head.here.start
    address, relation = _address(head)
    if not address or not head.here.says("is"):
        return None
    subject = head.text[begins : head.here.start].strip()
    return Action(
        id=f"comment on {' '.join(subject.split())}",
        statement=head.text,
        inverse_query=(
            f"SELECT {literal(f'COMMENT ON {subject} IS ')} || coalesce(pg_catalog.quote_literal((SELECT d.description "
            f"FROM {address} JOIN pg_catalog.pg_description d "
            "ON (d.classoid, d.objoid, d.objsubid) = (o.classid, o.objid, o.objsubid))), 'NULL')"
        ),
        lock="SHARE UPDATE EXCLUSIVE",
        on=relation,
    )


def _address(head: Cursor) -> tuple[str, str]:
    """A row source `o` with the object's address, and the relation it belongs to."""
    if head.takes("column"):
        name = head.name()
        relation, column = literal(sql_name(name[:-1])), literal(name[-1] if name else "")
        source = (
            "(SELECT 'pg_class'::regclass::oid AS classid, a.attrelid AS objid, a.attnum::integer AS objsubid "
            "FROM pg_catalog.pg_attribute a "
            f"WHERE a.attrelid = to_regclass({relation}) AND a.attname = {column}) o"
        )
        return (source, _relation(name[:-1])) if len(name) > 1 else ("", "")
    for words, kind in _PLAIN.items():
        if head.takes(*words.split()):
            name = head.name()
            is_table = kind not in {"schema", "index", "statistics object"}
            return _found(kind, name), _relation(name) if is_table else ""
    if kind := head.takes_one_of(*_TYPES):
        name = head.name()
        return _found("type", (sql_name(name),)) if name else "", ""
    if kind := head.takes_one_of(*_ROUTINES):
        name, arguments = head.name(), head.arguments()
        types = None if arguments is None else input_types(arguments)
        return ("", "") if types is None else (_found(kind, name, types), "")
    if kind := head.takes_one_of(*_OF_A_TABLE):
        name = head.name()
        table = head.name() if head.takes("on") else ()
        return (_found(_OF_A_TABLE[kind], (*table, *name)), _relation(table)) if table else ("", "")
    return "", ""


def _found(kind: str, name: Name, types: list[str] | None = None) -> str:
    address = f"{literal(kind)}, {text_array(name)}, {text_array(types or [])}"
    return f"pg_catalog.pg_get_object_address({address}) o" if name else ""


def _relation(name: Name) -> str:
    return f"relation {'.'.join(name)}" if name else ""
