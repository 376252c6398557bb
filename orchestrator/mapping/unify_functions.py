"""What a unify becomes in the database for each source: its functions, triggers, views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import bounded, quote
from orchestrator.mapping import unify_back, view
from orchestrator.mapping.objects import (
    LOCK_CLASS,
    DbObject,
    forward_mirror,
    function,
    left_over,
    mirror_triggers,
    oids,
    park,
    parked,
    plain_forward,
    remove_from_target,
    rows_of_source,
    source_index,
)
from orchestrator.mapping.relations import NewRows, by_keys_or_places, new_rows, old_row
from orchestrator.mapping.sqltext import literal, on_pages, render, statements, text_array
from orchestrator.mapping.writeback import lost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.mapping.unify import UnifySource

_KEYS = '"#keys"'


def functions(source: UnifySource) -> list[DbObject]:
    """Every function of a source."""
    back = old_row(source.fn, source.target, {c: source.legacy(c) for c in source.plain})
    return [back, *_new_rows(source), *_forward(source), *_looking(source), *unify_back.functions(source)]


def _new_rows(s: UnifySource) -> list[DbObject]:
    """The one derivation, by keys or by places, and of a value."""
    ways = [
        by_keys_or_places(s.derive, s.rows_of(_KEYS)),
        NewRows("new_rows_of", f'"#new" {s.target.sql}', s.target.sql, s.derive("true", unify_back.origin(s))),
    ]
    return new_rows(s.fn, s.derivation, ways)


def _common(source: UnifySource) -> dict[str, str]:
    return {"fn": source.fn, "pins": source.pins}


def _identity(source: UnifySource) -> dict[str, str]:
    return {"id": str(source.id), "label": literal(source.table.label), "stage": literal(source.stage)}


def _forward(s: UnifySource) -> list[DbObject]:
    """Batch, mirror, drain: from the source to the target."""
    by_pages, by_aside, by_keys, d = (
        s.derived("new_rows", 'NULL, "#places"'),
        s.derived("new_rows", 'NULL, "#aside"'),
        s.derived("new_rows", _KEYS),
        s.derivation,
    )
    common, reject, own, alive = _common(s), _identity(s), s.own("g"), s.alive("g")
    lock, forward, reverse = {"lock": f"{LOCK_CLASS}, {s.id}"}, literal(s.forward), literal(s.reverse)
    target, target_key = s.target.sql, s.target_key.sql
    store = {
        "target": target,
        "columns": ", ".join(c.sql for c in d.written),
        "derived_columns": ", ".join(f"d.{c.sql}" for c in d.written),
        "conflict": f"({target_key})",
    }
    upsert = {
        "update_set": s.frame.update_set(d),
        "is_ahead": s.frame.is_ahead("g"),
        "worth_it": s.frame.worth_it(d),
        "own": own,
    }
    of_key, written = f"g.{target_key} = {s.target_of('k.key')}", oids(d.written_tables)
    ids = f"SELECT {'DISTINCT ' if s.several else ''}coalesce(x.{s.key.sql}::text, '') AS key FROM"
    several = _several(s)
    release = "" if s.spec.discriminator is None else f"PERFORM changeover.x{s.mapping_id}_release({s.id}, "
    lock_rows = f"PERFORM FROM {s.table.sql} x WHERE {s.rows_of(_KEYS)} ORDER BY x.{s.key.sql} FOR NO KEY UPDATE;"
    return [
        function(f"{s.fn}_batch", render(
            "batch.sql", **common, **lock, **store, **reject, forward=forward, written=written, target_key=target_key, source=s.table.sql,
            store=_stored_pages(store, by_pages), by_aside=by_aside, rejects_by_aside=s.rejected(by_aside),
            create_by_aside=statements(d.creation_statements(by_aside)), own=own, steady=text_array(d.steady_reasons),
            target_of_row=f"g.{target_key} = {s.target_of(f'x.{s.key.sql}::text')}", on_pages=on_pages(s.table.sql),
        ), "bigint, bigint", "one batch of pages"),
        function(f"{s.fn}_apply", render(
            "apply.sql", **common, **store, **upsert, **several, id=str(s.id), forward=forward, by_keys=by_keys,
            target_key=target_key, key_type=s.target_key.sql_type, target_of_key=s.target_of("k.key"), waiting=_waiting(s),
            plans="" if s.several else "SET plan_cache_mode = force_custom_plan",
        ), "text[]", "make the target what the source says"),
        function(f"{s.fn}_apply_slow", render(
            "apply_slow.sql", **common, **store, **upsert, **reject, by_keys=by_keys, alive=alive, target_key=target_key,
            create_by_keys=statements(d.creation_statements(by_keys)), displace=_displace(s, by_keys),
            update_ahead=s.frame.update_ahead(
                d, by_keys, lambda alias: f"{alias}.{target_key} = d.{target_key}", s.own, (s.spec.key.target,),
                lambda said, stands: lost(s.fn, said, stands)),
            target_of_key=of_key, id_of_key=s.target_of("k.key"), rejects_by_keys=s.rejected(by_keys),
            release_gone=f"{release}v_gone);" if release else "",
        ), "text[]", "what one statement cannot do"),
        function(f"{s.fn}_sync", render("sync.sql", **common, lock_rows=lock_rows, written=written), "text[]", "lock the rows, then apply"),
        rows_of_source(s.fn, s.pins, s.table, key=f"coalesce(x.{s.key.sql}::text, '')", row=s.part.whole("x"), of_keys=s.rows_of(_KEYS),
             stands=f"EXISTS (SELECT FROM {target} g, (SELECT x.{s.key.sql}::text AS key) k WHERE {of_key} AND {own} AND {alive})"),
        remove_from_target(s.fn, s.pins, f"DELETE FROM {target} g WHERE {own} AND {alive}\n"
               f"      AND (\"#keys\" IS NULL OR g.{target_key} IN (SELECT {s.target_of('k.key')} FROM unnest(\"#keys\") AS k (key)));"
               + (f'\n    IF "#keys" IS NULL THEN\n        {release}NULL);\n    END IF;' if release else "")),
        left_over(s.fn, s.pins, (
            f"SELECT {s.legacy_key} FROM {target} t WHERE {s.own('t')} AND {s.alive('t')}\n"
            f"      AND NOT EXISTS (SELECT FROM {s.table.sql} x WHERE x.{s.key.sql} = {s.legacy(s.key)})")),
        park(s.fn, s.pins, s.table, row_of_key=s.row_of("$1"), arguments=_parked(s)),
        plain_forward(s.fn, d.written_tables, id=str(s.id), reverse=reverse) if s.several else function(f"{s.fn}_forward", render(
            "unify_forward.sql", fn=s.fn, **store, id=str(s.id), reverse=reverse, forward=forward, by_keys=by_keys, own=own,
            alive=alive, update_set=upsert["update_set"], is_ahead=upsert["is_ahead"], target_of_key=of_key, source=s.table.sql,
            rows_of_keys=s.rows_of(_KEYS), made="true" if s.generated_key else "false", written=written,
            release_gone=f"{release}v_gone);" if release else "",
        ), "text, text[], boolean", "what the mirror does"),
        forward_mirror(s.fn, s.table, pins=s.pins, id=str(s.id), keys_of_new=f"{ids} new_rows x", keys_of_old=f"{ids} old_rows x"),
    ]  # fmt: skip


def _stored_pages(store: Mapping[str, str], by_pages: str) -> str:
    """The insertion of a batch; what follows it says what a row does that stands there already."""
    named = {name: store[name] for name in ("target", "columns", "derived_columns")}
    return render("batch_store.sql", **named, by_pages=by_pages).rstrip()


def _looking(s: UnifySource) -> list[DbObject]:
    """Comparison and counts."""
    common, own, alive, target = _common(s), s.own("g"), s.alive("g"), s.target.sql
    of_key = f"g.{s.target_key.sql} = {s.target_of('k.key')}"
    place = {"id": str(s.id), "target": target, "own": own, "alive": alive}
    alike = render("compare_alike.sql", **place, target_of_key=of_key, keys_of_rows=s.keys_of_rows) if s.several else ""
    exempt = s.spec.exempt_column
    return [
        function(f"{s.fn}_compared", render(
            "compare.sql", **common, **place, source=s.table.sql, by_pages=s.derived("new_rows", 'NULL, "#places"'), target_key=s.target_key.sql,
            keys_of_rows=s.keys_of_rows, same_key=f"g.{s.target_key.sql} = d.{s.target_key.sql}",
            key_is_unique="false" if s.several else "true", count_alike=alike,
            different_columns=s.frame.different(s.derivation, s.spec.key.target),
        ), "tid, tid, boolean", "compare rows with the target"),
        function(f"{s.fn}_count", render(
            "count.sql", **common, **place, source=s.table.sql,
            is_exempt=f"g.{quote(exempt)} <> '{{}}'" if exempt else "false",
        ), "", "rows here, rows there, rejects"),
    ]  # fmt: skip


def _several(s: UnifySource) -> dict[str, str]:
    """Without a unique key: which keys have more than one row."""
    if not s.several:
        return {"several": "false", "of_several": "false"}
    counted = (
        f"SELECT x.{s.key.sql}::text FROM {s.table.sql} x WHERE {s.rows_of(_KEYS)} "
        f"GROUP BY x.{s.key.sql} HAVING count(*) > 1"
    )
    return {"several": f"EXISTS ({counted})", "of_several": f"k.key IN ({counted})"}


def _parked(s: UnifySource) -> str:
    """Which rows a derivation writes whole, for ``changeover.park``."""
    key = s.spec.key.target
    waits = f"c.source_id = {s.id} AND c.direction = 'reverse' AND c.key IN (d.\"#key\", g.{quote(key)}::text)"
    which = (
        f"{s.own('g')} AND NOT {s.frame.is_ahead('g')} AND NOT EXISTS (SELECT FROM changeover.queue c WHERE {waits})"
    )
    columns = [name for name in s.derivation.movable if name != key]
    return parked(s.target, [key], columns, f"{s.fn}_new_rows", which)


def _waiting(s: UnifySource) -> str:
    """The keys of ``#keys`` for which an update of the new side waits; under their target's id, too, see `unify_back`."""
    one = f"FROM changeover.queue c WHERE c.source_id = {s.id} AND c.direction = 'reverse' AND c.patch ? 'set' AND c.key ="
    waiting = f"SELECT DISTINCT c.key {one} ANY ({_KEYS})"
    if s.generated_key:
        waiting += f" UNION SELECT k.key FROM unnest({_KEYS}) AS k (key) WHERE EXISTS (SELECT {one} ({s.target_of('k.key')})::text)"
    return waiting


