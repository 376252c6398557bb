"""What a merge becomes in the database: functions of the whole and of each source, triggers, views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import bounded, quote
from orchestrator.mapping import lookups, view
from orchestrator.mapping.derivation import TOO_LARGE, TOO_LONG
from orchestrator.mapping.frame import ahead_flags, derived_texts
from orchestrator.mapping.objects import LOCK_CLASS, DbObject, function, mirror_triggers, source_index, target_triggers
from orchestrator.mapping.sqltext import comma, literal, render, statements, text_array, unlike
from orchestrator.mapping.writeback import Finding, Writeback, default_of, store_exempt

if TYPE_CHECKING:
    from orchestrator.mapping.merge import MergeMapping, MergePart

_PAGES = 'x.ctid >= "#from" AND x.ctid < "#to"'
_KEYS = '"#keys"'


def functions(m: MergeMapping) -> list[DbObject]:
    """Every function of the mapping and of its sources."""
    own = {"fn": m.fn, "pins": m.pins}
    key = quote(m.spec.key)
    made = [
        function(f"{m.fn}_apply", render(
            "merge_apply.sql", **own, **_store(m), forward=literal(m.forward), mapping=str(m.id), target_key=key,
            first_source=str(m.parts[0].id), is_ahead=m.frame.is_ahead("g"), release=_release(m), changed=_changed(m),
            gone=_gone(m),
            update_ahead=m.frame.update_ahead(
                m.derivation, m.by_keys, lambda alias: f"{alias}.{key} = d.{key}", "true", (m.spec.key,)),
            settle_rejects="\n    ".join(
                render("merge_rejects.sql", rejects_by_keys=m.rejected(p, p.rows_of(_KEYS)), **_identity(m, p))
                for p in m.parts),
        ), "text[]", "make the target what its sources say"),
        function(f"{m.fn}_ghosts", render(
            "ghosts.sql", **own, target=m.target.sql, searches="\n    ".join(_ghosts(m, p) for p in m.parts),
        ), "bigint, bigint", "rows of the target whose source row is missing"),
        function(f"{m.fn}_carry", render("merge_carry.sql", **own, **_carry(m)),
                 f"{m.target.sql}, {m.target.sql}, boolean", "keep a new-side row reversible"),
        function(f"{m.fn}_before", render("merge_before.sql", **own), "", "keep new-side rows reversible"),
        function(f"{m.fn}_reverse", render(
            "merge_reverse.sql", **own, target_key=key, first_source=str(m.parts[0].id),
            parts="\n    ".join(
                render("merge_reverse_part.sql", fn=p.fn, id=str(p.id), name=literal(p.name), residual=m.residual,
                       comment=f"to {p.name}")
                for p in m.parts),
        ), "", "the reverse mirror"),
    ]  # fmt: skip
    for part in m.parts:
        made += [*_part_functions(m, part), *_writeback(m, part)]
    return [*made, *_watch(m).functions()]


def _identity(m: MergeMapping, part: MergePart) -> dict[str, str]:
    return {"id": str(part.id), "label": literal(part.table.label), "stage": literal(m.stage)}


def _store(m: MergeMapping) -> dict[str, str]:
    d = m.derivation
    return {
        "target": m.target.sql,
        "columns": ", ".join(c.sql for c in d.written),
        "derived_columns": ", ".join(f"d.{c.sql}" for c in d.written),
        "conflict": f"({quote(m.spec.key)})",
        "update_set": m.frame.update_set(d),
        "by_keys": m.by_keys,
        "create_by_keys": statements(d.creation_statements(m.by_keys)),
    }


def _part_functions(m: MergeMapping, p: MergePart) -> list[DbObject]:
    common, reject, forward = {"fn": p.fn, "pins": m.pins}, _identity(m, p), literal(m.forward)
    # All sources of a merge share one lock: a batch of either may bring a key back.
    lock = {"lock": f"{LOCK_CLASS}, {-m.id}"}
    key, valid, target_key = p.spec.key, p.spec.valid, quote(m.spec.key)
    rows_of_pages = p.part.rows(_PAGES)
    columns = [c for c in m.derivation.compared if c.name != m.spec.key]
    tests = {c.name: m.frame.differs(m.derivation, c) for c in columns}
    exempt = m.spec.exempt_column
    mine = f"SELECT t.{target_key} AS key FROM {m.target.sql} t WHERE t.{m.residual} ? {literal(p.name)}"
    left_over = (
        f"{mine}\n            UNION SELECT r.key FROM changeover.reject r WHERE r.source_id = {p.id}\n"
        f"                AND NOT EXISTS (SELECT FROM ({p.keys_of_rows}) k WHERE k.key = r.key)"
    )
    lock_rows = "\n    ".join(
        f"PERFORM FROM {q.table.sql} x WHERE {q.rows_of(_KEYS)} ORDER BY x.ctid FOR NO KEY UPDATE;" for q in m.parts
    )
    return [
        function(f"{p.fn}_batch", render(
            "merge_batch.sql", **common, **lock, **reject, **_store(m), forward=forward, source=p.table.sql,
            key_expression=key, valid=valid, rows_of_pages=rows_of_pages, placeholder=f"g.{m.residual} = '{{}}'",
            rejects_by_pages=m.rejected(p, _PAGES),
        ), "bigint, bigint", "one batch of pages"),
        function(f"{p.fn}_apply", render("merge_source_apply.sql", **common, mapping_fn=m.fn), "text[]", "derive the keys"),
        function(f"{p.fn}_sync", render("sync.sql", **common, lock_rows=lock_rows), "text[]", "lock the rows, then apply"),
        function(f"{p.fn}_one", render(
            "merge_one.sql", **common, forward=forward, stage=literal(m.stage),
            ids=", ".join(str(q.id) for q in m.parts), remove=_remove(m),
            rows_with_keys="\n            UNION ALL ".join(
                f"SELECT {q.id} AS id, {literal(q.table.label)} AS label, coalesce({q.on(q.spec.key, 'x')}, '') AS key, "
                f"{q.part.whole('x')} AS \"row\" FROM {q.table.sql} x WHERE {q.rows_of('ARRAY[p_key]')}" for q in m.parts),
        ), "text", "one key, whatever happens"),
        function(f"{p.fn}_isolate", render(
            "isolate.sql", **common, **lock, source=p.table.sql, keys_of_rows=p.keys_of_rows,
        ), "bigint, bigint", "pages key by key"),
        function(f"{p.fn}_resync", render("resync.sql", **common, **lock, keys_of_rows=p.keys_of_rows),
                 "bigint, bigint", "pages again, overwriting"),
        function(f"{p.fn}_sweep_back", render("sweep_back.sql", **common, id=str(p.id)), "integer, boolean",
                 "settle what waits to be written back"),
        function(f"{p.fn}_sweep", render(
            "sweep.sql", **common, **lock, id=str(p.id), source_oid=str(p.table.oid), forward=forward,
            keys_of_rows=p.keys_of_rows, left_over=left_over,
        ), "integer", "settle rechecks"),
        function(f"{p.fn}_compare", render(
            "merge_compare.sql", **common, id=str(p.id), key_expression=key, rows_of_pages=rows_of_pages,
            target=m.target.sql, by_keys=m.by_keys, source=p.table.sql, target_key=target_key, all_keys=p.keys_of_rows,
            same_key=f"g.{target_key} = d.{target_key}", rejects_by_keys=m.rejected(p, p.rows_of(_KEYS)),
            differs="\n                    OR ".join(tests.values()) or "false",
            different_columns=", ".join(f"CASE WHEN {t} THEN {literal(n)} END" for n, t in tests.items()),
            failed=_error_rejects(m),
        ), "bigint, bigint", "compare the keys on pages"),
        function(f"{p.fn}_count", render(
            "count.sql", **common, id=str(p.id), source=p.table.sql, target=m.target.sql, alive="true",
            own=f"g.{m.residual} ? {literal(p.name)}", is_exempt=f"g.{quote(exempt)} <> '{{}}'" if exempt else "false",
        ), "", "rows here, rows there, rejects"),
        function(f"{p.fn}_mirror", render(
            "mirror.sql", **common, id=str(p.id), reverse=literal(p.reverse), last_column=str(p.table.columns[-1].attnum),
            keys_of_new=_touched(m, p, "new_rows"), keys_of_old=_touched(m, p, "old_rows"),
        ), "", "the forward mirror"),
        function(f"{p.fn}_truncate", render(
            "truncate.sql", **common, id=str(p.id), forward=forward,
            truncate_all=f"PERFORM changeover.{m.fn}_apply(ARRAY(SELECT k.key FROM ({left_over}) k));",
        ), "", "the forward mirror of TRUNCATE"),
    ]  # fmt: skip


def _writeback(m: MergeMapping, p: MergePart) -> list[DbObject]:
    """From the target to one source."""
    target_key = quote(m.spec.key)
    rows = f"PERFORM FROM {p.table.sql} x WHERE {p.rows_of('ARRAY[v_key]')} FOR NO KEY UPDATE;"
    matches = p.table.primary_key or [c.name for c in p.table.columns if not c.generated]
    image = " AND ".join(f"x.{quote(c)}::text IS NOT DISTINCT FROM (p_image ->> {literal(c)})" for c in matches)
    writeback = Writeback(
        id=p.id, fn=p.fn, part=p.part, target=m.target, pins=m.pins, forward=m.forward, reverse=p.reverse, key=None,
        legacy=lambda column: m.legacy(p, column),
        finding=Finding(
            choose=f"{rows}\n    v_row := {p.place_of_first('v_key')};\n    v_found := v_row IS NOT NULL;",
            row="x.ctid = v_row",
            locked=p.rows_of("k.keys"),
            row_now=p.first("v_new_key"),
            key_of_row=f'coalesce(("#old").{target_key}, ("#new").{target_key})',
            key_of_new=f'("#new").{target_key}',
            is_meant=f"(coalesce(jsonb_typeof(p_image), 'null') = 'null' OR ({image}))",
            # A row that lost to this one may now be the first of its key.
            afterwards=(
                "INSERT INTO changeover.recheck (source_id, direction, key, cause) "
                f"VALUES ({p.id}, 'forward', p_key, 'erased');"
            ),
        ),
    )  # fmt: skip
    member = f"ARRAY[{literal(p.name)}]"
    kept = f"(g.{m.residual} -> {literal(p.name)}) - ARRAY(SELECT jsonb_array_elements_text(p_patch -> 'drop'))"
    return writeback.functions(
        target_meant=f"g.{target_key} = k.key",
        own=f"g.{m.residual} ? {literal(p.name)}",
        alive="true",
        dropped=f"{m.residual} = jsonb_set(g.{m.residual}, {member}, {kept})",
        return_keyless="",
    )


def _touched(m: MergeMapping, part: MergePart, rows: str) -> str:
    """The keys that changed rows concern: their own, and those that claim the same unique value."""
    changed = f"({part.part.rows('true', rows)})"
    queries = [f"SELECT coalesce({part.spec.key}, '') AS key FROM {changed} s"]
    queries += [
        f"SELECT {part.spec.key} FROM (\n    {part.part.rows('true')}\n    ) s "
        f"WHERE s.{quote(column)} IN (SELECT c.{quote(column)} FROM {changed} c) AND ({part.spec.valid})"
        for column in m.claims(part)
    ]
    return " UNION ALL ".join(queries)


def _unique(m: MergeMapping) -> list[str]:
    """The target's columns, the key aside, that only one row may have and that may be empty, quoted."""
    unique = {k[0] for k in m.target.unique_keys if len(k) == 1} - {m.spec.key}
    return [c.sql for c in m.derivation.compared if c.name in unique and not c.not_null]


