"""A merge's way forward: from the sources to the target, and the comparison of the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import with_columns
from orchestrator.mapping import lookups, merge_back
from orchestrator.mapping.derivation import TOO_LARGE, TOO_LONG
from orchestrator.mapping.fragments import applied, fragments, parked
from orchestrator.mapping.objects import (
    LOCK_CLASS,
    DbObject,
    forward_mirror,
    function,
    oids,
    plain_forward,
)
from orchestrator.mapping.sqltext import literal, on_pages, render, statements, text_array
from orchestrator.mapping.writeback import lost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.mapping.fragments import Fragment
    from orchestrator.mapping.merge import MergeMapping, MergePart

_KEYS = '"#keys"'
_FOUND = 'unnest(v_bad, v_reasons) AS d ("#key", "#reason")'


def of_the_whole(m: MergeMapping) -> list[DbObject]:
    """The functions that every source shares."""
    own, key = {"fn": m.fn, "pins": m.pins}, quote(m.spec.key)
    return [
        function(f"{m.fn}_apply", render(
            "merge_apply.sql", **own, **_store(m), forward=literal(m.forward), mapping=str(m.id), target_key=key,
            first_source=str(m.parts[0].id), is_ahead=m.frame.is_ahead("g"), release=_release(m), changed=_changed(m),
            remove=_remove(m, 'v_row."#key"'), waiting=waiting(m, "k.key"), odd=_odd(m),
            ids=", ".join(str(p.id) for p in m.parts),
        ), "text[], integer", "make the target what its sources say"),
        function(f"{m.fn}_orphans", render(
            "orphans.sql", **own, target=m.target.sql, searches="\n    ".join(_orphans(m, p) for p in m.parts),
        ), "bigint, bigint", "rows of the target whose source row is missing"),
    ]  # fmt: skip


def waiting(m: MergeMapping, key: str) -> str:
    """Whether something that the new side has written to a key waits to be given to a source."""
    ids = ", ".join(str(p.id) for p in m.parts)
    entry = f"EXISTS (SELECT FROM changeover.queue c WHERE c.source_id IN ({ids}) AND c.direction = 'reverse' AND"
    return f"({entry} c.key = {key}) OR {entry} c.patch ->> 'key' = {key}))"


def _parked(m: MergeMapping) -> Mapping[str, Fragment]:
    """Which rows a derivation writes whole, for ``changeover.park``."""
    key = 'd."#key"'
    which = f"NOT {m.frame.is_ahead('g')} AND NOT {waiting(m, key)}"
    columns = [name for name in m.derivation.movable if name != m.spec.key]
    return parked([m.spec.key], columns, f"{m.fn}_new_rows", which)


def _identity(m: MergeMapping, part: MergePart) -> dict[str, str]:
    return {"id": str(part.id), "label": literal(part.table.label), "stage": literal(m.stage)}


def _store(m: MergeMapping) -> dict[str, str]:
    d = m.derivation
    return {
        "target": m.target.sql,
        "columns": ", ".join(c.sql for c in d.written),
        "derived_columns": ", ".join(f"v_row.{c.sql}" for c in d.written),
        "conflict": f"({quote(m.spec.key)})",
        "update_set": m.frame.update_set(d, "v_row"),
        "by_keys": m.by_keys,
        "create_by_keys": statements(d.creation_statements(m.by_keys)),
    }


def of_a_source(m: MergeMapping, p: MergePart) -> list[DbObject]:
    """The functions of one source."""
    common, reject, forward = {"fn": p.fn, "pins": m.pins}, _identity(m, p), literal(m.forward)
    # All sources of a merge share one lock: a batch of either may bring a key back.
    lock = {"lock": f"{LOCK_CLASS}, {-m.id}"}
    key, valid, target_key = p.spec.key, p.spec.valid, quote(m.spec.key)
    rows_of_pages = p.part.rows(on_pages(p.table.sql))
    written = oids(m.derivation.written_tables)
    derived = f"(\n{m.by_keys}\n) d"
    return [
        _fragments(m, p),
        function(f"{p.fn}_batch", render(
            "merge_batch.sql", **common, **lock, **reject, **_store(m), forward=forward, written=written, source=p.table.sql,
            key_expression=key, valid=valid, rows_of_pages=rows_of_pages, placeholder=f"g.{m.originals} = '{{}}'",
            rejects_by_pages=m.rejected(p, on_pages(p.table.sql), _FOUND),
            waiting=waiting(m, "k.key"),
        ), "bigint, bigint", "one batch of pages"),
        function(f"{p.fn}_compared", render(
            "merge_compare.sql", **common, id=str(p.id), key_expression=key, rows_of_pages=rows_of_pages,
            target=m.target.sql, by_keys=m.by_keys, target_key=target_key, all_keys=p.keys_of_rows,
            same_key=f"g.{target_key} = d.{target_key}", rejects_by_keys=m.rejected(p, p.rows_of(_KEYS), derived),
            different_columns=m.frame.different(m.derivation, m.spec.key),
            failed=_error_rejects(m),
        ), "tid, tid, boolean", "compare the keys of rows"),
        plain_forward(p.fn, m.derivation.written_tables, f'changeover.{m.fn}_apply("#keys", {p.id})', id=str(p.id), reverse=literal(p.reverse)),
        forward_mirror(
            p.fn, p.table, pins=m.pins, id=str(p.id), keys_of_new=_touched(m, p, "new_rows"),
            keys_of_old=_touched(m, p, "old_rows"),
        ),
    ]  # fmt: skip


def _fragments(m: MergeMapping, p: MergePart) -> DbObject:
    """What the fixed functions must know."""
    key = quote(m.spec.key)
    left_over = f"SELECT t.{key} AS key FROM {m.target.sql} t WHERE t.{m.originals} ? {literal(p.name)}"
    rejected = f"SELECT r.key FROM changeover.reject r WHERE r.source_id = {p.id} AND r.id > 0"
    return fragments(
        p.fn, m.pins, p.table, m.target, m.derivation.written_tables,
        key=f"coalesce({p.on(p.spec.key, 'x')}, '')",
        row=p.part.whole("x"),
        of_keys=p.rows_of("$1"),
        lock=[f"SELECT FROM {q.table.sql} x WHERE {q.rows_of('$1')} ORDER BY x.ctid FOR NO KEY UPDATE" for q in m.parts],
        own=f"g.{m.originals} ? {literal(p.name)}",
        meant=f"g.{key} = $1",
        remove=_remove(m, "ANY ($1)").rstrip(";"),
        remove_all=f"SELECT changeover.{m.fn}_apply(ARRAY({left_over} UNION {rejected}), {p.id})",
        apply=f"{m.fn}_apply",
        left_over=left_over,
        rejected=m.rejected(p, p.rows_of("$1"), 'unnest($3, $4) AS d ("#key", "#reason")'),
        park=_parked(m),
        **applied(
            m.frame, m.derivation, m.spec.key, rows=f"{m.fn}_new_rows", ahead=m.frame.is_ahead("g"),
            lost=_kept(m, "r.said", "r.stands"),
        ),
        **_dependents(m, p).fragments(),
        **merge_back.fragments(m, p),
    )  # fmt: skip


def _dependents(m: MergeMapping, p: MergePart) -> lookups.Dependents:
    """How the keys are found that depend on a looked-up row."""
    key = quote(m.spec.key)
    return lookups.Dependents(
        m.derivation,
        lambda name: m.match_over(name, p),
        table=p.table,
        part=p.part,
        mine=f"t.{m.originals} ? {literal(p.name)}",
        key=f"t.{key}",
        of_key=f't.{key} = "#k".key',
        place=p.place_of_first('"#k".key'),
        kept=f"coalesce(t.{m.originals} -> {literal(p.name)}, '{{}}')",
    )


def _touched(m: MergeMapping, part: MergePart, rows: str) -> str:
    """The keys that changed rows concern: their own, and those that claim the same unique value."""
    changed = f"({part.part.rows('true', rows)})"
    queries = [f"SELECT coalesce({part.spec.key}, '') AS key FROM {changed} s"]
    queries += [
        f"SELECT {part.spec.key} FROM (\n    {part.part.rows('true')}\n    ) s "
        f"WHERE ({claimed}) IN (SELECT {with_columns(claimed, 's', lambda column: f'c.{quote(column)}')} FROM {changed} c) "
        f"AND ({part.spec.valid})"
        for claimed in m.claims(part).values()
    ]
    return " UNION ALL ".join(queries)


def _unique(m: MergeMapping) -> list[str]:
    """The target's columns, the key aside, that only one row may have and that may be empty, quoted."""
    unique = {k[0] for k in m.target.unique_keys if len(k) == 1} - {m.spec.key}
    return [c.sql for c in m.derivation.compared if c.name in unique and not c.not_null]