def _displace(s: UnifySource, by_keys: str) -> str:
    if s.spec.discriminator is None:
        return "-- (one source: no id can be taken by another)"
    column = quote(s.spec.discriminator)
    return (
        "WITH displaced AS (\n"
        f"        DELETE FROM {s.target.sql} g\n        USING (\n{by_keys}\n        ) d\n"
        f'        WHERE d."#reason" IS NULL AND g.{s.target_key.sql} = d.{s.target_key.sql} '
        f"AND NOT ({s.own('g')}) AND {s.later('g')}\n"
        f'        RETURNING g.{column}::text AS discriminator, d."#key" AS key\n    )\n'
        "    INSERT INTO changeover.queue (source_id, direction, key, cause)\n"
        "    SELECT z.id, 'forward', p.key, 'displaced'\n    FROM displaced p\n"
        f"    JOIN changeover.source z ON z.mapping_id = {s.mapping_id} AND p.discriminator = ANY (z.discriminators);"
    )


def triggers(s: UnifySource) -> list[DbObject]:
    """The forward mirror's triggers on the source."""
    return list(mirror_triggers("a", s.id, s.table.sql))


def view_of(s: UnifySource) -> DbObject:
    """The compatibility view."""
    return view.proof(
        source_id=s.id,
        table=s.table,
        pins=s.pins,
        columns=s.plain,
        target=s.target,
        which=f"{s.own('t')} AND {s.alive('t')}",
    )


def indexes(s: UnifySource) -> list[DbObject]:
    """What the mirror needs to find a row by its key, where the table has no such index."""
    if s.table.leads_index(s.key.name):
        return []
    return [source_index(bounded("changeover", str(s.id), "key"), s.table, s.key.sql, "rows of a key", owner=s.fn)]