def _release(m: MergeMapping) -> str:
    found = [
        f"UPDATE {m.target.sql} g SET {column} = NULL\n"
        f'        WHERE g.{quote(m.spec.key)} = ANY ("#keys") AND g.{column} IS NOT NULL AND NOT {m.frame.is_ahead("g")}\n'
        f'          AND ((g.{quote(m.spec.key)}, g.{column}) IN (SELECT d."#key", d.{column} FROM (\n'
        f"{m.by_keys}\n          ) d)) IS NOT TRUE;"
        for column in _unique(m)
    ]
    return "\n        ".join(found)


def _changed(m: MergeMapping) -> str:
    columns = [c for c in m.derivation.compared if c.name != m.spec.key]

    def record(alias: str) -> str:
        return ", ".join(f"{alias}.{c.sql}{'::text' if c.type in {'json', 'xml'} else ''}" for c in columns)

    return f"(({record('g')}) IS DISTINCT FROM ({record('EXCLUDED')}))"


def _gone(m: MergeMapping) -> str:
    key = quote(m.spec.key)
    ids = ", ".join(str(p.id) for p in m.parts)
    where = (
        f'WHERE g.{key} = ANY ("#keys") AND g.{m.residual} <> \'{{}}\'\n      AND (g.{key} IN (SELECT d."#key" FROM (\n'
        f'{m.by_keys}\n      ) d WHERE d."#reason" IS NULL)) IS NOT TRUE\n'
        "      AND NOT EXISTS (SELECT FROM changeover.recheck c WHERE c.key = "
        f"g.{key} AND c.source_id IN ({ids}) AND c.direction = 'reverse' AND c.patch ? 'whole');"
    )
    if not m.spec.gone:
        return f"DELETE FROM {m.target.sql} g {where}"
    return f"UPDATE {m.target.sql} g SET {_when_gone(m)} {where}"


