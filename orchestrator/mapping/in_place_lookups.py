"""Watching the rows that a table changed in place looks up, on the way back, and where the plan says `follow` on both.

The new version gives a status another code: then the old columns of all rows with that status say something else. What
hangs on the row is found by the drain. It looks twice: the second time when all transactions have ended that wrote while
it looked first, as one of them may have read the code before it was changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import columns_of
from orchestrator.mapping import in_place_fills
from orchestrator.mapping.objects import DbObject, function, trigger
from orchestrator.mapping.sqltext import literal, render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.mapping.in_place import InPlaceTable


_EVENTS: Final = (
    ("i", "INSERT", "NEW TABLE AS new_rows"),
    ("u", "UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
    ("d", "DELETE", "OLD TABLE AS old_rows"),
)


def functions(m: InPlaceTable) -> list[DbObject]:
    """What the triggers call."""
    made = []
    for number, name, read in _watched(m):
        text = render(
            "in_place_lookup.sql", fn=_fn(m, number), pins=m.pins, id=str(m.id), name=literal(name),
            key=quote(m.spec.lookups[name].key),
            changed=" OR ".join(f"n.{quote(c)} IS DISTINCT FROM o.{quote(c)}" for c in read),
        )  # fmt: skip
        made.append(function(_fn(m, number), text, "", f"rows that hang on {m.lookup_tables[name].label}"))
    for number, name, read in _followed(m):
        columns = ", ".join(quote(column) for column in read)
        text = render(
            "in_place_follow.sql", fn=_follow(m, number), pins=m.pins, id=str(m.id), name=literal(name), read=columns
        )
        made.append(function(_follow(m, number), text, "", f"rows that follow {m.lookup_tables[name].label}"))
    return made


def triggers(m: InPlaceTable) -> list[DbObject]:
    """One on each looked-up table."""
    body = "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover."
    made = [
        trigger(
            f"{in_place_fills.prefix(m.id)}_l{number}",
            m.lookup_tables[name].stored_sql,
            "AFTER UPDATE",
            f"{body}{_fn(m, number)}()",
            "what hangs on its rows",
        )
        for number, name, _ in _watched(m)
    ]
    for number, name, _ in _followed(m):
        for word, event, rows in _EVENTS:
            made.append(
                trigger(
                    f"{in_place_fills.prefix(m.id)}_f{number}{word}",
                    m.lookup_tables[name].stored_sql,
                    f"AFTER {event}",
                    f"REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION changeover.{_follow(m, number)}()",
                    "what follows its rows",
                )
            )
    return made


def dependents(m: InPlaceTable) -> str:
    """The statement of the drain that puts the keys of the rows in the queue; ``v_patch`` names the lookup's rows."""
    parts = [
        f"IF v_patch ->> 'lookup' = {literal(name)} THEN\n"
        "            INSERT INTO changeover.queue (source_id, direction, key, cause)\n"
        f"            SELECT {m.id}, 'reverse', {m.key_text('t')}, 'lookup'\n"
        f"            FROM {m.lookup_tables[name].sql} {quote(name)} JOIN {m.table.sql} t ON {m.spec.lookups[name].join}\n"
        f"            WHERE {quote(name)}.{quote(m.spec.lookups[name].key)}::text IN "
        "(SELECT jsonb_array_elements_text(v_patch -> 'rows'));\n        END IF;"
        for _, name, _ in _watched(m)
    ]
    return "\n        ".join(parts) or "NULL;"


def followers(m: InPlaceTable) -> str:
    """The statement of the drain that puts the keys of the rows in the queue; the notes ``v_ids`` are worked off together."""
    names = list(m.spec.lookups)
    parts = []
    for _, name, _ in _followed(m):
        lookup, table = m.spec.lookups[name], m.lookup_tables[name].sql
        earlier = "".join(
            f"\n            LEFT JOIN {m.lookup_tables[n].sql} {quote(n)} ON {m.spec.lookups[n].match}"
            for n in names[: names.index(name)]
        )
        parts.append(
            "INSERT INTO changeover.queue (source_id, direction, key, cause)\n"
            f"            SELECT DISTINCT {m.id}, 'forward', {m.key_text('s')}, 'follow'\n"
            "            FROM (SELECT jsonb_agg(r.one) AS notes FROM changeover.queue c, jsonb_array_elements(c.patch -> 'rows') AS r (one)\n"
            f"                  WHERE c.id = ANY (v_ids) AND c.patch ->> 'lookup' = {literal(name)}) n\n"
            f"            CROSS JOIN {m.table.sql} s{earlier}\n"
            f"            JOIN LATERAL jsonb_populate_recordset(NULL::{table}, n.notes) {quote(name)}\n"
            f"                ON {lookup.touches or lookup.match}\n"
            "            WHERE n.notes IS NOT NULL;"
        )
    return "\n            ".join(parts) or "NULL;"


def _follow(m: InPlaceTable, number: int) -> str:
    return f"{m.fn}_follow{number}"


def _followed(m: InPlaceTable) -> Iterator[tuple[int, str, list[str]]]:
    """The lookups that are followed, with the columns that the way there reads."""
    for number, (name, lookup) in enumerate(m.spec.lookups.items()):
        if lookup.follow:
            texts = [lookup.touches or lookup.match, *(rule.expression for rule in m.spec.rules.values())]
            named = {lookup.key} | {column for text in texts for column in columns_of(text, name)}
            yield number, name, sorted(named & m.lookup_tables[name].by_name.keys())


def _fn(m: InPlaceTable, number: int) -> str:
    return f"{m.fn}_lookup{number}"


def _watched(m: InPlaceTable) -> Iterator[tuple[int, str, list[str]]]:
    """The lookups that a way back reads, with the columns that it reads."""
    for number, (name, lookup) in enumerate(m.spec.lookups.items()):
        named = {column for back in m.spec.reverse.values() for column in columns_of(back, name)}
        read = sorted(named & m.lookup_tables[name].by_name.keys())
        if lookup.join and read:
            yield number, name, read
