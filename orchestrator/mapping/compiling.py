"""What the kinds need while they compile: the sources' tables, the looked-up ones, types of a SELECT, pieces put together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from orchestrator.mapping import catalog
from orchestrator.mapping.compile import Compiled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    """The table of each lookup."""
    return {name: catalog.require(conn, lookup.table) for name, lookup in spec.lookups.items()}


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
) -> Compiled:
    """The whole mapping: what each source has, then what the target has once (functions, triggers)."""
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
    )
