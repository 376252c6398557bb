"""What a unify becomes in the database for each source: its functions, triggers, views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import bounded, quote
from orchestrator.mapping import lookups, unify_back, view
from orchestrator.mapping.derivation import NO_VALUE
from orchestrator.mapping.fragments import applied, fragments, parked
from orchestrator.mapping.objects import (
    LOCK_CLASS,
    DbObject,
    forward_mirror,
    function,
    mirror_triggers,
    oids,
    plain_forward,
    source_index,
)
from orchestrator.mapping.relations import NewRows, by_keys_or_places, new_rows, old_row
from orchestrator.mapping.sqltext import literal, on_pages, render, statements, text_array
from orchestrator.mapping.writeback import lost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.mapping.fragments import Fragment
    from orchestrator.mapping.unify import UnifySource

_KEYS = '"#keys"'


def functions(source: UnifySource) -> list[DbObject]:
    """Every function of a source."""
    back = old_row(source.fn, source.target, {c: source.legacy(c) for c in source.plain})
    ours = [*_new_rows(source), *_forward(source), *_looking(source), *unify_back.functions(source)]
    return [back, _fragments(source), *ours]


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
    release = "" if s.spec.discriminator is None else f"PERFORM changeover.release({s.id}, v_gone);"
    return [
        function(f"{s.fn}_batch", render(
            "batch.sql", **common, target_oid=f"{literal(s.target.sql)}::regclass", **lock, **store, **reject, forward=forward, written=written, target_key=target_key, source=s.table.sql,
            store=_stored_pages(store, by_pages, d.lacking("d")), by_aside=by_aside, rejects_by_aside=s.rejected(by_aside),
            create_by_aside=statements(d.creation_statements(by_aside)), own=own, lacking=d.lacking("d"),
            steady=text_array([*d.steady_reasons, *([NO_VALUE] if d.required else [])]),
            target_of_row=f"g.{target_key} = {s.target_of(f'x.{s.key.sql}::text')}", on_pages=on_pages(s.table.sql),
        ), "bigint, bigint", "one batch of pages"),
        *(_of_several(s, store, upsert, by_keys) if s.several else [function(f"{s.fn}_forward", render(
            "unify_forward.sql", fn=s.fn, **store, id=str(s.id), reverse=reverse, forward=forward, by_keys=by_keys, own=own,
            alive=alive, update_set=upsert["update_set"], is_ahead=upsert["is_ahead"], target_of_key=of_key, source=s.table.sql,
            rows_of_keys=s.rows_of(_KEYS), made="true" if s.generated_key else "false", written=written,
            release_gone=release,
        ), "text, text[], boolean", "what the mirror does")]),
        forward_mirror(s.fn, s.table, pins=s.pins, id=str(s.id), keys_of_new=f"{ids} new_rows x", keys_of_old=f"{ids} old_rows x"),
    ]  # fmt: skip


def _stored_pages(store: Mapping[str, str], by_pages: str, lacking: str) -> str:
    """The insertion of a batch; what follows it says what a row does that stands there already."""
    named = {name: store[name] for name in ("target", "columns", "derived_columns")}
    return render("batch_store.sql", **named, by_pages=by_pages, lacking=lacking).rstrip()


def _looking(s: UnifySource) -> list[DbObject]:
    """Comparison and counts."""
    common, own, alive, target = _common(s), s.own("g"), s.alive("g"), s.target.sql
    of_key = f"g.{s.target_key.sql} = {s.target_of('k.key')}"
    place = {"id": str(s.id), "target": target, "own": own, "alive": alive}
    alike = render("compare_alike.sql", **place, target_of_key=of_key, keys_of_rows=s.keys_of_rows) if s.several else ""
    return [
        function(f"{s.fn}_compared", render(
            "compare.sql", **common, **place, source=s.table.sql, by_pages=s.derived("new_rows", 'NULL, "#places"'), target_key=s.target_key.sql,
            keys_of_rows=s.keys_of_rows, same_key=f"g.{s.target_key.sql} = d.{s.target_key.sql}",
            key_is_unique="false" if s.several else "true", count_alike=alike,
            different_columns=s.frame.different(s.derivation, s.spec.key.target),
        ), "tid, tid, boolean", "compare rows with the target"),
    ]  # fmt: skip


def _of_several(s: UnifySource, store: Mapping[str, str], upsert: Mapping[str, str], by_keys: str) -> list[DbObject]:
    """Without a unique key there is no shorter way: the mirror derives all rows of a key, by a plan that is kept."""
    counted = (
        f"SELECT x.{s.key.sql}::text FROM {s.table.sql} x WHERE {s.rows_of(_KEYS)} "
        f"GROUP BY x.{s.key.sql} HAVING count(*) > 1"
    )
    return [
        function(f"{s.fn}_apply", render(
            "apply.sql", **_common(s), **store, **upsert, id=str(s.id), forward=literal(s.forward), by_keys=by_keys,
            target_key=s.target_key.sql, key_type=s.target_key.sql_type, target_of_key=s.target_of("k.key"),
            waiting=waiting(s, _KEYS), of_several=counted,
        ), "text[]", "make the target what the source says"),
        plain_forward(s.fn, s.derivation.written_tables, id=str(s.id), reverse=literal(s.reverse)),
    ]  # fmt: skip


def _fragments(s: UnifySource) -> DbObject:
    """What the fixed functions must know."""
    key, of_keys = f"x.{s.key.sql}", s.rows_of("$1")
    without_row = f"NOT EXISTS (SELECT FROM {s.table.sql} x WHERE {key} = {s.legacy(s.key)})"
    return fragments(
        s.fn, s.pins, s.table, s.target, s.derivation.written_tables,
        key=f"coalesce({key}::text, '')",
        blank="true" if s.blank else "",
        row=s.part.whole("x"),
        of_keys=of_keys,
        lock=[f"SELECT FROM {s.table.sql} x WHERE {of_keys} ORDER BY {key} FOR NO KEY UPDATE"],
        id_of=s.target_of("k.key"),
        own=s.own("g"),
        alive=s.alive("g"),
        discriminator=s.spec.discriminator or "",
        left_over=f"SELECT {s.legacy_key} FROM {s.target.sql} t WHERE {s.own('t')} AND {s.alive('t')} AND {without_row}",
        park=_parked(s),
        waiting="" if s.several else waiting(s, "$1"),
        **applied(
            s.frame, s.derivation, s.target_key.name, rows=f"{s.fn}_new_rows", ahead=f"{s.own('g')} AND {s.frame.is_ahead('g')}",
            lost=lost(s.fn, "r.said", "r.stands"),
        ),
        **_dependents(s).fragments(),
        **unify_back.fragments(s),
    )  # fmt: skip


def _dependents(s: UnifySource) -> lookups.Dependents:
    """How the rows are found that depend on a looked-up one."""
    key = '"#k".key'
    place = f"SELECT x.ctid FROM {s.table.sql} x WHERE {s.row_of(key)}{' ORDER BY x.ctid LIMIT 1' if s.several else ''}"
    return lookups.Dependents(
        s.derivation,
        s.match_over,
        table=s.table,
        part=s.part,
        keep_original=s.spec.keep_original,
        mine=f"{s.own('t')} AND {s.alive('t')}",
        key=f"changeover.{s.fn}_key(t.*)",
        of_key=f"t.{s.target_key.sql} = {s.target_of(key)}",
        place=f"({place})",
        kept=s.frame.document("t"),
    )


def _parked(s: UnifySource) -> Mapping[str, Fragment]:
    """Which rows a derivation writes whole, for ``changeover.park``."""
    key = s.spec.key.target
    waits = f"c.source_id = {s.id} AND c.direction = 'reverse' AND c.key IN (d.\"#key\", g.{quote(key)}::text)"
    which = (
        f"{s.own('g')} AND NOT {s.frame.is_ahead('g')} AND NOT EXISTS (SELECT FROM changeover.queue c WHERE {waits})"
    )
    columns = [name for name in s.derivation.movable if name != key]
    return parked([key], columns, f"{s.fn}_new_rows", which)


def waiting(s: UnifySource, keys: str) -> str:
    """Those of the array ``keys`` for which an update of the new side waits; under their target's id, too, see `unify_back`."""
    one = f"FROM changeover.queue c WHERE c.source_id = {s.id} AND c.direction = 'reverse' AND c.patch ? 'set' AND c.key ="
    waiting = f"SELECT DISTINCT c.key {one} ANY ({keys})"
    if s.generated_key:
        waiting += f" UNION SELECT k.key FROM unnest({keys}) AS k (key) WHERE EXISTS (SELECT {one} ({s.target_of('k.key')})::text)"
    return waiting


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
