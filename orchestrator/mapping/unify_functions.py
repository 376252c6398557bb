"""What a unify becomes in the database: the functions of each source, those of the whole, triggers, views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import bounded, quote
from orchestrator.mapping import lookups, view
from orchestrator.mapping.frame import ahead_flags, derived_texts
from orchestrator.mapping.objects import LOCK_CLASS, DbObject, function, mirror_triggers, source_index, target_triggers
from orchestrator.mapping.sqltext import comma, literal, render, statements, unlike
from orchestrator.mapping.writeback import Finding, Writeback, default_of, store_exempt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.mapping.catalog import Column
    from orchestrator.mapping.unify import UnifySource

_PAGES = 'x.ctid >= "#from" AND x.ctid < "#to"'
_ASIDE = 'x.ctid = ANY ("#aside")'
_KEYS, _OLD, _NEW = '"#keys"', '"#old"', '"#new"'


def functions(source: UnifySource) -> list[DbObject]:
    """Every function of a source."""
    return [*_forward(source), *_looking(source), *_back(source)]


def _common(source: UnifySource) -> dict[str, str]:
    return {"fn": source.fn, "pins": source.pins}


def _identity(source: UnifySource) -> dict[str, str]:
    return {"id": str(source.id), "label": literal(source.table.label), "stage": literal(source.stage)}


def _forward(s: UnifySource) -> list[DbObject]:
    """Batch, mirror, sweep: from the source to the target."""
    by_pages, by_aside, by_keys, d = s.derive(_PAGES), s.derive(_ASIDE), s.derive(s.rows_of(_KEYS)), s.derivation
    common, reject, own, alive = _common(s), _identity(s), s.own("g"), s.alive("g")
    lock, forward, reverse = {"lock": f"{LOCK_CLASS}, {s.id}"}, literal(s.forward), literal(s.reverse)
    target, target_key = s.target.sql, s.target_key.sql
    store = {
        "target": target,
        "columns": ", ".join(c.sql for c in d.written),
        "derived_columns": ", ".join(f"d.{c.sql}" for c in d.written),
        "conflict": f"({target_key})",
    }
    upsert = {"update_set": s.frame.update_set(d), "is_ahead": s.frame.is_ahead("g"), "own": own}
    of_key = f"g.{target_key} = {s.target_of('k.key')}"
    ids = f"SELECT coalesce(x.{s.key.sql}::text, '') AS key FROM"
    several = _several(s)
    release = "" if s.spec.discriminator is None else f"PERFORM changeover.x{s.mapping_id}_release({s.id}, "
    lock_rows = f"PERFORM FROM {s.table.sql} x WHERE {s.rows_of(_KEYS)} ORDER BY x.{s.key.sql} FOR NO KEY UPDATE;"
    left_over = (
        f"SELECT {s.legacy_key} AS key FROM {target} t WHERE {s.own('t')} AND {s.alive('t')}\n"
        f"                AND NOT EXISTS (SELECT FROM {s.table.sql} x WHERE x.{s.key.sql} = {s.legacy(s.key)})\n"
        f"            UNION SELECT r.key FROM changeover.reject r WHERE r.source_id = {s.id}\n"
        f"                AND NOT EXISTS (SELECT FROM ({s.keys_of_rows}) k WHERE k.key = r.key)"
    )
    return [
        function(f"{s.fn}_batch", render(
            "batch.sql", **common, **lock, **store, **reject, forward=forward, target_key=target_key, source=s.table.sql,
            by_pages=by_pages, by_aside=by_aside, rejects_by_aside=s.rejected(by_aside), batch_conflict="DO NOTHING",
            create_by_aside=statements(d.creation_statements(by_aside)), own=own,
            target_of_row=f"g.{target_key} = {s.target_of(f'x.{s.key.sql}::text')}",
        ), "bigint, bigint", "one batch of pages"),
        function(f"{s.fn}_apply", render(
            "apply.sql", **common, **store, **upsert, **several, id=str(s.id), forward=forward, by_keys=by_keys,
            target_key=target_key, key_type=s.target_key.sql_type, target_of_key=s.target_of("k.key"),
        ), "text[]", "make the target what the source says"),
        function(f"{s.fn}_settle", render(
            "settle.sql", **common, **store, **upsert, **reject, by_keys=by_keys, alive=alive, target_key=target_key,
            create_by_keys=statements(d.creation_statements(by_keys)), displace=_displace(s, by_keys),
            update_ahead=s.frame.update_ahead(
                d, by_keys, lambda alias: f"{alias}.{target_key} = d.{target_key}", own, (s.spec.key.target,)),
            target_of_key=of_key, rejects_by_keys=s.rejected(by_keys),
            release_gone=f"{release}v_gone);" if release else "",
        ), "text[]", "what one statement cannot do"),
        function(f"{s.fn}_sync", render("sync.sql", **common, lock_rows=lock_rows), "text[]", "lock the rows, then apply"),
        function(f"{s.fn}_one", render(
            "one.sql", **common, **reject, forward=forward,
            rows_with_keys=f"SELECT coalesce(x.{s.key.sql}::text, '') AS key, {s.part.whole('x')} AS \"row\" "
                           f"FROM {s.table.sql} x",
            remove_one=f"DELETE FROM {target} g USING (SELECT p_key AS key) k WHERE {of_key} AND {own} AND {alive};",
        ), "text", "one key, whatever happens"),
        function(f"{s.fn}_isolate", render(
            "isolate.sql", **common, **lock, source=s.table.sql, keys_of_rows=s.keys_of_rows,
        ), "bigint, bigint", "pages row by row"),
        function(f"{s.fn}_resync", render("resync.sql", **common, **lock, keys_of_rows=s.keys_of_rows),
                 "bigint, bigint", "pages again, overwriting"),
        function(f"{s.fn}_sweep_back", render("sweep_back.sql", **common, id=str(s.id)), "integer, boolean",
                 "settle what waits to be written back"),
        function(f"{s.fn}_sweep", render(
            "sweep.sql", **common, **lock, id=str(s.id), source_oid=str(s.table.oid), forward=forward,
            keys_of_rows=s.keys_of_rows, left_over=left_over,
        ), "integer", "settle rechecks"),
        function(f"{s.fn}_mirror", render(
            "mirror.sql", **common, id=str(s.id), reverse=reverse, last_column=str(s.table.columns[-1].attnum),
            keys_of_new=f"{ids} new_rows x", keys_of_old=f"{ids} old_rows x",
        ), "", "the forward mirror"),
        function(f"{s.fn}_truncate", render(
            "truncate.sql", **common, id=str(s.id), forward=forward,
            truncate_all=f"DELETE FROM {target} g WHERE {own} AND {alive};" + (f"\n            {release}NULL);" if release else ""),
        ), "", "the forward mirror of TRUNCATE"),
    ]  # fmt: skip


def _looking(s: UnifySource) -> list[DbObject]:
    """Comparison and counts."""
    common, own, alive, target = _common(s), s.own("g"), s.alive("g"), s.target.sql
    columns = [c for c in s.derivation.compared if c.name != s.spec.key.target]
    tests = {c.name: s.frame.differs(s.derivation, c) for c in columns}
    of_key = f"g.{s.target_key.sql} = {s.target_of('k.key')}"
    place = {"id": str(s.id), "target": target, "own": own, "alive": alive}
    alike = render("compare_alike.sql", **place, target_of_key=of_key, keys_of_rows=s.keys_of_rows) if s.several else ""
    exempt = s.spec.exempt_column
    return [
        function(f"{s.fn}_compare", render(
            "compare.sql", **common, **place, by_pages=s.derive(_PAGES), source=s.table.sql, target_key=s.target_key.sql,
            keys_of_rows=s.keys_of_rows, same_key=f"g.{s.target_key.sql} = d.{s.target_key.sql}",
            key_is_unique="false" if s.several else "true", count_alike=alike,
            differs="\n                    OR ".join(tests.values()) or "false",
            different_columns=", ".join(f"CASE WHEN {t} THEN {literal(n)} END" for n, t in tests.items()),
        ), "bigint, bigint", "compare pages with the target"),
        function(f"{s.fn}_count", render(
            "count.sql", **common, **place, source=s.table.sql,
            is_exempt=f"g.{quote(exempt)} <> '{{}}'" if exempt else "false",
        ), "", "rows here, rows there, rejects"),
        function(f"{s.fn}_key", render("key.sql", **common, target=target, legacy_key_text=s.legacy_key), target,
                 "the source key of a target row"),
    ]  # fmt: skip


def _back(s: UnifySource) -> list[DbObject]:
    """From the target to the source."""
    target_key, column = s.target_key, s.spec.residual_column
    choose = f"PERFORM FROM {s.table.sql} x WHERE {s.row_of('v_key')};\n    v_found := FOUND;"
    # While rows are copied a batch may bring it back under this very id: the sweeper has to know it.
    afterwards = (
        f"DELETE FROM changeover.born b USING changeover.source z WHERE b.source_id = {s.id} AND b.key = p_key "
        "AND z.id = b.source_id AND z.state IN ('copied', 'archived');"
    )
    if s.several:
        choose = (
            f"PERFORM FROM {s.table.sql} x WHERE {s.row_of('v_key')} FOR NO KEY UPDATE;\n"
            f"    SELECT x.ctid INTO v_row FROM {s.table.sql} x WHERE {s.row_of('v_key')} ORDER BY x.ctid LIMIT 1;\n"
            "    v_found := FOUND;"
        )
        afterwards += (
            "\n    INSERT INTO changeover.recheck (source_id, direction, key, cause) "
            f"VALUES ({s.id}, 'forward', p_key, 'erased');"
        )
    raw = comma(f"x.{c.sql} AS {s.part.raw_name(c)}" for c in s.plain)
    key_of_new = s.key_of(_NEW)
    # It has one key here: under a former one nobody may find it any more.
    remember = (
        f"DELETE FROM changeover.born b WHERE b.source_id = {s.id} AND b.key <> v_new_key "
        f'AND b.target_key = ("#new").{target_key.sql}::text;\n        '
        "INSERT INTO changeover.born (source_id, key, target_key)\n"
        f'        VALUES ({s.id}, v_new_key, ("#new").{target_key.sql}::text)\n'
        "        ON CONFLICT (source_id, key) DO UPDATE SET target_key = EXCLUDED.target_key;"
    )
    writeback = Writeback(
        id=s.id, fn=s.fn, part=s.part, target=s.target, pins=s.pins, forward=s.forward, reverse=s.reverse, key=s.key,
        legacy=s.legacy,
        finding=Finding(
            choose=choose,
            row="x.ctid = v_row" if s.several else s.row_of("v_key"),
            locked=s.rows_of("k.keys"),
            row_now=f"SELECT {raw} FROM {s.table.sql} x WHERE {s.row_of('v_new_key')} ORDER BY x.ctid LIMIT 1",
            key_of_row=key_of_new, key_of_new=key_of_new, afterwards=afterwards,
            remember_born=remember if s.generated_key else "",
        ),
    )  # fmt: skip
    by_key = f"g.{target_key.sql} = {s.target_of('k.key')}"
    meant = f"g.{target_key.sql} = coalesce((p_patch ->> 'whole')::{target_key.sql_type}, {s.target_of('k.key')})"
    document = s.frame.document("g")
    drop = f"({document} - ARRAY(SELECT jsonb_array_elements_text(p_patch -> 'drop')))"
    made = writeback.functions(
        target_meant=meant if s.generated_key else by_key,
        own=s.own("g"),
        alive=s.alive("g"),
        dropped=f"{quote(column)} = {s.frame.with_document('g', drop)}"
        if column
        else f"{target_key.sql} = g.{target_key.sql}",
        rekey=_rekey(s) if s.generated_key and column else "",
    )
    carry = function(
        f"{s.fn}_carry",
        render("carry.sql", **_common(s), **_carry(s)),
        f"{s.target.sql}, {s.target.sql}, boolean",
        "keep a new-side row reversible",
    )
    return [carry, *made]


def _several(s: UnifySource) -> dict[str, str]:
    """Without a unique key: which keys have more than one row."""
    if not s.several:
        return {"several": "false", "of_several": "false"}
    counted = (
        f"SELECT x.{s.key.sql}::text FROM {s.table.sql} x WHERE {s.rows_of(_KEYS)} "
        f"GROUP BY x.{s.key.sql} HAVING count(*) > 1"
    )
    return {"several": f"EXISTS ({counted})", "of_several": f"k.key IN ({counted})"}


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
        "    INSERT INTO changeover.recheck (source_id, direction, key, cause)\n"
        "    SELECT z.id, 'forward', p.key, 'displaced'\n    FROM displaced p\n"
        f"    JOIN changeover.source z ON z.mapping_id = {s.mapping_id} AND p.discriminator = ANY (z.discriminators);"
    )


def _rekey(s: UnifySource) -> str:
    with_key = f"({s.frame.document('g')} || jsonb_build_object({literal(s.key.name)}, ({_next_key(s)})::text))"
    return render(
        "give_another_key.sql",
        fn=s.fn,
        target=s.target.sql,
        target_key=s.target_key.sql,
        forward=literal(s.forward),
        target_of_p_key=s.target_of("p_key"),
        with_another_key=f"{quote(s.spec.residual_column or '')} = {s.frame.with_document('g', with_key)}",
    )


def _next_key(s: UnifySource) -> str:
    highest = f"(SELECT coalesce(max(x.{s.key.sql}), 0) + 1 FROM {s.table.sql} x)"
    return default_of(s.table, s.key) or highest


def _carry(s: UnifySource) -> dict[str, str]:
    column, exempt = s.spec.residual_column, s.spec.exempt_column
    backs = {c: s.part.back_expression(c) for c in s.plain if c.name != s.key.name}
    given = {c: s.wrap(b) for c, b in backs.items() if b is not None}
    kept = [c for c in given if c.name in s.spec.keep]
    legacy_row = comma(f"{s.legacy(c)} AS {c.sql}" for c in s.plain)
    generated = "".join(f", NULL::{c.sql_type} AS {c.sql}" for c in s.table.columns if c.generated)
    origin = f'(SELECT {legacy_row}{generated} FROM (SELECT ("#new").*) t)'
    ahead = s.frame.ahead_columns(s.derivation, (s.spec.key.target,))
    store = f'"#new".{quote(column)} := {s.frame.with_document(_NEW, "v_residual")};' if column else "NULL;"
    keep_dropped = " || ".join(
        f"CASE WHEN {literal(c.name)} = ANY (v_dropped) THEN jsonb_build_object({literal(c.name)}, ({given[c]})::text) "
        "ELSE '{}'::jsonb END"
        for c in kept
    )
    return {
        "target": s.target.sql,
        "residual_of_old": f"({s.frame.document(_OLD)} - '~')",
        "kept_values": _kept_values(s, given, kept),
        "dropped": ", ".join(
            f"CASE WHEN v_residual ? {literal(c.name)} AND {unlike(f'a.{n}', f'b.{n}')} THEN {literal(c.name)} END"
            for c, n in ((c, s.part.raw_name(c)) for c in given)
        ),
        "backs": ", ".join(f"{e} AS {s.part.raw_name(c)}" for c, e in given.items()) or "1 AS one",
        "keep_dropped": (
            f'SELECT v_residual || {keep_dropped} INTO v_residual FROM (SELECT ("#new").*) t;' if kept else ""
        ),
        "store_residual": store,
        "ahead_flags": ahead_flags(ahead),
        "derived_texts": derived_texts(ahead),
        "derived_exempt": f"d.{quote(exempt)}" if exempt else "NULL::text[]",
        "by_value": s.derive("true", origin),
        "store_exempt": store_exempt(quote(exempt) if exempt else None),
    }


def _kept_values(s: UnifySource, given: Mapping[Column, str], kept: Sequence[Column]) -> str:
    """What a row born on the new side must keep: names, defaults the old table would give, its key."""
    parts = [f"jsonb_build_object({literal(c.name)}, ({given[c]})::text)" for c in kept]
    for column in s.plain:
        default = default_of(s.table, column)
        if column.name == s.key.name:
            if s.generated_key:
                parts.append(f"jsonb_build_object({literal(column.name)}, ({_next_key(s)})::text)")
        elif column.not_null and default is not None and column not in kept:
            value = given.get(column, f"NULL::{column.sql_type}")
            parts.append(
                f"CASE WHEN {value} IS NULL THEN jsonb_build_object({literal(column.name)}, ({default})::text) "
                "ELSE '{}'::jsonb END"
            )
    return " || ".join(parts) or "'{}'::jsonb"


def triggers(s: UnifySource) -> list[DbObject]:
    """The forward mirror's triggers on the source."""
    return list(mirror_triggers(f"a{s.id:06d}", s.table.sql, s.fn))


