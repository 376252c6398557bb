"""What a table that is changed in place becomes in the database: its functions. See `in_place_mirror` for the triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.mapping import in_place_fills, in_place_lookups, in_place_mirror, in_place_rules
from orchestrator.mapping.fragments import fragments
from orchestrator.mapping.frame import uses
from orchestrator.mapping.objects import (
    LOCK_CLASS,
    DbObject,
    function,
)
from orchestrator.mapping.sqltext import literal, on_pages, render, statements

if TYPE_CHECKING:
    from orchestrator.mapping.in_place import InPlaceTable
    from orchestrator.mapping.in_place_groups import Group

_KEYS = '"#keys"'


def functions(m: InPlaceTable) -> list[DbObject]:
    """Every function of the table."""
    return [*_relations(m), *in_place_mirror.functions(m), *in_place_lookups.functions(m), *_work(m), *_looking(m)]


def _relations(m: InPlaceTable) -> list[DbObject]:
    """The one derivation, by pages, by keys and of a value; and the way back of a value."""
    row = 'SELECT ("#new").*, NULL::tid AS "#ctid"'
    forward = [
        ("new_rows_on_pages", '"#from" tid, "#to" tid', "tid, tid", m.select(m.rows(m.on_pages))),
        ("new_rows", '"#keys" text[]', "text[]", m.select(m.rows(m.rows_of(_KEYS)))),
        ("new_rows_of", f'"#new" {m.table.sql}', m.table.sql, m.select_one(row)),
    ]
    signatures = (m.signature, m.signature, m.signature_of_one)
    ways = [(*way, what, "what the old columns say") for way, what in zip(forward, signatures, strict=True)]
    if m.old:
        back = f'SELECT o.* FROM (SELECT ("#new").*) t CROSS JOIN LATERAL ({m.old_row}) o'
        ways.append(("old_row_of", forward[2][1], m.table.sql, back, m.old_signature, "what the new columns say"))
    return [
        function(
            f"{m.fn}_{name}",
            render("new_rows.sql", fn=f"{m.fn}_{name}", arguments=arguments, signature=signature, derived=text),
            kinds,
            doc,
        )
        for name, arguments, kinds, text, signature, doc in ways
    ]


def _call(m: InPlaceTable, name: str, arguments: str) -> str:
    return f"SELECT r.* FROM changeover.{m.fn}_{name}({arguments}) r"


def _common(m: InPlaceTable) -> dict[str, str]:
    return {"fn": m.fn, "pins": m.pins}


def _identity(m: InPlaceTable) -> dict[str, str]:
    return {"id": str(m.id), "label": literal(m.table.label), "stage": literal(m.stage)}


# -- batches, queue, comparison ------------------------------------------------------------------


def _set(m: InPlaceTable, *, fills: bool) -> str:
    """SET of an UPDATE of ``g`` from the derived row ``d``: only groups that are not as they are to be."""
    parts = []
    for g in m.groups:
        test = f'd."#differs{g.number}"' + (f' AND d."#open{g.number}"' if fills else "")
        parts += [f"{c.sql} = CASE WHEN {test} THEN d.{c.sql} ELSE g.{c.sql} END" for c in g.new]
    parts += [f"{c.sql} = d.{c.sql}" for c in in_place_rules.named(m)]
    return ", ".join(parts)


def _reasons(m: InPlaceTable) -> str:
    """VALUES of what each group is rejected for."""
    return ", ".join(
        f'(d."#reason{g.number}", {literal(", ".join(c.name for c in g.new))}::text, d."#open{g.number}")'
        for g in m.groups
    )


def _work(m: InPlaceTable) -> list[DbObject]:
    """Batch, drain, repair."""
    common, reject, table = _common(m), _identity(m), m.table.sql
    lock, own = {"lock": f"{LOCK_CLASS}, {m.id}"}, literal(m.own)
    by_keys, by_pages = _call(m, "new_rows", _KEYS), _call(m, "new_rows_on_pages", '"#from", "#to"')
    locked = {"table": table, "own": own, "rows_of_keys": m.rows_of(_KEYS)}
    locked["key_columns"] = ", ".join(f"x.{c.sql}" for c in m.key)
    return [
        function(f"{m.fn}_judge", render(
            "in_place_judge.sql", **common, **reject, table=table, by_keys=by_keys, reasons=_reasons(m),
        ), "text[]", "the rejects of these keys"),
        function(f"{m.fn}_sync", render(
            "in_place_sync.sql", **common, **locked, id=str(m.id), by_keys=by_keys, set=_set(m, fills=False), recorded=in_place_fills.by_key(m),
            create=statements(m.derivation.creation_statements(by_keys)),
        ), "text[]", "make both sides of these rows agree"),
        function(f"{m.fn}_sync_reverse", render("in_place_sync_reverse.sql", **common, **locked, update=_told_back(m)),
                 "text[]", "the old columns as the new ones say"),
        fragments(
            m.fn, m.pins, m.table, m.table, [],
            sync_reverse=True,
            key=m.key_text("x"),
            row="to_jsonb(x.*)",
            of_keys=m.rows_of("$1"),
            remove_all=(
                f"WITH told AS (DELETE FROM changeover.diverged g WHERE g.source_id = {m.id}) "
                f"DELETE FROM changeover.filled g WHERE g.source_id = {m.id}"
            ),
        ),
        function(f"{m.fn}_batch", render(
            "in_place_batch.sql", **common, **lock, id=str(m.id), own=own, table=table, by_pages=by_pages,
            set=_set(m, fills=True), on_pages=on_pages(table), key=m.key_text("x"), rows_of_aside=m.rows_of("v_aside"),
            recorded=in_place_fills.together(m),
        ), "bigint, bigint", "one batch of pages"),
        *in_place_lookups.hanging(m),
        *in_place_fills.functions(m),
    ]  # fmt: skip


def _told_back(m: InPlaceTable) -> str:
    if not m.old:
        return "-- (no column has a way back)"
    groups = [g for g in m.groups if g.old]
    sets = ", ".join(
        f'{c.sql} = CASE WHEN d."#differs{g.number}" THEN o.{c.sql} ELSE g.{c.sql} END' for g in groups for c in g.old
    )
    return (
        f"UPDATE {m.table.sql} g SET {sets}\n    FROM ({_call(m, 'new_rows', _KEYS)}) d\n"
        f'    JOIN {m.table.sql} h ON h.ctid = d."#ctid"\n'
        f"    CROSS JOIN LATERAL changeover.{m.fn}_old_row_of(h) o\n"
        f'    WHERE g.ctid = d."#ctid" AND d."#differs";'
    )


def _unmade(m: InPlaceTable, group: Group) -> str:
    """Whether new columns of a derived row ``d`` wait for a row that a lookup is to make: both sides say nothing, and agree."""
    if group.reads is not None:
        return "false"  # NULL may be what the new version has written
    used = (n for n in m.derivation.creating if any(uses(m.spec.rules[c.name].expression, n) for c in group.new))
    missing = [f"d.{quote(f'{name}#missing')}" for name in used]
    return f'(d."#open{group.number}" AND ({" OR ".join(missing)}))' if missing else "false"


def _looking(m: InPlaceTable) -> list[DbObject]:
    """Comparison and counts."""
    common, table, place = _common(m), m.table.sql, {"id": str(m.id), "key": m.key_text("x")}
    by_pages = _call(m, "new_rows_on_pages", '"#from", "#to"')
    # What is computed once may be computed from rows that say something else by now.
    compared = [g for g in m.groups if not any(m.spec.rules[c.name].insert_only for c in g.new)]
    unlike = [*(f'd."#differs{g.number}"' for g in compared), *('d."#unnamed"' for _ in in_place_rules.named(m))]
    unmade = {g.number: _unmade(m, g) for g in compared}
    different = ", ".join(
        [
            *(
                f'CASE WHEN d."#differs{g.number}" OR {unmade[g.number]} THEN {literal(c.name)} END'
                for g in compared
                for c in g.new
            ),
            *(f'CASE WHEN d."#unnamed" THEN {literal(c.name)} END' for c in in_place_rules.named(m)),
        ]
    )
    whole = f"x{m.mapping_id}"
    return [
        function(f"{m.fn}_compared", render(
            "in_place_compared.sql", **common, **place, table=table, by_pages=by_pages, reasons=_reasons(m),
            compares=f"({' OR '.join(unlike or ['false'])})",
            unmade=f"({' OR '.join(unmade.values() or ['false'])})",
            different_columns=different,
            expected=", ".join(f"{literal(c.name)}, d.{c.sql}" for c in (*m.written, *in_place_rules.named(m))),
            actual=", ".join(f"{literal(c.name)}, g.{c.sql}" for c in (*m.written, *m.old, *in_place_rules.named(m))),
        ), "tid, tid, boolean", "compare both sides of rows"),
        function(f"{m.fn}_count", render("in_place_count.sql", **common, **place, table=table,
            is_exempt=in_place_rules.has_names(m, "x")), "",
                 "rows, computed rows, rejects"),
        function(f"{whole}_orphans", render(
            "orphans.sql", fn=whole, pins=m.pins, target=table, searches="-- (no row is of another table)",
        ), "bigint, bigint", "rows of the target whose source row is missing"),
    ]  # fmt: skip