def _release(m: MergeMapping) -> str:
    """Before a row takes a value that only one row may have, the row of this call that has it still gives it up."""
    key = quote(m.spec.key)
    found = [
        f"UPDATE {m.target.sql} g SET {column} = NULL\n"
        f'                WHERE g.{column} = v_row.{column} AND g.{key} <> v_row."#key" AND g.{key} = ANY (v_standing)\n'
        f"                  AND NOT {m.frame.is_ahead('g')};"
        for column in _unique(m)
    ]
    return "\n                ".join(found) or "-- (no such column)"


def _odd(m: MergeMapping) -> str:
    """Whether a key may have rejects: one stands there, or a source has another row than the one that speaks for it."""
    ids = ", ".join(str(p.id) for p in m.parts)
    rejects = f"EXISTS (SELECT FROM changeover.reject r WHERE r.source_id IN ({ids}) AND r.key = k.key)"
    rows = (
        f"(SELECT count(*) > 1 OR bool_or(({p.on(p.spec.valid, 'x')}) IS NOT TRUE) FROM {p.table.sql} x "
        f"WHERE {p.on(p.spec.key, 'x')} = k.key)"
        for p in m.parts
    )
    return "\n           OR ".join([rejects, *rows])


def _changed(m: MergeMapping) -> str:
    columns = [c for c in m.derivation.compared if c.name != m.spec.key]

    def record(alias: str) -> str:
        return ", ".join(f"{alias}.{c.sql}{'::text' if c.type in {'json', 'xml'} else ''}" for c in columns)

    return f"(({record('g')}) IS DISTINCT FROM ({record('v_row')}))"