def views(s: UnifySource) -> list[DbObject]:
    """The compatibility view and its INSTEAD OF trigger."""
    choose = ""
    if s.several:
        row = f"x.{s.key.sql} = OLD.{s.key.sql}"
        choose = (
            f"PERFORM FROM {s.table.sql} x WHERE {row} FOR UPDATE;\n"
            f"    SELECT x.ctid INTO v_row FROM {s.table.sql} x WHERE {row} ORDER BY x.ctid LIMIT 1;"
        )
    return view.objects(
        source_id=s.id,
        table=s.table,
        pins=s.pins,
        values={c: s.legacy(c) for c in s.plain},
        rows=f"FROM {s.target.sql} t\nWHERE {s.own('t')} AND {s.alive('t')}",
        choose_row=choose,
        row_of_old="x.ctid = v_row" if s.several else f"x.{s.key.sql} = OLD.{s.key.sql}",
    )


def indexes(s: UnifySource) -> list[DbObject]:
    """What the mirror needs to find a row by its key, where the table has no such index."""
    if s.table.leads_index(s.key.name):
        return []
    return [source_index(bounded("changeover", str(s.id), "key"), s.table, s.key.sql, "rows of a key")]


def _ghost_search(s: UnifySource) -> str:
    """The part of the mapping's ghost search that concerns this source."""
    # A row whose key leads to a row of the old side that leads to another row here is nobody's as well.
    return (
        f"RETURN QUERY SELECT {s.legacy_key}, 'ghost'::text, ARRAY[{literal(s.table.label)}], "
        f"NULL::jsonb, jsonb_build_object({literal(s.target_key.name)}, t.{s.target_key.sql})\n"
        f"    FROM {s.target.sql} t\n"
        f'    WHERE t.ctid >= "#from" AND t.ctid < "#to" AND {s.own("t")} AND {s.alive("t")}\n'
        f"      AND (NOT EXISTS (SELECT FROM {s.table.sql} x WHERE x.{s.key.sql} = {s.legacy(s.key)})\n"
        f"           OR t.{s.target_key.sql} IS DISTINCT FROM {s.target_of(s.legacy_key)});"
    )


