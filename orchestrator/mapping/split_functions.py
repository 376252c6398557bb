"""What a split becomes in the database: the functions of each source, those of the whole, triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.mapping import lookups
from orchestrator.mapping.fragments import fragments, parked
from orchestrator.mapping.objects import (
    LOCK_CLASS,
    DbObject,
    forward_mirror,
    function,
    mirror_triggers,
    oids,
    plain_forward,
    target_triggers,
)
from orchestrator.mapping.relations import by_keys_or_places, call, new_rows
from orchestrator.mapping.sqltext import literal, on_pages, render, text_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.mapping.split import SplitSource

_KEYS = '"#keys"'


def functions(s: SplitSource) -> list[DbObject]:
    """Every function of a source."""
    d = s.derivation
    by_pages, by_keys = call(s.fn, "new_rows", 'NULL, "#places"'), call(s.fn, "new_rows", _KEYS)
    by_key = call(s.fn, "new_rows", "ARRAY[p_key]")
    common, lock, forward = {"fn": s.fn, "pins": s.pins}, {"lock": f"{LOCK_CLASS}, {s.id}"}, literal(s.forward)
    item, parent = quote(s.spec.item), s.parent_column.sql
    items = text_array(c.name for c in s.items)
    written = oids(d.written_tables)
    store = {
        "target": s.target.sql,
        "columns": ", ".join(c.sql for c in d.written),
        "derived_columns": ", ".join(f"d.{c.sql}" for c in d.written),
        "conflict": f"({parent}, {item})",
    }
    compared = [c for c in d.compared if c.name not in {s.spec.key.target, s.spec.item}]
    place = {"parent_column": parent, "item": item, "items": items, "target_of_key": s.target_of("k.key")}
    orphan = "false" if s.parent is None else f"NOT {s.stands(f'g.{parent}')}"
    ids = f"SELECT coalesce(x.{s.key.sql}::text, '') AS key FROM"

    def differs(left: str) -> str:
        return "(" + (" OR ".join(f"{left}.{c.sql} IS DISTINCT FROM g.{c.sql}" for c in compared) or "false") + ")"

    def waited(nth: int) -> str:
        value = f"$3 -> {nth}" if s.kind == "jsonb" else f"$3 ->> {nth}"
        return f"nullif({value}, 'null')" if s.kind == "jsonb" else f"({value})::{s.kind}"

    ways = [
        by_keys_or_places(s.derive, s.rows_of(_KEYS)),
    ]
    return [
        *new_rows(s.fn, d, ways),
        function(f"{s.fn}_batch", render(
            "split_batch.sql", **common, **lock, **store, forward=forward, written=written, source=s.table.sql, by_pages=by_pages,
        ), "bigint, bigint", "one batch of pages"),
        function(f"{s.fn}_apply", render(
            "split_apply.sql", **common, **store, **place, id=str(s.id), forward=forward, own=s.own, by_keys=by_keys,
            update_set=", ".join(f"{c.sql} = EXCLUDED.{c.sql}" for c in compared) or f"{item} = EXCLUDED.{item}",
            changed=differs("EXCLUDED"), source=s.table.sql, row_of_key=s.row_of("k.key"), orphan=orphan,
            parentless="true" if s.parent is None else "false", parent_type=s.parent_column.sql_type,
        ), "text[]", "make the target what the source says"),
        fragments(
            s.fn, s.pins, s.table, s.target, d.written_tables,
            returns=True,
            key=f"coalesce(x.{s.key.sql}::text, '')",
            blank="true" if s.blank else "",
            row=s.part.whole("x"),
            of_keys=s.rows_of("$1"),
            lock=[f"SELECT FROM {s.table.sql} x WHERE {s.rows_of('$1')} ORDER BY x.{s.key.sql} FOR NO KEY UPDATE"],
            remove_all=_remove_all(s),
            left_over=_left_over(s),
            children=f"g.{parent} = {s.target_of('k.key')} AND g.{item} = ANY ({items}) AND {s.own}",
            parent=s.parent_column.name,
            parent_type=s.parent_column.sql_type,
            item=s.spec.item,
            items=[c.name for c in s.items],
            value=f"(SELECT {s.value} FROM (SELECT g.*) t)",
            absent=s.absent,
            orphan=orphan,
            before=waited(0),
            after=waited(1),
            park=parked([s.spec.key.target, s.spec.item], [c.name for c in compared], f"{s.fn}_new_rows", "true"),
            **lookups.Dependents(d, s.match_over, s.rows("true"), "coalesce(s.\"#key\", '')").fragments(),
        ),
        function(f"{s.fn}_compared", render(
            "split_compare.sql", **common, **place, source=s.table.sql, id=str(s.id), target=s.target.sql, by_pages=by_pages,
            keys_of_rows=s.keys_of_rows, own=s.own, differs=differs("d"), on_pages=on_pages(s.table.sql),
            wanted=", ".join(f"{literal(c.name)}, d.{c.sql}" for c in [*compared, s.target.by_name[s.spec.item]]),
        ), "tid, tid, boolean", "compare rows with the target"),
        function(f"{s.fn}_put", render(
            "split_put.sql", **common, id=str(s.id), parent_column=parent, item=item, items=items, reverse=literal(s.reverse), source=s.table.sql, target=s.target.sql,
            source_oid=str(s.table.oid),
            row_of_key=s.row_of("p_key"), by_key=by_key, differs=differs("d"), target_of_p_key=s.target_of("p_key"),
            waits_under=f"ARRAY[p_key, ({s.target_of('p_key')})::text]",
            put_set=", ".join(
                f"{c.sql} = CASE p_item WHEN {literal(c.name)} THEN {s.column_value(c)} ELSE x.{c.sql} END"
                for c in s.writable) or f"{s.key.sql} = x.{s.key.sql}",
            value_now=" ".join(f"WHEN {literal(c.name)} THEN {s.value_in(c, f'x.{c.sql}')}" for c in s.items)
            or f"WHEN NULL THEN {s.absent}", kind=s.kind, absent=s.absent,
        ), f"text, text, boolean, {s.kind}, {s.kind}", "write one column of the source"),
        plain_forward(s.fn, d.written_tables, id=str(s.id), reverse=literal(s.reverse)),
        forward_mirror(
            s.fn, s.table, pins=s.pins, id=str(s.id), keys_of_new=f"{ids} new_rows x",
            keys_of_old=f"{ids} old_rows x",
        ),
    ]  # fmt: skip


def _remove_all(s: SplitSource) -> str:
    """After the parents' own mirror: children without a parent."""
    if s.parent is None:
        return (
            f"DELETE FROM {s.target.sql} g WHERE g.{quote(s.spec.item)} = ANY ({text_array(c.name for c in s.items)})"
        )
    return f"DELETE FROM {s.target.sql} g WHERE NOT {s.stands(f'g.{s.parent_column.sql}')}"