def _when_gone(m: MergeMapping) -> str:
    given = {quote(c): e for c, e in m.spec.gone.items()}
    sets = [f"{c} = {e}" for c, e in given.items()] + [f"{c} = NULL" for c in _unique(m) if c not in given]
    return f"{', '.join(sets)}, {m.residual} = '{{}}'"


def _remove(m: MergeMapping) -> str:
    where = f"WHERE g.{quote(m.spec.key)} = p_key"
    return (
        f"UPDATE {m.target.sql} g SET {_when_gone(m)} {where};"
        if m.spec.gone
        else f"DELETE FROM {m.target.sql} g {where};"
    )


def _error_rejects(m: MergeMapping) -> str:
    """Rejects of ``q.key`` that an error has made: what would be derived does not matter then."""
    known = ["gone", "duplicate", TOO_LARGE, TOO_LONG, *m.spec.rejects, *(p.spec.invalid for p in m.parts)]
    ids = ", ".join(str(p.id) for p in m.parts)
    return (
        f"EXISTS (SELECT FROM changeover.reject e WHERE e.key = q.key AND e.source_id IN ({ids}) "
        f"AND e.reason <> ALL ({text_array(dict.fromkeys(known))}))"
    )


def _ghosts(m: MergeMapping, part: MergePart) -> str:
    key = quote(m.spec.key)
    return (
        f"RETURN QUERY SELECT t.{key}, 'ghost'::text, ARRAY[{literal(part.table.label)}], NULL::jsonb, "
        f"jsonb_build_object({literal(m.spec.key)}, t.{key})\n    FROM {m.target.sql} t\n"
        f'    WHERE t.ctid >= "#from" AND t.ctid < "#to" AND t.{m.residual} ? {literal(part.name)}\n'
        f"      AND NOT EXISTS (SELECT FROM (\n    {part.part.rows('true')}\n    ) s "
        f"WHERE {part.spec.key} = t.{key} AND ({part.spec.valid}));"
    )


