"""Columns of a table in use that are filled where a condition holds: what is kept of them, and how it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.mapping import types
from orchestrator.mapping.in_place_groups import unlike
from orchestrator.mapping.objects import DbObject, function
from orchestrator.mapping.sqltext import literal, render

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.mapping.catalog import Column
    from orchestrator.mapping.in_place import InPlaceTable


def together(m: InPlaceTable) -> str:
    """Of a batch: the keys in one record, with one original where all have the same."""
    if not m.fills:
        return ""
    return (
        ",\n            recorded AS (\n"
        "                INSERT INTO changeover.filled (source_id, keys, originals)\n"
        f"                SELECT {m.id}, array_agg(f.key), CASE WHEN min(f.originals::text) = max(f.originals::text)\n"
        "                    THEN min(f.originals::text)::jsonb ELSE jsonb_agg(f.originals) END\n"
        "                FROM filled f HAVING count(*) > 0\n            )"
    )


def by_key(m: InPlaceTable) -> str:
    """Of single rows: a record for each. What ends a WITH."""
    if not m.fills:
        return "SELECT count(*) INTO v_changed FROM changed"
    return (
        "INSERT INTO changeover.filled (source_id, key, originals)\n"
        f"    SELECT {m.id}, c.key, c.originals FROM changed c"
    )


def originals(columns: Iterable[Column], before: str, after: str) -> str:
    """By column that is filled: what it had, and what it gets, of two rows."""
    parts = (
        f"CASE WHEN {types.unlike(c, f'{before}.{c.sql}', f'{after}.{c.sql}')} THEN jsonb_build_object("
        f"{literal(c.name)}, jsonb_build_array({before}.{c.sql}::text, {after}.{c.sql}::text)) ELSE '{{}}'::jsonb END"
        for c in columns
    )
    return f"({' || '.join(parts)})"


def written(columns: Iterable[Column], *, changed: bool) -> str:
    """By column: that the application has written it; all of them, or those that differ between OLD and NEW."""
    parts = (
        f"CASE WHEN {types.unlike(c, f'OLD.{c.sql}', f'NEW.{c.sql}') if changed else 'true'} "
        f"THEN jsonb_build_object({literal(c.name)}, NULL) ELSE '{{}}'::jsonb END"
        for c in columns
    )
    return f"({' || '.join(parts)})"


def kept(m: InPlaceTable, key_of: dict[str, str]) -> str:
    """What the application writes into filled columns is no longer ours to take back."""
    if not m.fills:
        return ""
    changed, moved = unlike(m.written, "OLD", "NEW"), unlike(m.key, "OLD", "NEW")
    return render(
        "in_place_kept.sql",
        **key_of,
        id=str(m.id),
        changed=changed,
        moved=moved,
        all_of_them=written(m.written, changed=False),
        written=written(m.written, changed=True),
    ).rstrip()


def prefix(source: int) -> str:
    """How the names of the triggers begin: behind every name of letters, so that a row is computed as it is stored."""
    return f"~changeover_i{source:06d}"


def no_more(source: int, table: str) -> str:
    """The statements after which nothing is filled, and what the application writes is recorded still."""
    triggers = (quote(f"{prefix(source)}_{word}") for word in ("bi", "bu", "ai"))
    dropped = "".join(f"DROP TRIGGER IF EXISTS {name} ON {table};\n" for name in triggers)
    return dropped + render("in_place_still.sql", fn=f"m{source}")


def functions(m: InPlaceTable) -> list[DbObject]:
    """The way back."""
    if not m.fills:
        return []
    tests = {
        c: f"(jsonb_typeof(e.originals -> {literal(c.name)}) = 'array' "
        f"AND g.{c.sql}::text IS NOT DISTINCT FROM e.originals -> {literal(c.name)} ->> 1)"
        for c in m.written
    }
    sets = ", ".join(
        f"{c.sql} = CASE WHEN {test} THEN (e.originals -> {literal(c.name)} ->> 0)::{c.sql_type} ELSE g.{c.sql} END"
        for c, test in tests.items()
    )
    text = render(
        "in_place_unfill.sql", fn=m.fn, pins=m.pins, id=str(m.id), own=literal(m.own), table=m.table.sql, set=sets,
        row_of_key=m.row_of("g", "e.key"), put_back=" OR ".join(tests.values()),
    )  # fmt: skip
    return [function(f"{m.fn}_unfill", text, "", "takes back what was filled")]