def _left_over(s: SplitSource) -> str:
    """Children without a parent, under a key that is good enough to find them: their parent's."""
    if s.parent is None or s.key.type != s.parent_column.type:
        return s.keys_of_rows
    parent = s.parent_column.sql
    return f"SELECT DISTINCT t.{parent}::text AS key FROM {s.target.sql} t WHERE NOT {s.stands(f't.{parent}')}"


def triggers(s: SplitSource) -> list[DbObject]:
    """The forward mirror's triggers; their names sort behind those of the parent's mapping."""
    return list(mirror_triggers("b", s.id, s.table.sql))


def mapping_objects(sources: Sequence[SplitSource]) -> tuple[list[DbObject], list[DbObject]]:
    """The objects of the whole mapping: (functions, triggers on the target)."""
    first = sources[0]
    fn, spec, target = f"x{first.mapping_id}", first.spec, first.target
    common = {"fn": fn, "pins": first.pins}
    place = {"parent_column": first.parent_column.sql, "item": quote(spec.item)}
    kind = first.parent_column.sql_type
    stored = [c for c in target.columns if not c.generated]
    made = [
        function(f"{fn}_orphans", render("orphans.sql", **common, target=target.sql, searches=_orphans(first)),
                 "bigint, bigint", "rows of the target without a parent"),
        function(f"{fn}_source_of", render(
            "split_source_of.sql", **common, parent_type=kind, **_source_search(first),
        ), kind, "which source row a parent stands for"),
        function(f"{fn}_before", render(
            "split_before.sql", **common, **place, target=target.sql, forward=literal(first.forward),
        ), "", "the application's own row takes the place of the mirror's"),
        function(f"{fn}_reverse", render(
            "split_reverse.sql", **common, **place, value=first.value, kind=first.kind, absent=first.absent, target=target.sql, forward=literal(first.forward),
            conflict=f"({place['parent_column']}, {place['item']})",
            stored=", ".join(c.sql for c in stored), stored_new=", ".join(f"NEW.{c.sql}" for c in stored),
            stored_set=", ".join(f"{c.sql} = EXCLUDED.{c.sql}" for c in stored if c.identity != "a"),
        ), "", "the reverse mirror"),
    ]  # fmt: skip
    forward = first.forward if first.parent is None else None
    watches = lookups.triggers(spec, first.mapping_id, first.lookup_tables, first.forward)
    return made, [*target_triggers(fn, target, forward, first.parent_column.name), *watches]


def _orphans(first: SplitSource) -> str:
    if first.parent is None:
        return "NULL;"
    parent = first.parent_column.sql
    return (
        f"RETURN QUERY SELECT t.{parent}::text, 'orphan'::text, ARRAY[t.{quote(first.spec.item)}], "
        f"NULL::jsonb, to_jsonb(t.*)\n    FROM {first.target.sql} t\n"
        f"    WHERE {on_pages(first.target.sql, 't')} AND NOT {first.stands(f't.{parent}')};"
    )


def _source_search(first: SplitSource) -> dict[str, str]:
    if first.parent is None or first.spec.parent_discriminator is None:
        return {
            "find_source": f"v_source := {first.id};",
            "find_key": "v_key := p_parent::text;" if first.parent is None else _key_of_parent(first),
        }
    column = quote(first.spec.parent_discriminator)
    key = first.parent.by_name[first.spec.parent_key].sql
    return {
        "find_source": (
            "SELECT z.id INTO v_source\n"
            f"    FROM {first.parent.sql} p JOIN changeover.source z ON z.mapping_id = {first.mapping_id} "
            f"AND p.{column}::text = ANY (z.discriminators)\n    WHERE p.{key} = p_parent ORDER BY z.ordinal LIMIT 1;"
        ),
        "find_key": _key_of_parent(first),
    }


def _key_of_parent(first: SplitSource) -> str:
    parent = first.parent
    assert parent is not None  # noqa: S101 - the callers have looked
    key = parent.by_name[first.spec.parent_key].sql
    return (
        "SELECT z.id INTO v_origin\n"
        "        FROM changeover.source z JOIN changeover.mapping m ON m.id = z.mapping_id\n"
        "        WHERE z.oid = (SELECT y.oid FROM changeover.source y WHERE y.id = v_source)\n"
        f"          AND m.target = {literal(parent.label)} LIMIT 1;\n"
        f"        EXECUTE format('SELECT changeover.m%s_key(p.*) FROM {parent.sql} p WHERE p.{key} = $1', v_origin)\n"
        "        INTO v_key USING p_parent;"
    )
