"""What a table that is changed in place becomes in the database: its functions and triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.mapping import in_place_fills, in_place_lookups, in_place_rules, types
from orchestrator.mapping.in_place_groups import initial, unlike
from orchestrator.mapping.objects import (
    LOCK_CLASS,
    DbObject,
    function,
    remove_from_target,
    rows_of_source,
    trigger,
    truncated,
)
from orchestrator.mapping.sqltext import literal, on_pages, render, statements, text_array

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.mapping.in_place import InPlaceTable
    from orchestrator.mapping.in_place_groups import Group

_KEYS = '"#keys"'
_SAID = "coalesce(current_setting('changeover.said', true), '') <> ''"


def functions(m: InPlaceTable) -> list[DbObject]:
    """Every function of the table."""
    return [*_relations(m), *_mirror(m), *in_place_lookups.functions(m), *_work(m), *_looking(m)]


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


# -- the mirror ----------------------------------------------------------------------------------


def _mirror(m: InPlaceTable) -> list[DbObject]:
    """What the triggers call."""
    common, table = _common(m), m.table.sql
    key_of = {"key_of_old": m.key_text("OLD"), "key_of_new": m.key_text("NEW")}
    made = [
        function(f"{m.fn}_before", render(
            "in_place_before.sql", **common, id=str(m.id), key_of_new=key_of["key_of_new"],
            given=", ".join(_given(g) for g in m.groups), computed=_computed(m.groups), required=_required(m),
            reverse="\n        ".join(_reverse(m, g) for g in m.groups if g.old) or "NULL;",
            derives=" OR ".join(f"({_derives(g)}{'' if g.old else f' OR v_given[{g.number}]'})" for g in m.groups),
            forward="\n            ".join(_forward(g) for g in m.groups),
            give_up="\n        ".join(_give_up(g) for g in m.groups), exempt=in_place_rules.names_of_new(m),
        ), "", "computes the columns of the other side"),
        function(f"{m.fn}_create", render(
            "in_place_create.sql", **common, table=table, own=literal(m.own),
            create=statements(m.derivation.creation_statements(_call(m, "new_rows_of", '"#new"'))),
        ), table, "rows that the lookups miss"),
        function(f"{m.fn}_after", render("in_place_after.sql", **common, **key_of, id=str(m.id), kept=in_place_fills.kept(m, key_of)), "",
                 "what waits until the row is stored"),
    ]  # fmt: skip
    if m.restless:
        ours = "\n    ".join(f"v_row.{c.sql} := NEW.{c.sql};" for c in (*m.written, *m.old, *in_place_rules.named(m)))
        text = render("in_place_quiet.sql", **common, table=table, ours=ours)
        made.append(function(f"{m.fn}_quiet", text, "", "keeps our own updates from changing more"))
    return made


def _given(group: Group) -> str:
    """Whether the application has changed the new columns; a foreign key that sets them NULL is not the application."""
    if group.where is not None:
        return "false"
    changed = f"CASE WHEN v_inserts THEN NOT {group.open('NEW')} ELSE {unlike(group.new, 'NEW', 'OLD')} END"
    return f"v_applied AND {changed} AND NOT (pg_trigger_depth() > 1 AND {group.open('NEW')})"


def _derives(group: Group) -> str:
    """Whether the new columns are to be computed."""
    if group.where is not None:
        return group.open("NEW")
    changed = f"(NOT v_given[{group.number}] AND (v_inserts OR {group.reads_other('NEW', 'OLD')}))"
    return changed if group.reads is not None else f"{group.open('NEW')} OR {changed}"


def _computed(groups: Iterable[Group]) -> str:
    """What the trigger asks of the derived row ``d``; the rest of it is then not even computed."""
    return ", ".join([*(f"d.{c.sql}" for g in groups for c in g.new), 'd."#unresolved"'])


def _required(m: InPlaceTable) -> str:
    names = [c.name for c in m.written if m.spec.rules[c.name].required]
    if not names:
        return "-- (no column is required)"
    test = f"a.attrelid = TG_RELID AND a.attnotnull AND a.attname = ANY ({text_array(names)})"
    return f"IF EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE {test}) THEN\n            RAISE;\n        END IF;"


def _reverse(m: InPlaceTable, group: Group) -> str:
    """The old columns follow the new ones; where the application has changed them too, that is noted."""
    n = group.number
    changed = " OR ".join(
        f"(CASE WHEN v_inserts THEN {types.unlike(c, f'NEW.{c.sql}', initial(c))} "
        f"ELSE {types.unlike(c, f'NEW.{c.sql}', f'OLD.{c.sql}')} END)"
        for c in group.old
    )
    noted = " || ".join(
        f"CASE WHEN {types.unlike(c, f'NEW.{c.sql}', f'v_old.{c.sql}')} "
        f"THEN jsonb_build_object({literal(c.name)}, NEW.{c.sql}::text) ELSE '{{}}'::jsonb END"
        for c in group.old
    )
    stored = " ".join(f"NEW.{c.sql} := v_old.{c.sql};" for c in group.old)
    return (
        f"IF v_given[{n}] THEN\n"
        f"            SELECT o.* INTO v_old FROM changeover.{m.fn}_old_row_of(NEW) o;\n"
        f"            IF {changed} THEN\n"
        f"                -- Both sides are given. Where the old one says the same, in whatever spelling, it stays.\n"
        f"                SELECT {_computed([group])} INTO v_new FROM changeover.{m.fn}_new_rows_of(NEW) d;\n"
        f"                v_given[{n}] := {unlike(group.new, 'v_new', 'NEW')};\n"
        f"                IF v_given[{n}] THEN\n"
        f"                    v_diverged := v_diverged || {noted};\n"
        f"                END IF;\n"
        f"            END IF;\n"
        f"            IF v_given[{n}] THEN\n"
        f"                {stored}\n"
        f"            END IF;\n"
        f"        END IF;"
    )


def _forward(group: Group) -> str:
    """The new columns follow the old ones."""
    stored = " ".join(f"NEW.{c.sql} := v_new.{c.sql};" for c in group.new)
    kept = ""
    if group.where is not None:
        differ = unlike(group.new, "v_new", "NEW")
        filled = in_place_fills.originals(group.new, "NEW", "v_new")
        stored = (
            f"IF {differ} THEN\n"
            f"                    v_said := v_said || jsonb_build_object('filled', {filled});\n"
            f"                    {stored}\n                END IF;"
        )
    elif not group.old:
        noted = " || ".join(f"jsonb_build_object({literal(c.name)}, NEW.{c.sql}::text)" for c in group.new)
        kept = (
            f"            ELSIF v_given[{group.number}] AND {unlike(group.new, 'v_new', 'NEW')} THEN\n"
            f"                v_diverged := v_diverged || {noted};\n"
        )
    return f"IF {_derives(group)} THEN\n                {stored}\n{kept}            END IF;"


def _give_up(group: Group) -> str:
    """What could not be computed is left as if nobody had tried, and waits."""
    reset = " ".join(f"NEW.{c.sql} := {initial(c)};" for c in group.new if group.where is None)
    later = (
        f"IF {_derives(group)} THEN\n            {reset}\n"
        "            v_said := v_said || jsonb_build_object('forward', SQLSTATE);\n        END IF;"
    )
    if not group.old:
        return later
    least = " ".join(
        f"NEW.{c.sql} := coalesce(NEW.{c.sql}, ({types.emptiest(c.type) or 'NULL'})::{c.sql_type});"
        for c in group.old
        if c.not_null
    )
    return (
        f"IF v_given[{group.number}] AND NOT {group.open('NEW')} THEN\n            {least}\n"
        f"            v_said := v_said || jsonb_build_object('reverse', SQLSTATE);\n        ELS{later}"
    )


def triggers(m: InPlaceTable) -> list[DbObject]:
    """The mirror's triggers. Each has a condition that the server asks before it calls any function."""
    table, execute = m.table.sql, f"EXECUTE FUNCTION changeover.{m.fn}_"
    foreign = f"current_setting('changeover.origin', true) IS DISTINCT FROM {literal(m.own)}"
    read = dict.fromkeys([*(c for g in m.groups for c in (*g.read, *g.old, *g.new)), *in_place_rules.read(m)])
    waiting = [g for g in m.groups if g.reads is None]
    opened = {row: "(" + (" OR ".join(g.open(row) for g in waiting) or "false") + ")" for row in ("OLD", "NEW")}
    touched = f"({unlike(read, 'OLD', 'NEW')} OR {opened['NEW']})"
    made = [
        ("bi", "BEFORE INSERT", foreign, "before", "computes the other side of a new row"),
        ("bu", "BEFORE UPDATE", f"{touched} AND {foreign}", "before", "computes the other side of a change"),
        ("ai", "AFTER INSERT", f"({opened['NEW']} OR {_SAID}) AND {foreign}", "after", "rejects of a new row"),
        ("au", "AFTER UPDATE", f"({opened['OLD']} OR {opened['NEW']} OR {_SAID}) AND {foreign}", "after",
         "rejects of a changed row"),
        ("ad", "AFTER DELETE", "true" if m.fills else opened["OLD"], "after", "rejects of a deleted row"),
    ]  # fmt: skip
    if m.fills:
        kept = f"{unlike((*m.written, *m.key), 'OLD', 'NEW')} AND {foreign}"
        made[3] = ("au", "AFTER UPDATE", f"({made[3][2]}) OR ({kept})", "after", made[3][4])
    if m.restless:
        ours = f"current_setting('changeover.origin', true) = {literal(m.own)}"
        made.append(("bq", "BEFORE UPDATE", ours, "quiet", "keeps our own updates from changing more"))
    prefix = in_place_fills.prefix(m.id)
    by_row = [
        trigger(f"{prefix}_{word}", table, event, f"FOR EACH ROW WHEN ({condition}) {execute}{verb}()", doc, owner=m.fn)
        for word, event, condition, verb, doc in made
    ]
    return [*by_row, truncated(f"{prefix}_at", table, m.fn), *in_place_lookups.triggers(m)]


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
        rows_of_source(m.fn, m.pins, m.table, key=m.key_text("x"), row="to_jsonb(x.*)", of_keys=m.rows_of(_KEYS)),
        remove_from_target(m.fn, m.pins, (
            'IF "#keys" IS NULL THEN\n'
            f"        DELETE FROM changeover.diverged g WHERE g.source_id = {m.id};\n"
            f"        DELETE FROM changeover.filled g WHERE g.source_id = {m.id};\n    END IF;")),
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


def _looking(m: InPlaceTable) -> list[DbObject]:
    """Comparison and counts."""
    common, table, place = _common(m), m.table.sql, {"id": str(m.id), "key": m.key_text("x")}
    by_pages = _call(m, "new_rows_on_pages", '"#from", "#to"')
    different = ", ".join(
        [
            *(f'CASE WHEN d."#differs{g.number}" THEN {literal(c.name)} END' for g in m.groups for c in g.new),
            *(f'CASE WHEN d."#unnamed" THEN {literal(c.name)} END' for c in in_place_rules.named(m)),
        ]
    )
    whole = f"x{m.mapping_id}"
    return [
        function(f"{m.fn}_compared", render(
            "in_place_compared.sql", **common, **place, table=table, by_pages=by_pages, reasons=_reasons(m),
            compares='d."#differs"' if not any(r.insert_only for r in m.spec.rules.values()) else "false",
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
