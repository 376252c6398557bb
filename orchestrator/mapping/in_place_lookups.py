"""Watching the rows that the way back of a table changed in place looks up.

The new version gives a status another code: then the old columns of all rows with that status say something else. What
hangs on the row is found by the drain. It looks twice: the second time when all transactions have ended that wrote while
it looked first, as one of them may have read the code before it was changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import columns_of
from orchestrator.mapping import in_place_fills
from orchestrator.mapping.objects import DbObject, function, trigger
from orchestrator.mapping.sqltext import literal, render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.mapping.in_place import InPlaceTable


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
    return made


def triggers(m: InPlaceTable) -> list[DbObject]:
    """One on each looked-up table."""
    body = "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover."
    return [
        trigger(
            f"{in_place_fills.prefix(m.id)}_l{number}",
            m.lookup_tables[name].sql,
            "AFTER UPDATE",
            f"{body}{_fn(m, number)}()",
            "what hangs on its rows",
        )
        for number, name, _ in _watched(m)
    ]


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


def _fn(m: InPlaceTable, number: int) -> str:
    return f"{m.fn}_lookup{number}"


def _watched(m: InPlaceTable) -> Iterator[tuple[int, str, list[str]]]:
    """The lookups that a way back reads, with the columns that it reads."""
    for number, (name, lookup) in enumerate(m.spec.lookups.items()):
        named = {column for back in m.spec.reverse.values() for column in columns_of(back, name)}
        read = sorted(named & m.lookup_tables[name].by_name.keys())
        if lookup.join and read:
            yield number, name, read
