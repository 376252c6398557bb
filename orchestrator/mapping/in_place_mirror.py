"""The mirror of a table that is changed in place: its triggers, and what they call.

What is told back has a block of its own in the first trigger: an error there (an overflow, a text that is no date) leaves
the old columns as they are, and keeps nothing else of the row from being computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.mapping import in_place_fills, in_place_lookups, in_place_rules, types
from orchestrator.mapping.in_place_groups import initial, unlike
from orchestrator.mapping.objects import DbObject, function, trigger, truncated
from orchestrator.mapping.sqltext import literal, render, statements, text_array

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.mapping.in_place import InPlaceTable
    from orchestrator.mapping.in_place_groups import Group

_SAID = "current_setting('changeover.said', true) <> ''"


def functions(m: InPlaceTable) -> list[DbObject]:
    """What the triggers call."""
    common, table = {"fn": m.fn, "pins": m.pins}, m.table.sql
    key_of = {"key_of_old": m.key_text("OLD"), "key_of_new": m.key_text("NEW")}
    made = [
        function(f"{m.fn}_before", render(
            "in_place_before.sql", **common, id=str(m.id), key_of_new=key_of["key_of_new"],
            given=", ".join(_given(g) for g in m.groups), copying=_copying(m), computed=_computed(m.groups), required=_required(m),
            reverse="\n        ".join(_reverse(m, g) for g in m.groups if g.old) or "NULL;",
            derives=" OR ".join(f"({_derives(g)}{'' if g.old else f' OR v_given[{g.number}]'})" for g in m.groups),
            forward="\n            ".join(_forward(g) for g in m.groups), rejected=_rejected(m, key_of["key_of_old"]),
            give_up="\n        ".join(_give_up(g) for g in m.groups), exempt=in_place_rules.names_of_new(m),
        ), "", "computes the columns of the other side"),
        function(f"{m.fn}_create", render(
            "in_place_create.sql", **common, table=table, own=literal(m.own),
            create=statements(m.derivation.creation_statements(f'SELECT r.* FROM changeover.{m.fn}_new_rows_of("#new") r')),
        ), table, "rows that the lookups miss"),
        function(f"{m.fn}_after", render(
            "in_place_after.sql", **common, **key_of, id=str(m.id), kept=in_place_fills.kept(m, key_of), unconcerned=_unconcerned(m, key_of["key_of_old"]),
        ), "",
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
    return f"{group.open('NEW')}{' AND v_copying' if group.reads is not None else ''} OR {changed}"


def _copying(m: InPlaceTable) -> str:
    """Ask whether a row that no batch may have come by yet has columns that its write says nothing of: a write may move it.

    What is computed again only where something changes may be NULL for good, so that being NULL tells nothing afterwards.
    A statement of its own: an expression with a query in it is planned and executed whole, also where it need not be asked.
    """
    opened = " OR ".join(g.open("NEW") for g in m.groups if g.reads is not None)
    still = f"SELECT FROM changeover.source z WHERE z.id = {m.id} AND z.state NOT IN ('copied', 'archived')"
    if not opened:
        return "-- (no column says what it reads)"
    return f"IF {opened} THEN\n        v_copying := EXISTS ({still});\n    END IF;"


def _computed(groups: Iterable[Group]) -> str:
    """What the trigger asks of the derived row ``d``; the rest of it is then not even computed."""
    return ", ".join([*(f"d.{c.sql}" for g in groups for c in g.new), 'd."#unresolved"'])


def _required(m: InPlaceTable) -> str:
    required = [(g, [c.name for c in g.new if m.spec.rules[c.name].required]) for g in m.groups]
    tests = [f"(({_derives(g)}) AND a.attname = ANY ({text_array(names)}))" for g, names in required if names]
    if not tests:
        return "-- (no column is required)"
    test = f"a.attrelid = TG_RELID AND a.attnotnull AND ({' OR '.join(tests)})"
    return f"IF EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE {test}) THEN\n            RAISE;\n        END IF;"


def _opened(m: InPlaceTable, row: str) -> str:
    """Whether a row has new columns that wait to be computed."""
    return "(" + (" OR ".join(g.open(row) for g in m.groups if g.reads is None) or "false") + ")"


def _is_rejected(m: InPlaceTable, key: str) -> str:
    return f"EXISTS (SELECT FROM changeover.reject r WHERE r.source_id = {m.id} AND r.key = {key})"


def _rejected(m: InPlaceTable, key: str) -> str:
    """A row that is rejected for its way back is looked at again, whichever version has written it."""
    if not m.old:
        return "-- (no column has a way back)"
    return (
        f"IF NOT v_inserts AND NOT {_opened(m, 'OLD')} THEN\n        IF {_is_rejected(m, key)} THEN\n"
        "            v_said := v_said || jsonb_build_object('forward', 'rejected');\n        END IF;\n    END IF;"
    )


def _unconcerned(m: InPlaceTable, key: str) -> str:
    """A row that is computed, and rejected for nothing, goes without a word."""
    if not m.old:
        return "-- (no column has a way back)"
    return (
        f"IF TG_OP = 'DELETE' AND NOT {_opened(m, 'OLD')} AND NOT {_is_rejected(m, key)} THEN\n"
        "        RETURN NULL;\n    END IF;"
    )


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
    least = " ".join(
        f"NEW.{c.sql} := coalesce(NEW.{c.sql}, ({types.emptiest(c.type) or 'NULL'})::{c.sql_type});"
        for c in group.old
        if c.not_null
    )
    asked = ", ".join(f"o.{c.sql}" for c in group.old)
    return (
        f"IF v_given[{n}] THEN\n"
        f"            BEGIN\n"
        f"                SELECT {asked} INTO v_old FROM changeover.{m.fn}_old_row_of(NEW) o;\n"
        f"                IF {changed} THEN\n"
        f"                    -- Both sides are given. Where the old one says the same, in whatever spelling, it stays.\n"
        f"                    SELECT {_computed([group])} INTO v_new FROM changeover.{m.fn}_new_rows_of(NEW) d;\n"
        f"                    v_given[{n}] := {unlike(group.new, 'v_new', 'NEW')};\n"
        f"                    IF v_given[{n}] THEN\n"
        f"                        v_diverged := v_diverged || {noted};\n"
        f"                    END IF;\n"
        f"                END IF;\n"
        f"                IF v_given[{n}] THEN\n"
        f"                    {stored}\n"
        f"                END IF;\n"
        f"            EXCEPTION WHEN OTHERS THEN\n"
        f"                {least}\n"
        f"                v_said := v_said || jsonb_build_object('reverse', SQLSTATE);\n"
        f"            END;\n"
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
    return (
        f"IF {_derives(group)} THEN\n            {reset}\n"
        "            v_said := v_said || jsonb_build_object('forward', SQLSTATE);\n        END IF;"
    )


def triggers(m: InPlaceTable) -> list[DbObject]:
    """The mirror's triggers. Each has a condition that the server asks before it calls any function."""
    table, execute = m.table.sql, f"EXECUTE FUNCTION changeover.{m.fn}_"
    foreign = f"current_setting('changeover.origin', true) IS DISTINCT FROM {literal(m.own)}"
    read = dict.fromkeys(
        [*(c for g in m.groups for c in (*g.read, *g.old, *g.new)), *in_place_rules.read(m), *(m.key if m.old else ())]
    )
    opened = {row: _opened(m, row) for row in ("OLD", "NEW")}
    touched = f"({unlike(read, 'OLD', 'NEW')} OR {' OR '.join(g.open('NEW') for g in m.groups)})"
    made = [
        ("bi", "BEFORE INSERT", foreign, "before", "computes the other side of a new row"),
        ("bu", "BEFORE UPDATE", f"{touched} AND {foreign}", "before", "computes the other side of a change"),
        ("ai", "AFTER INSERT", f"({opened['NEW']} OR {_SAID}) AND {foreign}", "after", "rejects of a new row"),
        ("au", "AFTER UPDATE", f"({opened['OLD']} OR {opened['NEW']} OR {_SAID}) AND {foreign}", "after",
         "rejects of a changed row"),
        ("ad", "AFTER DELETE", "true" if m.fills or m.old else opened["OLD"], "after", "rejects of a deleted row"),
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