def mapping_objects(sources: Sequence[UnifySource]) -> tuple[list[DbObject], list[DbObject]]:
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
    release = f"PERFORM changeover.{fn}_release(v_erased, ARRAY[v_former_key]);" if spec.discriminator else ""
    made = [
        function(f"{fn}_ghosts", render(
            "ghosts.sql", **common, target=target.sql, searches="\n    ".join(_ghost_search(s) for s in sources),
        ), "bigint, bigint", "rows of the target whose source row is missing"),
        function(f"{fn}_before", render("unify_before.sql", **common, **routing), "", "keep new-side rows reversible"),
        function(f"{fn}_reverse", render(
            "unify_reverse.sql", **common, **routing, alive_t=f"({spec.alive or 'true'})", release_erased=release,
            target_key=first.target_key.sql,
        ), "", "the reverse mirror"),
    ]  # fmt: skip
    if spec.discriminator is not None:
        text = render("release.sql", **common, mapping=str(first.mapping_id))
        made.insert(0, function(f"{fn}_release", text, "integer, text[]", "ids that are free again"))
    watch = _watch(sources)
    return [*made, *watch.functions()], [*target_triggers(fn, target), *watch.triggers()]


def _watch(sources: Sequence[UnifySource]) -> lookups.Watch:
    first = sources[0]
    parts = [
        lookups.Part(
            id=s.id,
            back=s.spec.back,
            keep=s.spec.keep,
            part=s.part,
            own=s.own("t"),
            alive=s.alive("t"),
            key=f"changeover.{s.fn}_key(t)",
            residual=s.frame.document("t"),
        )
        for s in sources
    ]
    fn = f"x{first.mapping_id}"
    return lookups.Watch(fn, first.pins, first.target, first.spec.lookups, first.lookup_tables, parts)
