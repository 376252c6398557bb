"""From a mapping's model and its sources to the database objects of each phase.

`Compiled` has them in the order in which they are made: indexes that the mirror needs on the sources,
functions, triggers on the target, triggers on the sources, views. A new kind of mapping is one module,
one model and one entry in `_KINDS`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import distinct
from orchestrator.mapping import catalog, merge_functions, needs, split_functions, unify_functions, unify_whole
from orchestrator.mapping.memory import Memory
from orchestrator.mapping.merge import MergeMapping, MergePart
from orchestrator.mapping.model import Merge, Split, Unify
from orchestrator.mapping.split import SplitSource
from orchestrator.mapping.unify import UnifySource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.model import Mapping
    from orchestrator.mapping.objects import DbObject


@dataclass(frozen=True)
class SourceRow:
    """A source as the ledger has it."""

    id: int
    oid: int
    ordinal: int
    discriminators: tuple[str, ...]
    label: str = ""
    view: str = ""
    home: str = ""
    """The schema in which it was first found."""
    place: str = ""
    """The schema that the compiled text names; empty for the one that the table is in now."""


@dataclass(frozen=True)
class Compiled:
    """Everything that a mapping needs in the database."""

    mapping_id: int
    name: str
    target: Table
    sources: tuple[Table, ...]
    indexes: tuple[DbObject, ...]
    functions: tuple[DbObject, ...]
    target_triggers: tuple[DbObject, ...]
    source_triggers: tuple[DbObject, ...]
    views: tuple[DbObject, ...]
    """The compatibility views, one for each source; none where the mapping has no view."""

    def objects(self) -> list[DbObject]:
        """All of them, in the order of making."""
        return [*self.indexes, *self.functions, *self.target_triggers, *self.source_triggers, *self.views]


def compile_mapping(
    conn: psycopg.Connection[Any],
    spec: Mapping,
    mapping_id: int,
    stage: str,
    sources: Sequence[SourceRow],
    memory: Memory | None = None,
) -> Compiled:
    """Compile against the live catalog, and only what is not in the memory; nothing is written."""
    if not sources:
        raise RefusedError(
            f"None of the tables that mapping {spec.label} reads is in this database.",
            kept="Nothing of this phase was changed.",
            todo="Is it the right database? `changeover plan check` shows what the plan looks for.",
        )
    if isinstance(spec, Unify):
        _told_apart(spec, sources)
    build = next(builder for kind, builder in _KINDS if isinstance(spec, kind))
    compiled = build(conn, spec, mapping_id, stage, sources, memory or Memory())
    distinct(o.id for o in compiled.objects())
    return compiled


def _told_apart(spec: Unify, sources: Sequence[SourceRow]) -> None:
    """Each row of the new table must tell which table it came from."""
    owners: dict[str, str] = {}
    for source in sources:
        for value in source.discriminators:
            first = owners.setdefault(value if spec.discriminator else "", source.label)
            if first != source.label:
                shared = f"the discriminator {value!r}" if spec.discriminator else "no column `discriminator`"
                raise RefusedError(
                    f"Mapping {spec.label} reads {first} and {source.label} with {shared}: nobody could tell of a new "
                    "row which of them it belongs to.",
                    kept="Nothing was changed.",
                    todo="Give each table a discriminator of its own, and the new table a column for it.",
                )


def _tables(conn: psycopg.Connection[Any], sources: Sequence[SourceRow]) -> list[Table]:
    """The sources' tables under the names they had when they were found: ids and rejects are made of that."""
    found = catalog.read_tables(conn, [s.oid for s in sources])
    tables = [(s, found.get(s.oid) or catalog.read_table(conn, s.oid)) for s in sources]
    return [replace(t, schema=s.place or t.schema, title=s.label, view=s.view, home=s.home) for s, t in tables]


def _lookups(conn: psycopg.Connection[Any], spec: Mapping) -> dict[str, Table]:
    return {name: catalog.require(conn, lookup.table) for name, lookup in spec.lookups.items()}


def describer(conn: psycopg.Connection[Any]) -> Callable[[str], list[str]]:
    """Ask the server which types a SELECT gives."""

    def describe(query: str) -> list[str]:
        columns = conn.execute(query.encode()).description or []
        oids = [c.type_code for c in columns]
        rows = conn.execute(
            "SELECT oid::bigint, typname FROM pg_catalog.pg_type WHERE oid = ANY (%s)", (oids,)
        ).fetchall()
        names = {int(oid): str(name) for oid, name in rows}
        return [names[o] for o in oids]

    return describe


