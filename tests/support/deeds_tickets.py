"""The deeds of the tickets: a unify of four tables with keys of every kind, with or without the split of the marks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from tests.support.deeds import Cast, Deed, deed, one_of, rows, values, written
from tests.support.interleaving import Statement
from tests.support.mapping_worlds import TICKETS

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
        lambda letter: deed("insert", place=st.just(letter), key=st.sampled_from(_KEYS[letter]), values=values(_OLD))
    ),
    deed("update", row=_ROWS, values=values(_OLD)),
    deed("update", row=_ROWS, values=values(_OLD)),
    deed("rekey", row=_ROWS, key=st.sampled_from("0123456")),
    deed("delete", row=_ROWS),
    deed("update", row=_ROWS, values=values(_OLD)),
    deed("rekey", row=_ROWS, key=st.sampled_from("0123456")),
    deed("update all", place=_LETTERS, values=values(_OLD)),
    one_of(deed("delete all", place=_LETTERS), deed("truncate", place=_LETTERS)),
]
_NEW_SIDE: Final = [
    deed(
        "new insert", place=st.sampled_from("abcdz"), key=st.sampled_from(("DEFAULT", *_NEW_UUIDS)), values=values(_NEW)
    ),
    deed("new update", row=_ROWS, values=values(_NEW)),
    deed("new update", row=_ROWS, values=values(_NEW)),
    deed("new rekey", row=_ROWS, key=st.sampled_from(_NEW_UUIDS)),
    deed("new delete", row=_ROWS),
    deed("put away", row=_ROWS),
    deed("bring back", row=_ROWS),
    deed("move", row=_ROWS, place=st.sampled_from("abcdz")),
    deed("new update all", values=values(_NEW)),
    deed("rename clerk", values=st.sampled_from([(("mail", "'anna@x.org'"),), (("name", "'Ann'"),)])),
    deed("new truncate"),
]
_SPLIT: Final = [
    deed("mark", row=_ROWS, key=st.sampled_from(_MARKS), place=st.sampled_from(("1", "2.4", "7"))),
    deed("new mark", row=_ROWS, key=st.sampled_from(_MARKS), place=st.sampled_from(("1", "2.4", "7"))),
    deed("unmark", row=_ROWS, key=st.sampled_from(_MARKS)),
    deed("unmark all"),
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


def _statement(deed: Deed, made: Sequence[str]) -> Statement:
    """The statement of a deed."""
    if deed.what.startswith(("new", "put", "bring", "move", "rename", "mark", "unmark")):
        return _new(deed, made)
    return _old(deed, made)


def _old(deed: Deed, made: Sequence[str]) -> Statement:
    tag = f"'t{deed.row % len(made)}'"
    letter = deed.place or made[deed.row % len(made)]
    if letter == "z":
        letter = "a"
    table = f"{letter}_tickets"
    name = f"public.{table}"
    what: dict[str, str] = dict(deed.values)
    removes = deed.what.startswith("delete")
    where = "true" if deed.what.endswith("all") else f"note = {tag}"
    if deed.what == "insert":
        what = {"id": deed.key, "clerk": "'ann@x.org'", "day": "'2024-02-02'", **what, "note": f"'t{len(made)}'"}
        skip = "" if letter == "d" else "ON CONFLICT DO NOTHING"
        text = f"INSERT INTO {name} AS x ({', '.join(what)}) VALUES ({', '.join(what.values())}) {skip}"
    elif deed.what == "truncate":
        return Statement(f"TRUNCATE public.{table}", "old", table, "empties")
    elif removes:
        text = f"DELETE FROM {name} AS x WHERE {where}"
    else:
        if deed.what == "rekey":
            what = {"id": _KEYS[letter][int(deed.key) % len(_KEYS[letter])]}
        text = f"UPDATE {name} AS x SET {_pairs(what)} WHERE {where}"
    told = "true" if removes else written(what)
    text += f" RETURNING note, x::text, {told}, ARRAY[note]"
    return Statement(text, "old", table, "removes" if removes else "writes")


def _new(deed: Deed, made: Sequence[str]) -> Statement:
    tag = f"'t{deed.row % len(made)}'"
    where = f"note = {tag}"
    what: dict[str, str] = dict(deed.values)
    kind = {"new delete": "removes", "put away": "hides", "move": "hides", "new rekey": "hides"}.get(
        deed.what, "writes"
    )
    if "mark" in deed.what:
        return _mark(deed, tag)
    if deed.what == "rename clerk":
        text = f"UPDATE public.clerks SET {_pairs(what)} WHERE id = {_ANN}"
        return Statement(text, "new", "clerks", "taints" if "mail" in what else "writes")
    if deed.what == "new truncate":
        return Statement("TRUNCATE public.tickets CASCADE", "new", "tickets", "empties")
    if deed.what == "new insert":
        what = {
            "id": deed.key, "shop": f"'{deed.place}'", "clerk_id": _ZOE, "day": "'2024-03-03'", **what,
            "note": f"'t{len(made)}'",
        }  # fmt: skip
        text = f"INSERT INTO public.tickets AS x ({', '.join(what)}) VALUES ({', '.join(what.values())})"
        text += " ON CONFLICT DO NOTHING"
        where = f"note = {what['note']}"
    elif deed.what == "new delete":
        text = f"DELETE FROM public.tickets AS x WHERE note = {tag}"
    else:
        what = {
            "new rekey": {"id": deed.key},
            "put away": {"deleted_at": "'2024-06-01'"},
            "bring back": {"deleted_at": "NULL"},
            "move": {"shop": f"'{deed.place}'"},
        }.get(deed.what, what)
        text = f"UPDATE public.tickets AS x SET {_pairs(what)} WHERE {'true' if deed.what.endswith('all') else where}"
    what.pop("extra", None)
    told = "true" if kind == "removes" else written(what)
    text += f" RETURNING note, {_TEXT}, {told}, ARRAY[note]"
    named = kind != "removes" and not deed.what.endswith("all")
    again = f"SELECT {told} FROM public.tickets x WHERE {where}" if named else ""
    return Statement(text, "new", "tickets", kind, _KEY_OF_MARKS, again)


def _mark(deed: Deed, tag: str) -> Statement:
    row = f"SELECT id, note FROM public.tickets WHERE note = {tag}"
    back = f"RETURNING {tag}, NULL, true, ARRAY[{tag}]"
    if deed.what == "unmark all":
        return Statement("TRUNCATE public.marks", "new", "marks", "empties")
    if deed.what == "new mark":
        text = f"INSERT INTO public.marks AS x SELECT r.id, {deed.key}, {deed.place} FROM ({row}) r {back}"
    elif deed.what == "mark":
        text = f"UPDATE public.marks AS x SET mark = {deed.place} FROM ({row}) r WHERE r.id = x.ticket_id AND x.name = {deed.key} {back}"
    else:
        text = f"DELETE FROM public.marks AS x USING ({row}) r WHERE r.id = x.ticket_id AND x.name = {deed.key} {back}"
    return Statement(text, "new", "marks", "touches", _KEY_OF_MARKS)


def _pairs(what: dict[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in what.items())


def _cast(name: str, mappings: int, new_side: list[st.SearchStrategy[Deed]]) -> Cast:
    return Cast(
        setup=replace(
            TICKETS, name=name, rows="", mappings=TICKETS.mappings[:mappings], sources=TICKETS.sources[:mappings]
        ),
        base=_BASE,
        places="aaabbccdd",
        deeds=one_of(one_of(*_OLD_SIDE), one_of(*new_side)),
        statement=_statement,
        found=_FOUND,
        look="SELECT count(*) FROM public.a_tickets, public.tickets",
    )


UNIFY: Final = _cast("machine unify", 1, _NEW_SIDE)
SPLIT: Final = _cast("machine split", 2, [*_NEW_SIDE, *_SPLIT, *_SPLIT])