def _carry(m: MergeMapping) -> dict[str, str]:
    exempt = m.spec.exempt_column
    values = {
        p.name: (
            f"SELECT s.* FROM (\n    {p.part.rows('true', _value_of(m, p))}\n    ) s "
            f'WHERE ("#new").{m.residual} ? {literal(p.name)}'
        )
        for p in m.parts
    }
    by_value = m.derivation.select(m.rows(f'SELECT ("#new").{quote(m.spec.key)}::text AS key', values), "k.key")
    ahead = m.frame.ahead_columns(m.derivation, (m.spec.key,))
    return {
        "target": m.target.sql,
        "residual": m.residual,
        "parts": "\n    ".join(_carry_part(m, p) for p in m.parts),
        "ahead_flags": ahead_flags(ahead),
        "derived_texts": derived_texts(ahead),
        "derived_exempt": f"d.{quote(exempt)}" if exempt else "NULL::text[]",
        "by_value": by_value,
        "store_exempt": store_exempt(quote(exempt) if exempt else None),
    }


def _value_of(m: MergeMapping, part: MergePart) -> str:
    columns = comma(
        f"NULL::{c.sql_type} AS {c.sql}" if c.generated else f"{m.legacy(part, c)} AS {c.sql}"
        for c in part.table.columns
    )
    return f'(SELECT {columns} FROM (SELECT ("#new").*) t)'


