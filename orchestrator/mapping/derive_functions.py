"""What a derive becomes in the database: the functions of each source, those of the whole, triggers on the sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import columns_of
from orchestrator.mapping.derive import ITEM, LEFT_OUT, digest
from orchestrator.mapping.fragments import fragments
from orchestrator.mapping.objects import (
    LOCK_CLASS,
    DbObject,
    dependents,
    forward_mirror,
    function,
    mirror_triggers,
    oids,
    plain_forward,
    trigger,
)
from orchestrator.mapping.relations import NewRows, call, new_rows
from orchestrator.mapping.sqltext import literal, on_pages, render, text_array
from orchestrator.mapping.types import COMPARED_AS_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestrator.mapping.catalog import Column
    from orchestrator.mapping.derive import DeriveSource

_KEYS = '"#keys"'


def functions(s: DeriveSource) -> list[DbObject]:
    """Every function of a source."""
    ways = [
        NewRows("new_rows_on_pages", '"#from" tid, "#to" tid', "tid, tid", s.derive(on_pages(s.table.sql))),
        NewRows("new_rows_at", '"#places" tid[]', "tid[]", s.derive('x.ctid = ANY ("#places")')),
        NewRows("new_rows", '"#keys" text[]', "text[]", s.derive(s.rows_of(_KEYS))),
        NewRows("new_rows_all", "", "", s.derive("true")),
    ]
    return [*new_rows(s.fn, s.derivation, ways), *_forward(s), *_looking(s), *_watching(s)]


def _common(s: DeriveSource) -> dict[str, str]:
    return {"fn": s.fn, "pins": s.pins, "id": str(s.id)}


def _forward(s: DeriveSource) -> list[DbObject]:
    """Batch, mirror, drain: from the source to the target."""
    common, lock, forward = _common(s), {"lock": f"{LOCK_CLASS}, {s.id}"}, literal(s.forward)
    by_keys, written = call(s.fn, "new_rows", _KEYS), oids(s.derivation.written_tables)
    reject = {"label": literal(s.table.label), "stage": literal(s.stage)}
    stored = {c.sql: f"w.{c.sql}" for c in s.derivation.written}
    if s.drawn:
        stored = {s.target_key[0].sql: 'w."#id"', **stored}
    store = {
        "target": s.target.sql,
        "next_key": s.next_key,
        "item": s.item_of("w"),
        "id_of": s.id_of("g"),
        "columns": ", ".join(stored),
        "derived_columns": ", ".join(stored.values()),
        "paired": s.paired("m", "d"),
        "digest": digest("g"),
        "left_out": literal(LEFT_OUT),
    }
    place = {"target": s.target.sql, "of_pair": s.of_pair("m"), "digest": digest("g")}
    return [
        function(f"{s.fn}_batch", render(
            "derive_batch.sql", **common, **lock, **store, **reject, forward=forward, written=written, source=s.table.sql,
            by_pages=call(s.fn, "new_rows_on_pages", '"#from", "#to"'), steady=text_array(s.derivation.steady_reasons),
        ), "bigint, bigint", "one batch of pages"),
        function(f"{s.fn}_remove", render(
            "derive_remove.sql", **common, **place,
        ), "text[], text[]", "derived rows that the application has not changed"),
        function(f"{s.fn}_apply", render(
            "derive_apply.sql", **common, **store, **reject, forward=forward, by_keys=by_keys,
            still_wanted=_still_wanted(s, by_keys), follow=_follow(s, by_keys),
            once="true" if s.spec.once else "false",
        ), "text[]", "make the target what the source says"),
        fragments(
            s.fn, s.pins, s.table, s.target, s.derivation.written_tables,
            key=s.key_of_row,
            row=s.part.whole("x"),
            of_keys=s.rows_of("$1"),
            lock=[f"SELECT FROM {s.table.sql} x WHERE {s.rows_of('$1')} ORDER BY x.{s.key.sql} FOR NO KEY UPDATE"],
            remove=f"SELECT changeover.{s.fn}_remove($1)",
            remove_all=f"SELECT changeover.{s.fn}_remove(NULL)",
            left_over=f"SELECT DISTINCT m.key FROM changeover.key_map m WHERE m.source_id = {s.id}",
        ),
        *dependents(s.fn, s.pins, _dependents(s)),
        plain_forward(s.fn, s.derivation.written_tables, id=str(s.id), reverse=literal(f"m{s.id}:r")),
        forward_mirror(
            s.fn, s.table, pins=s.pins, id=str(s.id),
            keys_of_new=f"SELECT {s.key_of_row} AS key FROM new_rows x",
            keys_of_old=f"SELECT {s.key_of_row} AS key FROM old_rows x",
        ),
    ]  # fmt: skip


def _still_wanted(s: DeriveSource, by_keys: str) -> str:
    """Whether a pair ``m`` keeps its row: once made, as long as its source row exists; else while it is derived."""
    if s.spec.once:
        return f"EXISTS (SELECT FROM {s.table.sql} x WHERE {s.rows_of('ARRAY[m.key]')})"
    item = s.item_of("d")
    return f'(m.key, m.item) IN (SELECT d."#key", {item} FROM (\n{by_keys}\n        ) d WHERE d."#reason" IS NULL)'


def _follow(s: DeriveSource, by_keys: str) -> str:
    """The UPDATE of derived rows that the application has not changed."""
    compared = _followed(s)
    if s.spec.once or not compared:
        return "-- (once made, a row is not computed again)"
    return render(
        "derive_follow.sql",
        id=str(s.id),
        target=s.target.sql,
        by_keys=by_keys,
        paired=s.paired("m", "w"),
        of_pair=s.of_pair("m"),
        digest=digest("g"),
        update_set=", ".join(f"{c.sql} = w.{c.sql}" for c in compared),
        differs=" OR ".join(_differs(c.sql, c.type, "w") for c in compared),
    )


def _followed(s: DeriveSource) -> list[Column]:
    """The columns that follow; a derived key does not: with another key it is another row."""
    return [] if s.spec.once else [c for c in s.derivation.compared if c.name not in s.spec.target_key]


def _differs(column: str, kind: str, alias: str) -> str:
    cast = "::text" if kind in COMPARED_AS_TEXT else ""
    return f"{alias}.{column}{cast} IS DISTINCT FROM g.{column}{cast}"


def _looking(s: DeriveSource) -> list[DbObject]:
    """Comparison and counts."""
    tests = {c.name: _differs(c.sql, c.type, "d") for c in _followed(s)}
    whole = f"""r."row" = d."#row" - {literal(ITEM)}""" if s.spec.target_key else "false"
    stale = f'd."#key" IN (SELECT r.key FROM changeover.reject r WHERE r.source_id = {s.id} AND r.id > 0)'
    place = {
        "target": s.target.sql,
        "of_pair": s.of_pair("m"),
        "digest": digest("g"),
        "by_pages": call(s.fn, "new_rows_on_pages", '"#from", "#to"'),
        "keys_of_rows": s.keys_of_rows,
    }
    paired = s.paired("m", "d")
    items = render(
        "derive_compare_items.sql",
        **place,
        id=str(s.id),
        paired=paired,
        item=s.item_of("d"),
        an_item=literal(ITEM),
        on_pages=on_pages(s.table.sql),
    )
    return [
        function(f"{s.fn}_compared", render(
            "derive_compare.sql", **_common(s), **place, left_out=literal(LEFT_OUT), of_whole_row=whole,
            paired=f'{paired} AND d."#reason" IS NULL' if s.spec.target_key else paired,
            once="true" if s.spec.once else "false", stale="false" if s.spec.target_key else stale,
            items=items if s.spec.target_key else "-- (one row each)",
            differs="\n                    OR ".join(tests.values()) or "false",
            different_columns=", ".join(f"CASE WHEN {t} THEN {literal(n)} END" for n, t in tests.items()),
        ), "tid, tid, boolean", "compare rows with the target"),
        function(f"{s.fn}_count", _counting(s), "", "rows that count, rows there, rejects"),
    ]  # fmt: skip


def _counting(s: DeriveSource) -> str:
    exempt = s.spec.exempt_column
    common = {
        **_common(s),
        "target": s.target.sql,
        "of_pair": s.of_pair("m"),
        "by_all": call(s.fn, "new_rows_all", ""),
        "by_place": call(s.fn, "new_rows_at", "ARRAY[v_row.place]"),
        "is_exempt": f"g.{quote(exempt)} <> '{{}}'" if exempt else "false",
    }
    if not s.spec.target_key:
        left_out = literal(LEFT_OUT)
        return render("derive_count.sql", **common, source=s.table.sql, left_out=left_out, keys_of_rows=s.keys_of_rows)
    whole = f"""r.key = d."#key" AND NOT r."row" ? {literal(ITEM)}"""
    counts = (
        f'd."#reason" IS DISTINCT FROM {literal(LEFT_OUT)}\n'
        f"            AND NOT EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = {s.id} AND {whole} OFFSET 0)"
    )
    return render("derive_count_items.sql", **common, paired=s.paired("m", "d"), counts=counts, an_item=literal(ITEM))


# -- lookups that change ---------------------------------------------------------------------------


def _watched(s: DeriveSource) -> Iterator[tuple[str, str]]:
    """The lookups whose rows a derived row follows, each with the name of the function that notes a change."""
    for number, name in enumerate(s.spec.lookups):
        if not s.spec.once:
            yield name, f"{s.fn}_lookup{number}"


def _watching(s: DeriveSource) -> list[DbObject]:
    made = []
    for name, fn in _watched(s):
        texts = [each.text for each in s.spec.expressions()]
        read = {c for text in texts for c in columns_of(text, name)} & s.lookup_tables[name].by_name.keys()
        row = ", ".join(sorted(quote(column) for column in read)) or quote(s.spec.lookups[name].key)
        text = render("derive_lookup.sql", fn=fn, pins=s.pins, id=str(s.id), lookup=literal(name), read=row)
        made.append(function(fn, text, "", f"what is derived from {s.lookup_tables[name].label}"))
    return made


def _dependents(s: DeriveSource) -> Iterator[str]:
    """The keys that a noted change ``p_note`` is about; the join is as the plan has it."""
    names = list(s.spec.lookups)
    for name, _ in _watched(s):
        earlier = names[: names.index(name)]
        joins = "".join(
            f"\nLEFT JOIN {s.lookup_tables[n].sql} {quote(n)} ON {s.spec.lookups[n].match}" for n in earlier
        )
        table = s.lookup_tables[name].sql
        yield (
            f"IF p_note ->> 'lookup' = {literal(name)} THEN\n"
            f"        RETURN QUERY SELECT DISTINCT coalesce(s.\"#key\", '') FROM {s.rows('true')}{joins}\n"
            f"        JOIN jsonb_populate_recordset(NULL::{table}, p_note -> 'rows') {quote(name)} "
            f"ON {s.spec.lookups[name].match};\n    END IF;"
        )


def triggers(s: DeriveSource) -> list[DbObject]:
    """The mirror's triggers; their names sort behind those of other mappings, whose rows may be looked up."""
    made = list(mirror_triggers("c", s.id, s.table.sql))
    for name, fn in _watched(s):
        table = s.lookup_tables[name].sql
        for word, event, rows in (
            ("ins", "INSERT", "NEW TABLE AS new_rows"),
            ("upd", "UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
            ("del", "DELETE", "OLD TABLE AS old_rows"),
        ):
            body = f"REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION changeover.{fn}()"
            made.append(
                trigger(f"changeover_{fn}_{word}", table, f"AFTER {event}", body, "lookup that is followed", owner=s.fn)
            )
    return made


def whole(sources: Sequence[DeriveSource]) -> tuple[list[DbObject], list[DbObject]]:
    """The objects of the whole mapping: (functions, no triggers on the target)."""
    first = sources[0]
    fn = f"x{first.mapping_id}"
    common = {"fn": fn, "pins": first.pins, "target": first.target.sql}
    take_back = render(
        "derive_take_back.sql",
        **common,
        ids=", ".join(str(s.id) for s in sources),
        of_pair=first.of_pair("m"),
        digest=digest("g"),
        label=literal(first.target.label),
        mapping=literal(first.spec.label),
    )
    made = [
        function(f"{fn}_orphans", render("orphans.sql", **common, searches="NULL;"), "bigint, bigint", "none"),
        function(f"{fn}_take_back", take_back, "integer", "the derived rows out of the target"),
    ]
    return made, []