def _kept(m: MergeMapping, said: str, stands: str) -> str:
    """The originals of each source as it is next to a row that is ahead: with what that row does not give back.

    The columns in which it is ahead may come from a source that has ended.
    """
    documents = []
    for p in m.parts:
        member = f"d.{m.originals} -> {literal(p.name)}"
        entries = lost(p.fn, said, stands)
        documents.append(
            f"CASE WHEN d.{m.originals} ? {literal(p.name)} "
            f"THEN jsonb_build_object({literal(p.name)}, ({member}) || {entries}) ELSE '{{}}'::jsonb END"
        )
    return "(" + " || ".join(documents) + ")"


def _when_gone(m: MergeMapping) -> str:
    given = {quote(c): e for c, e in m.spec.on_source_delete.items()}
    sets = [f"{c} = {e}" for c, e in given.items()] + [f"{c} = NULL" for c in _unique(m) if c not in given]
    return f"{', '.join(sets)}, {m.originals} = '{{}}'"


def _remove(m: MergeMapping, key: str) -> str:
    """Take away the row of a key that no source has any more; never a row that only the new side has."""
    where = f"WHERE g.{quote(m.spec.key)} = {key} AND g.{m.originals} <> '{{}}'"
    return (
        f"UPDATE {m.target.sql} g SET {_when_gone(m)} {where};"
        if m.spec.on_source_delete
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


def _orphans(m: MergeMapping, part: MergePart) -> str:
    key = quote(m.spec.key)
    return (
        f"RETURN QUERY SELECT t.{key}, 'orphan'::text, ARRAY[{literal(part.table.label)}], NULL::jsonb, "
        f"jsonb_build_object({literal(m.spec.key)}, t.{key})\n    FROM {m.target.sql} t\n"
        f"    WHERE {on_pages(m.target.sql, 't')} AND t.{m.originals} ? {literal(part.name)}\n"
        f"      AND NOT EXISTS (SELECT FROM (\n    {part.part.rows('true')}\n    ) s "
        f"WHERE {part.spec.key} = t.{key} AND ({part.spec.valid}));"
    )
