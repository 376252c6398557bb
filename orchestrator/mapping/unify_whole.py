"""What a unify becomes in the database as a whole: the functions and triggers of its target, which find a row's source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.mapping import lookups
from orchestrator.mapping.objects import DbObject, function, target_triggers
from orchestrator.mapping.sqltext import literal, on_pages, render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestrator.mapping.unify import UnifySource


def objects(sources: Sequence[UnifySource]) -> tuple[list[DbObject], list[DbObject]]:
    """The objects of the whole mapping: (functions, triggers on new tables)."""
    first = sources[0]
    fn, spec, target = f"x{first.mapping_id}", first.spec, first.target
    common = {"fn": fn, "pins": first.pins}

    def source_of(row: str, variable: str) -> str:
        if spec.discriminator is None:
            return f"{variable} := {first.id};"
        return (
            f"{variable} := (SELECT z.id FROM changeover.source z WHERE z.mapping_id = {first.mapping_id} "
            f"AND {row}.{quote(spec.discriminator)}::text = ANY (z.discriminators) ORDER BY z.ordinal LIMIT 1);"
        )

    routing = {"source_of_new": source_of("NEW", "v_source"), "source_of_old": source_of("OLD", "v_former")}
    release = "PERFORM changeover.release(v_erased, ARRAY[v_former_key]);" if spec.discriminator else ""
    made = [
        function(f"{fn}_orphans", render(
            "orphans.sql", **common, target=target.sql, searches=_orphans(sources),
        ), "bigint, bigint", "rows of the target whose source row is missing"),
        function(f"{fn}_delete_orphans", render(
            "delete_orphans.sql", **common, target=target.sql, forward=literal(first.forward), mapping=str(first.mapping_id),
            target_key=first.target_key.sql, key_name=literal(first.target_key.name), key_type=first.target_key.sql_type,
            orphans=_orphaned_rows(sources, f"t.{first.target_key.sql} = ANY (v_ids)"),
        ), "jsonb[]", "take out rows that belong to nobody"),
        function(f"{fn}_before", render("unify_before.sql", **common, **routing, target_key=first.target_key.sql), "", "keep new-side rows reversible"),
        function(f"{fn}_reverse", render(
            "unify_reverse.sql", **common, **routing, alive_t=f"({spec.exists_when or 'true'})", release_erased=release,
            target_key=first.target_key.sql, several=f"'{{{','.join(str(s.id) for s in sources if s.several)}}}'::integer[]",
        ), "", "the reverse mirror"),
    ]  # fmt: skip
    watches = lookups.triggers(spec, first.mapping_id, first.lookup_tables, first.forward)
    return made, [*target_triggers(fn, target, first.forward), *watches]


def _by_source(sources: Sequence[UnifySource], of: Callable[[UnifySource], str], otherwise: str) -> str:
    branches = "".join(f"\n        WHEN {s.id} THEN {of(s)}" for s in sources)
    return f"CASE o.source{branches} ELSE {otherwise} END"


def _orphans(sources: Sequence[UnifySource]) -> str:
    """The orphan search: one scan of the target, however many sources it has."""
    first = sources[0]
    return (
        f"RETURN QUERY\n    SELECT {_by_source(sources, lambda s: s.legacy_key, 'NULL')}, 'orphan'::text,\n"
        f"        ARRAY[{_by_source(sources, lambda s: literal(s.table.label), 'NULL')}], NULL::jsonb, "
        f"jsonb_build_object({literal(first.target_key.name)}, t.{first.target_key.sql})\n"
        f"    {_orphaned_rows(sources, on_pages(first.target.sql, 't'))};"
    )


def _orphaned_rows(sources: Sequence[UnifySource], which: str) -> str:
    """FROM and WHERE: rows of the target that belong to no row of their source, among those of a condition."""
    first = sources[0]

    def is_orphan(s: UnifySource) -> str:
        # A row whose key leads to a row of the old side that leads to another row here is nobody's as well.
        return (
            f"NOT EXISTS (SELECT FROM {s.table.sql} x WHERE x.{s.key.sql} = {s.legacy(s.key)})\n"
            f"            OR t.{s.target_key.sql} IS DISTINCT FROM {s.target_of(s.legacy_key)}"
        )

    owner = "".join(f"\n        WHEN {s.own('t')} THEN {s.id}" for s in sources)
    return (
        f"FROM {first.target.sql} t\n"
        f"    CROSS JOIN LATERAL (SELECT CASE{owner} END AS source OFFSET 0) o\n"
        f"    WHERE {which} AND {first.alive('t')}\n"
        f"      AND {_by_source(sources, is_orphan, 'false')}"
    )
