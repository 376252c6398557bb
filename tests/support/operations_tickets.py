"""The operations of the tickets: a unify of four tables with keys of every kind, with or without the split of the marks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from tests.support.interleaving import Statement
from tests.support.mapping_worlds import TICKETS
from tests.support.operations import Cast, Operation, one_of, operation, pairs, rows, values, written

if TYPE_CHECKING:
    from collections.abc import Sequence

_UUIDS: Final = tuple(f"'{digit * 8}-1111-4111-8111-111111111111'" for digit in "abc")
_NEW_UUIDS: Final = tuple(f"'{digit * 8}-2222-4222-8222-222222222222'" for digit in "def")
_KEYS: Final = {
    "a": ("DEFAULT", *_UUIDS),
    "b": ("DEFAULT", "1", "2", "3"),
    "c": (*_UUIDS, "'C-1'", "''", "'É-1'", _UUIDS[0].upper()),
    "d": (*_UUIDS, "NULL"),
}
_OLD: Final = {
    "clerk": ("'ann@x.org'", "' Zoe@X.org'", "NULL", "'nobody'", "''", "'ö@x.org'", "'new@x.org'"),
    "status": ("'open'", "'OPEN'", "'Closed'", "'lost'", "NULL", "''"),
    "amount": ("'1.5'", "'1.50'", "'none'", "'-3'", "'99999.5'", "''", "NULL", "' 7 '", "'1e2'"),
    "day": ("'2024-02-29'", "NULL", "'infinity'", "'0044-03-15 BC'"),
    "q1": ("NULL", "0", "3", "-1"),
    "q2": ("NULL", "2", "0"),
    '"Q 3 (%)"': ("NULL", "0.10", "2.50", "'NaN'"),
    "feedback": ("NULL", "''", "'wéll'", "'\"q\" 💡'"),
}
_ANN: Final = "'aaaaaaaa-0000-4000-8000-000000000001'"
_ZOE: Final = "'aaaaaaaa-0000-4000-8000-000000000002'"
_NEW: Final = {
    "clerk_id": (_ANN, _ZOE),
    "status": ("'open'", "'in_progress'", "'closed'"),
    "amount": ("1.5", "NULL", "7.25"),
    "day": ("'2024-03-01'", "'infinity'"),
    "extra": ("""'{"q1": 5}'""", "'{}'", """'{"q9": [1], "q2": "no number"}'"""),
}
# The new schema's own rule: the key of a ticket with marks cannot change, a mark needs its ticket.
_KEY_OF_MARKS: Final = frozenset({("23503", "marks")})
_MARKS: Final = ("'q1'", "'q2'", "'Q 3 (%)'", "'q9'")
_LETTERS: Final = st.sampled_from("abcd")
_ROWS: Final = rows()
_TEXT: Final = "ROW(x.shop, x.clerk_id, x.status, x.amount, x.day, x.note, x.deleted_at)::text"

_OLD_SIDE: Final = [
    _LETTERS.flatmap(
        lambda letter: operation(
            "insert", place=st.just(letter), key=st.sampled_from(_KEYS[letter]), values=values(_OLD)
        )
    ),
    operation("update", row=_ROWS, values=values(_OLD)),
    operation("update", row=_ROWS, values=values(_OLD)),
    operation("rekey", row=_ROWS, key=st.sampled_from("0123456")),
    operation("delete", row=_ROWS),
    operation("update", row=_ROWS, values=values(_OLD)),
    operation("rekey", row=_ROWS, key=st.sampled_from("0123456")),
    operation("update all", place=_LETTERS, values=values(_OLD)),
    one_of(operation("delete all", place=_LETTERS), operation("truncate", place=_LETTERS)),
]
_NEW_SIDE: Final = [
    operation(
        "new insert", place=st.sampled_from("abcdz"), key=st.sampled_from(("DEFAULT", *_NEW_UUIDS)), values=values(_NEW)
    ),
    operation("new update", row=_ROWS, values=values(_NEW)),
    operation("new update", row=_ROWS, values=values(_NEW)),
    operation("new rekey", row=_ROWS, key=st.sampled_from(_NEW_UUIDS)),
    operation("new delete", row=_ROWS),
    operation("put away", row=_ROWS),
    operation("bring back", row=_ROWS),
    operation("move", row=_ROWS, place=st.sampled_from("abcdz")),
    operation("new update all", values=values(_NEW)),
    operation("rename clerk", values=st.sampled_from([(("mail", "'anna@x.org'"),), (("name", "'Ann'"),)])),
    operation("new truncate"),
]
_SPLIT: Final = [
    operation("mark", row=_ROWS, key=st.sampled_from(_MARKS), place=st.sampled_from(("1", "2.4", "7"))),
    operation("new mark", row=_ROWS, key=st.sampled_from(_MARKS), place=st.sampled_from(("1", "2.4", "7"))),
    operation("unmark", row=_ROWS, key=st.sampled_from(_MARKS)),
    operation("unmark all"),
]


_BASE: Final = f"""
        INSERT INTO public.clerks (id, mail, name) VALUES ({_ANN}, 'ann@x.org', 'Ann'), ({_ZOE}, 'zoe@x.org', NULL);
        INSERT INTO public.a_tickets (id, clerk, status, amount, day, note, q1, feedback) VALUES
            ({_UUIDS[0]}, 'ann@x.org', 'open', '1.5', '2024-01-01', 't0', 1, 'ok'),
            ({_UUIDS[1]}, ' Zoe@X.org', 'Closed', 'none', '2024-01-01', 't1', NULL, NULL),
            ('99999999-1111-4111-8111-111111111111', NULL, 'lost', '-3', NULL, 't2', 3, NULL);
        INSERT INTO public.b_tickets (clerk, status, amount, day, note, q2) VALUES
            ('ann@x.org', 'open', '2', '2024-01-01', 't3', 2), ('nobody', 'open', '2', '2024-01-01', 't4', 2);
        INSERT INTO public.c_tickets (id, clerk, status, amount, day, note) VALUES
            ('C-1', 'zoe@x.org', 'open', '2', '2024-01-01', 't5'), ({_UUIDS[0]}, 'zoe@x.org', 'open', '2', '2024-01-01', 't6');
        INSERT INTO public.d_tickets (id, clerk, status, amount, day, note) VALUES
            ({_UUIDS[2]}, 'cleo@x.org', 'open', '2', '2024-01-01', 't7'), (NULL, 'zoe@x.org', 'open', '2', '2024-01-01', 't8');
    """
_FOUND: Final = {
    "old": " UNION ALL ".join(
        f"SELECT note, x::text, ARRAY[note], '{letter}_tickets' FROM public.{letter}_tickets x" for letter in "abcd"
    ),
    "new": f"SELECT note, {_TEXT}, ARRAY[note], 'tickets' FROM public.tickets x",
}


def _statement(operation: Operation, made: Sequence[str]) -> Statement:
    """The statement of an operation."""
    if operation.what.startswith(("new", "put", "bring", "move", "rename", "mark", "unmark")):
        return _new(operation, made)
    return _old(operation, made)


def _old(operation: Operation, made: Sequence[str]) -> Statement:
    tag = f"'t{operation.row % len(made)}'"
    letter = operation.place or made[operation.row % len(made)]
    if letter == "z":
        letter = "a"
    table = f"{letter}_tickets"
    name = f"public.{table}"
    what: dict[str, str] = dict(operation.values)
    removes = operation.what.startswith("delete")
    where = "true" if operation.what.endswith("all") else f"note = {tag}"
    if operation.what == "insert":
        what = {"id": operation.key, "clerk": "'ann@x.org'", "day": "'2024-02-02'", **what, "note": f"'t{len(made)}'"}
        skip = "" if letter == "d" else "ON CONFLICT DO NOTHING"
        text = f"INSERT INTO {name} AS x ({', '.join(what)}) VALUES ({', '.join(what.values())}) {skip}"
    elif operation.what == "truncate":
        return Statement(f"TRUNCATE public.{table}", "old", table, "empties")
    elif removes:
        text = f"DELETE FROM {name} AS x WHERE {where}"
    else:
        if operation.what == "rekey":
            what = {"id": _KEYS[letter][int(operation.key) % len(_KEYS[letter])]}
        text = f"UPDATE {name} AS x SET {pairs(what)} WHERE {where}"
    told = "true" if removes else written(what)
    text += f" RETURNING note, x::text, {told}, ARRAY[note]"
    return Statement(text, "old", table, "removes" if removes else "writes")


def _new(operation: Operation, made: Sequence[str]) -> Statement:
    tag = f"'t{operation.row % len(made)}'"
    where = f"note = {tag}"
    what: dict[str, str] = dict(operation.values)
    kind = {"new delete": "removes", "put away": "hides", "move": "hides", "new rekey": "hides"}.get(
        operation.what, "writes"
    )
    if "mark" in operation.what:
        return _mark(operation, tag)
    if operation.what == "rename clerk":
        text = f"UPDATE public.clerks SET {pairs(what)} WHERE id = {_ANN}"
        return Statement(text, "new", "clerks", "taints" if "mail" in what else "writes")
    if operation.what == "new truncate":
        return Statement("TRUNCATE public.tickets CASCADE", "new", "tickets", "empties")
    if operation.what == "new insert":
        what = {
            "id": operation.key, "shop": f"'{operation.place}'", "clerk_id": _ZOE, "day": "'2024-03-03'", **what,
            "note": f"'t{len(made)}'",
        }  # fmt: skip
        text = f"INSERT INTO public.tickets AS x ({', '.join(what)}) VALUES ({', '.join(what.values())})"
        text += " ON CONFLICT DO NOTHING"
        where = f"note = {what['note']}"
    elif operation.what == "new delete":
        text = f"DELETE FROM public.tickets AS x WHERE note = {tag}"
    else:
        what = {
            "new rekey": {"id": operation.key},
            "put away": {"deleted_at": "'2024-06-01'"},
            "bring back": {"deleted_at": "NULL"},
            "move": {"shop": f"'{operation.place}'"},
        }.get(operation.what, what)
        to = operation.place if operation.what == "move" and operation.place in "acd" else ""
        # Where an old row has the key already, a move overwrites it: docs/limits.md.
        free = f" AND NOT EXISTS (SELECT FROM public.{to}_tickets y WHERE y.id::text = x.id::text)" if to else ""
        condition = "true" if operation.what.endswith("all") else where + free
        text = f"UPDATE public.tickets AS x SET {pairs(what)} WHERE {condition}"
    what.pop("extra", None)
    told = "true" if kind == "removes" else written(what)
    text += f" RETURNING note, {_TEXT}, {told}, ARRAY[note]"
    named = kind != "removes" and not operation.what.endswith("all")
    again = f"SELECT {told} FROM public.tickets x WHERE {where}" if named else ""
    return Statement(text, "new", "tickets", kind, _KEY_OF_MARKS, again)


def _mark(operation: Operation, tag: str) -> Statement:
    row = f"SELECT id, note FROM public.tickets WHERE note = {tag}"
    back = f"RETURNING {tag}, NULL, true, ARRAY[{tag}]"
    if operation.what == "unmark all":
        return Statement("TRUNCATE public.marks", "new", "marks", "empties")
    if operation.what == "new mark":
        text = f"INSERT INTO public.marks AS x SELECT r.id, {operation.key}, {operation.place} FROM ({row}) r {back}"
    elif operation.what == "mark":
        text = f"UPDATE public.marks AS x SET mark = {operation.place} FROM ({row}) r WHERE r.id = x.ticket_id AND x.name = {operation.key} {back}"
    else:
        text = f"DELETE FROM public.marks AS x USING ({row}) r WHERE r.id = x.ticket_id AND x.name = {operation.key} {back}"
    return Statement(text, "new", "marks", "touches", _KEY_OF_MARKS)


def _cast(name: str, mappings: int, new_side: list[st.SearchStrategy[Operation]]) -> Cast:
    return Cast(
        setup=replace(
            TICKETS, name=name, rows="", mappings=TICKETS.mappings[:mappings], sources=TICKETS.sources[:mappings]
        ),
        base=_BASE,
        places="aaabbccdd",
        operations=one_of(one_of(*_OLD_SIDE), one_of(*new_side)),
        statement=_statement,
        found=_FOUND,
        look="SELECT count(*) FROM public.a_tickets, public.tickets",
    )


UNIFY: Final = _cast("machine unify", 1, _NEW_SIDE)
SPLIT: Final = _cast("machine split", 2, [*_NEW_SIDE, *_SPLIT, *_SPLIT])