def _carry_part(m: MergeMapping, part: MergePart) -> str:
    columns = [c for c in part.table.columns if not c.generated]
    given = {c: m.wrap(b) for c in columns if (b := part.part.back_expression(c)) is not None}
    kept = []
    for column in columns:
        default = default_of(part.table, column)
        if column.not_null and default is not None:
            value = given.get(column, f"NULL::{column.sql_type}")
            kept.append(
                f"CASE WHEN {value} IS NULL THEN jsonb_build_object({literal(column.name)}, ({default})::text) "
                "ELSE '{}'::jsonb END"
            )
    return render(
        "merge_carry_part.sql",
        comment=f"what belongs to {part.name}",
        residual=m.residual,
        name=literal(part.name),
        when=part.spec.when,
        backs=", ".join(f"{e} AS {part.part.raw_name(c)}" for c, e in given.items()) or "1 AS one",
        kept_values=" || ".join(kept) or "'{}'::jsonb",
        dropped=", ".join(
            f"CASE WHEN v_part ? {literal(c.name)} AND {unlike(f'a.{n}', f'b.{n}')} THEN {literal(c.name)} END"
            for c, n in ((c, part.part.raw_name(c)) for c in given)
        ),
    )


def triggers(m: MergeMapping) -> list[DbObject]:
    """The forward mirror's triggers on every source."""
    return [t for p in m.parts for t in mirror_triggers(f"a{p.id:06d}", p.table.sql, p.fn)]


def new_side_triggers(m: MergeMapping) -> list[DbObject]:
    """The reverse mirror's triggers, and those on the tables that the way back looks up."""
    return [*target_triggers(m.fn, m.target), *_watch(m).triggers()]


def _watch(m: MergeMapping) -> lookups.Watch:
    parts = [
        lookups.Part(
            id=p.id,
            back=p.spec.back,
            keep=(),
            part=p.part,
            own=f"t.{m.residual} ? {literal(p.name)}",
            alive="true",
            key=f"t.{quote(m.spec.key)}",
            residual=f"coalesce(t.{m.residual} -> {literal(p.name)}, '{{}}')",
        )
        for p in m.parts
    ]
    return lookups.Watch(m.fn, m.pins, m.target, m.spec.lookups, m.lookup_tables, parts)


def views(m: MergeMapping) -> list[DbObject]:
    """The compatibility views of all sources."""
    return [o for p in m.parts for o in _view(m, p)]


def _view(m: MergeMapping, part: MergePart) -> list[DbObject]:
    choose, row = "", " AND ".join(f"x.{quote(c)} = OLD.{quote(c)}" for c in part.table.primary_key)
    columns = [c for c in part.table.columns if not c.generated]
    if not row:
        mine, old = ", ".join(f"y.{c.sql}" for c in columns), ", ".join(f"OLD.{c.sql}" for c in columns)
        same_key = f"{part.on(part.spec.key, 'y')} = {part.on(part.spec.key, 'OLD')}"
        # The row as the view showed it; if it has changed meanwhile, the first of its key, which is what the view shows.
        choose = (
            f"PERFORM FROM {part.table.sql} y WHERE {same_key} FOR UPDATE;\n"
            f"    SELECT y.ctid INTO v_row FROM {part.table.sql} y WHERE {same_key} AND NOT {unlike(mine, old)} LIMIT 1;\n"
            f"    v_row := coalesce(v_row, {part.place_of_first(part.on(part.spec.key, 'OLD'))});"
        )
        row = "x.ctid = v_row"
    return view.objects(
        source_id=part.id,
        table=part.table,
        pins=m.pins,
        values={c: m.legacy(part, c) for c in columns},
        rows=f"FROM {m.target.sql} t\nWHERE t.{m.residual} ? {literal(part.name)}",
        choose_row=choose,
        row_of_old=row,
    )


def indexes(m: MergeMapping) -> list[DbObject]:
    """What the mirror needs on the sources to find the rows of a key quickly."""
    made = []
    for part in m.parts:
        wanted = {"key": f"({part.on(part.spec.key, '')})"}
        wanted |= {c: f"({part.on(f's.{c}', '')})" for c in m.claims(part) if c in part.table.by_name}
        for label, expression in wanted.items():
            name = bounded("changeover", str(part.id), label)
            made.append(source_index(name, part.table, expression, "rows of a key"))
    return made