@dataclass(frozen=True)
class _Piece:
    """A source with what is compiled for it alone."""

    source: Any
    indexes: Sequence[DbObject]
    functions: Sequence[DbObject]
    triggers: Sequence[DbObject]
    views: Sequence[DbObject]


def _unify(
    conn: psycopg.Connection[Any],
    spec: Unify,
    mapping_id: int,
    stage: str,
    sources: Sequence[SourceRow],
    memory: Memory,
) -> Compiled:
    target = catalog.require(conn, spec.target)
    lookups = _lookups(conn, spec)
    needs.require(spec, target, lookups)

    def piece(source: UnifySource) -> _Piece:
        return _Piece(
            source,
            indexes=unify_functions.indexes(source),
            functions=unify_functions.functions(source),
            triggers=unify_functions.triggers(source),
            views=[unify_functions.view_of(source)],
        )

    made = [
        UnifySource(
            id=s.id,
            mapping_id=mapping_id,
            stage=stage,
            ordinal=s.ordinal,
            discriminators=s.discriminators,
            spec=spec,
            table=table,
            target=target,
            lookup_tables=lookups,
            describe=describer(conn),
        )
        for s, table in zip(sources, _tables(conn, sources), strict=True)
    ]
    pieces = [memory.recall(("source", s.id), s, partial(piece, s)) for s in made]
    known = [p.source for p in pieces]
    whole = memory.recall(("mapping", mapping_id), known, partial(unify_whole.objects, known))
    return _of_pieces(mapping_id, spec, target, [s.table for s in made], pieces, whole)


def _of_pieces(
    mapping_id: int,
    spec: Unify | Split,
    target: Table,
    tables: Sequence[Table],
    pieces: Sequence[_Piece],
    whole: tuple[list[DbObject], list[DbObject]],
) -> Compiled:
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
    )


def _merge(
    conn: psycopg.Connection[Any],
    spec: Merge,
    mapping_id: int,
    stage: str,
    sources: Sequence[SourceRow],
    memory: Memory,
) -> Compiled:
    target = catalog.require(conn, spec.target)
    lookups = _lookups(conn, spec)
    needs.require(spec, target, lookups)
    tables = {s.discriminators[0]: (s.id, t) for s, t in zip(sources, _tables(conn, sources), strict=True)}
    parts = [
        MergePart(id=tables[name][0], name=name, spec=source, table=tables[name][1])
        for name, source in spec.sources.items()
        if name in tables
    ]
    made = MergeMapping(
        id=mapping_id,
        stage=stage,
        spec=spec,
        target=target,
        parts=parts,
        lookup_tables=lookups,
        describe=describer(conn),
    )

    def build() -> Compiled:
        return Compiled(
            mapping_id=mapping_id,
            name=spec.label,
            target=target,
            sources=tuple(p.table for p in parts),
            indexes=tuple(merge_functions.indexes(made)),
            functions=tuple(merge_functions.functions(made)),
            target_triggers=tuple(merge_functions.new_side_triggers(made)),
            source_triggers=tuple(merge_functions.triggers(made)),
            views=tuple(merge_functions.views(made)),
        )

    return memory.recall(("mapping", mapping_id), made, build)


def _split(
    conn: psycopg.Connection[Any],
    spec: Split,
    mapping_id: int,
    stage: str,
    sources: Sequence[SourceRow],
    memory: Memory,
) -> Compiled:
    target = catalog.require(conn, spec.target)
    parent = None if spec.parent is None else catalog.require(conn, spec.parent)
    lookups = _lookups(conn, spec)
    needs.require(spec, target, lookups, parent)

    def piece(source: SplitSource) -> _Piece:
        return _Piece(source, [], split_functions.functions(source), split_functions.triggers(source), [])

    made = [
        SplitSource(
            id=s.id,
            mapping_id=mapping_id,
            stage=stage,
            discriminators=s.discriminators,
            spec=spec,
            table=table,
            target=target,
            parent=parent,
            lookup_tables=lookups,
            describe=describer(conn),
        )
        for s, table in zip(sources, _tables(conn, sources), strict=True)
    ]
    pieces = [memory.recall(("source", s.id), s, partial(piece, s)) for s in made]
    known = [p.source for p in pieces]
    whole = memory.recall(("mapping", mapping_id), known, partial(split_functions.mapping_objects, known))
    return _of_pieces(mapping_id, spec, target, [s.table for s in made], pieces, whole)


_KINDS: tuple[tuple[type[Any], Callable[..., Compiled]], ...] = ((Unify, _unify), (Merge, _merge), (Split, _split))
