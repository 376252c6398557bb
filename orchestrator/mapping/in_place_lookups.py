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
from orchestrator.mapping.objects import DbObject, dependents, function, trigger
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
            key=quote(m.spec.lookups[name].key), key_name=literal(m.spec.lookups[name].key),
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


def hanging(m: InPlaceTable) -> list[DbObject]:
    """What finds the keys of the rows for the drain: by rows of a lookup for the way back, and by followed ones for the way there."""
    return dependents(m.fn, m.pins, [*_back(m), *_there(m)])


def _back(m: InPlaceTable) -> Iterator[str]:
    for _, name, _ in _watched(m):
        lookup = m.spec.lookups[name]
        yield (
            f"IF p_note ->> 'lookup' = {literal(name)} AND p_note ->> 'cause' = 'lookup' THEN\n"
            f"        RETURN QUERY SELECT {m.key_text('t')}\n"
            f"        FROM {m.lookup_tables[name].sql} {quote(name)} JOIN {m.table.sql} t ON {lookup.join}\n"
            f"        WHERE {quote(name)}.{quote(lookup.key)}::text IN (SELECT jsonb_array_elements_text(p_note -> 'rows'));\n    END IF;"
        )


def _there(m: InPlaceTable) -> Iterator[str]:
    names = list(m.spec.lookups)
    for _, name, _ in _followed(m):
        lookup, table = m.spec.lookups[name], m.lookup_tables[name].sql
        earlier = "".join(
            f"\n        LEFT JOIN {m.lookup_tables[n].sql} {quote(n)} ON {m.spec.lookups[n].match}"
            for n in names[: names.index(name)]
        )
        yield (
            f"IF p_note ->> 'lookup' = {literal(name)} AND p_note ->> 'cause' = 'follow' THEN\n"
            f"        RETURN QUERY SELECT DISTINCT {m.key_text('s')}\n        FROM {m.table.sql} s{earlier}\n"
            f"        JOIN LATERAL jsonb_populate_recordset(NULL::{table}, p_note -> 'rows') {quote(name)}\n"
            f"            ON {lookup.touches or lookup.match};\n    END IF;"
        )


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
