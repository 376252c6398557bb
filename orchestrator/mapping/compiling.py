"""What the kinds need while they compile: the sources' tables, the looked-up ones, types of a SELECT, pieces put together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import tokens
from orchestrator.mapping import catalog
from orchestrator.mapping.compile import Compiled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import psycopg

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.compile import SourceRow
    from orchestrator.mapping.kinds.base import Kind
    from orchestrator.mapping.model import Base
    from orchestrator.mapping.objects import DbObject


def source_tables(conn: psycopg.Connection[Any], sources: Sequence[SourceRow]) -> list[Table]:
    """The sources' tables under the names they had when they were found: ids and rejects are made of that."""
    found = catalog.read_tables(conn, [s.oid for s in sources])
    tables = [(s, found.get(s.oid) or catalog.read_table(conn, s.oid)) for s in sources]
    return [replace(t, schema=s.place or t.schema, title=s.label, view=s.view, home=s.home) for s, t in tables]


def lookup_tables(conn: psycopg.Connection[Any], spec: Base) -> dict[str, Table]:
    """The table of each lookup, under the name that the plan gives it: at contract a view takes that name over."""
    return {name: _named(conn, lookup.table) for name, lookup in spec.lookups.items()}


def _named(conn: psycopg.Connection[Any], text: str) -> Table:
    table = catalog.require(conn, text)
    oid = catalog.named(conn, text)
    if oid is None or oid == table.oid:
        return table
    return replace(table, schema=catalog.read_table(conn, oid).schema, moved_to=table.schema)


def with_columns(table: Table, added: Mapping[str, str]) -> str:
    """A table as an item of FROM, with columns that it has not got yet."""
    values = [f"NULL::{_type(kind)} AS {quote(name)}" for name, kind in added.items() if name not in table.by_name]
    return f"(SELECT x.*, {', '.join(values)} FROM {table.sql} x)" if values else table.sql


def _type(definition: str) -> str:
    """The type at the beginning of a column's definition."""
    rest = next((t for t in tokens(definition) if t.depth == 0 and t.says("default", "not")), None)
    return definition if rest is None else definition[: rest.start]


def with_added(conn: psycopg.Connection[Any], table: Table, added: Sequence[tuple[str, str]]) -> Table:
    """A table as the catalog will have it when these columns (name, type) are added to it."""
    columns = ", ".join(f"{quote(name)} {kind}" for name, kind in added)
    last = max((c.attnum for c in table.columns), default=0)
    with conn.transaction(force_rollback=True):
        conn.execute(f"CREATE TEMPORARY TABLE changeover_added ({columns})".encode())
        found = conn.execute("SELECT 'pg_temp.changeover_added'::regclass::oid::bigint").fetchone()
        made = catalog.read_table(conn, found[0] if found else 0).columns
    return replace(table, columns=(*table.columns, *(replace(c, attnum=last + c.attnum) for c in made)))


def types_in(target: Table, names: Iterable[str]) -> dict[str, str]:
    """The types of columns of the target, as a plan would name them."""
    found = {name: target.by_name[name] for name in names if name in target.by_name}
    return {n: c.type if c.kind == "b" and not c.domain else c.sql_type for n, c in found.items()}


def describer(conn: psycopg.Connection[Any]) -> Callable[[str], list[str]]:
    """Ask the server which types a SELECT gives."""

    def describe(query: str) -> list[str]:
        with conn.transaction(force_rollback=True):  # in a trial, that the locks on what it reads go with it
            columns = conn.execute(query.encode()).description or []
        oids = [c.type_code for c in columns]
        rows = conn.execute(
            "SELECT oid::bigint, typname FROM pg_catalog.pg_type WHERE oid = ANY (%s)", (oids,)
        ).fetchall()
        names = {int(oid): str(name) for oid, name in rows}
        return [names[o] for o in oids]

    return describe


@dataclass(frozen=True)
class Piece:
    """A source with what is compiled for it alone."""

    source: Any
    indexes: Sequence[DbObject]
    functions: Sequence[DbObject]
    triggers: Sequence[DbObject]
    views: Sequence[DbObject]


def of_pieces(
    mapping_id: int,
    spec: Kind,
    target: Table,
    tables: Sequence[Table],
    pieces: Sequence[Piece],
    whole: tuple[list[DbObject], list[DbObject]],
    contract: Sequence[DbObject] = (),
) -> Compiled:
    """The whole mapping: what each source has, then what the target has once (functions, triggers), then contract's."""
    functions, triggers = whole
    return Compiled(
        mapping_id=mapping_id,
        name=spec.label,
        target=target,
        sources=tuple(tables),
        indexes=tuple(i for p in pieces for i in p.indexes),
        functions=(*(f for p in pieces for f in p.functions), *functions),
        target_triggers=tuple(triggers),
        source_triggers=tuple(t for p in pieces for t in p.triggers),
        views=tuple(v for p in pieces for v in p.views),
        archives=spec.archives,
        contract=tuple(contract),
    )
