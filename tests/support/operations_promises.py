"""The operations of the promises: rows that follow those of another table, until the application that has them changes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from tests.support.interleaving import Statement
from tests.support.mapping import Setup
from tests.support.operations import Cast, Operation, one_of, operation, pairs, rows, values, written

if TYPE_CHECKING:
    from collections.abc import Sequence

_RULES: Final[dict[str, Any]] = {
    "sources": ["-"],
    "key": {"column": "number", "target": "entry"},
    "types": {"number": "integer", "name": "text", "state": "text", "received": "date", "due": "date", "track": "text"},
}

_SETUP: Final = Setup(
    name="machine derive",
    legacy="""
        CREATE TABLE public.parcels (
            number integer PRIMARY KEY, name text, state text, received date, due date, track text
        );
        CREATE TABLE public.tracks (code text PRIMARY KEY, title text NOT NULL);
        CREATE TABLE public.history (
            entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parcel integer NOT NULL, to_state text NOT NULL, at date NOT NULL
        );
        CREATE TABLE public.promises (
            entry bigserial PRIMARY KEY, parcel integer NOT NULL, name text NOT NULL, title text NOT NULL, days integer,
            state varchar(9) NOT NULL, note text
        );
    """,
    new="",
    sources=((("public.parcels", "parcels"),),) * 2,
    mappings=(
        {
            **_RULES,
            "derive": "public.history",
            "mode": "once",
            "when": "s.state IS NOT NULL",
            "rejects": {"no_date": "s.received IS NULL"},
            "columns": {"parcel": "s.number", "to_state": "s.state", "at": "s.received"},
        },
        {
            **_RULES,
            "derive": "public.promises",
            "when": "s.due IS NOT NULL",
            "lookups": {"track": {"table": "public.tracks", "match": "track.code = s.track", "key": "code"}},
            "rejects": {"ends_before_it_begins": "s.due < s.received", "no_track": "track.code IS NULL"},
            "columns": {
                "parcel": "s.number",
                "name": "s.name",
                "title": "'by ' || track.title",
                "days": "s.due - s.received",
                "state": "coalesce(s.state, 'open')",
            },
        },
    ),
)

_KEYS: Final = st.sampled_from([str(n) for n in range(1, 10)])
_ROWS: Final = rows()
_OLD: Final = {
    "state": ("'in'", "'out'", "NULL", "'much too long'"),
    "received": ("'2024-01-01'", "'2024-01-09'", "NULL"),
    "due": ("'2024-01-05'", "'2024-02-01'", "NULL"),
    "track": ("'A'", "'S'", "'X'", "NULL"),
}
# A row with a note was changed by the new application, whatever else is as it was made.
_NEW: Final = {"state": ("'in'", "'mine'"), "title": ("'own'",), "days": ("1", "NULL")}

_OPERATIONS: Final = one_of(
    one_of(
        operation("insert", place=st.just("parcels"), key=_KEYS, values=values(_OLD)),
        operation("insert", place=st.just("parcels"), key=_KEYS, values=values(_OLD)),
        operation("update", row=_ROWS, values=values(_OLD)),
        operation("update", row=_ROWS, values=values(_OLD)),
        operation("delete", row=_ROWS),
        operation("update all", values=values(_OLD)),
        one_of(operation("delete all"), operation("truncate")),
    ),
    one_of(
        operation("new insert", place=st.just("promises"), values=values(_NEW)),
        operation("new update", row=_ROWS, key=st.sampled_from("abc"), values=values(_NEW)),
        operation("new update", row=_ROWS, key=st.sampled_from("abc"), values=values(_NEW)),
        operation("new update all", key=st.sampled_from("abc"), values=values(_NEW)),
        operation("new delete", row=_ROWS),
        operation("new truncate"),
    ),
    one_of(
        operation("title", key=st.sampled_from(("'Air'", "'Rail'"))),
        operation("track", key=st.sampled_from(("'S'", "'X'"))),
        operation("no track", key=st.sampled_from(("'S'", "'X'"))),
    ),
)
_TRACKS: Final = {
    "title": "UPDATE public.tracks SET title = {} WHERE code = 'A'",
    "track": "INSERT INTO public.tracks VALUES ({}, 'more') ON CONFLICT DO NOTHING",
    "no track": "DELETE FROM public.tracks WHERE code = {}",
}
_TEXTS: Final = {"parcels": "x::text", "promises": "ROW(x.title, x.days, x.state, x.note)::text"}


def _statement(operation: Operation, made: Sequence[str]) -> Statement:
    if operation.what in _TRACKS:
        return Statement(_TRACKS[operation.what].format(operation.key), "old", "tracks")
    side, table = ("new", "promises") if operation.what.startswith("new") else ("old", "parcels")
    verb = operation.what.removeprefix("new ")
    if verb == "truncate":
        return Statement(f"TRUNCATE public.{table}", side, table, "empties")
    what: dict[str, str] = dict(operation.values)
    where = "true" if verb.endswith("all") else f"name = 't{operation.row % len(made)}'"
    if verb == "insert":
        own = {"parcel": "-1", "title": "'its'", "state": "'its'"} if side == "new" else {"number": operation.key}
        what = {**own, **what, "name": f"'t{len(made)}'"}
        text = f"INSERT INTO public.{table} AS x ({', '.join(what)}) VALUES ({', '.join(what.values())})"
    elif verb.startswith("delete"):
        what = {}
        text = f"DELETE FROM public.{table} AS x WHERE {where}"
    else:
        if side == "new":
            what["note"] = f"'{operation.key}'"
        text = f"UPDATE public.{table} AS x SET {pairs(what)} WHERE {where}"
    text += f" RETURNING name, {_TEXTS[table]}, {written(what)}, ARRAY['{side} ' || name]"
    return Statement(text, side, table, "removes" if verb.startswith("delete") else "writes")


DERIVE: Final = Cast(
    setup=_SETUP,
    base="""
        INSERT INTO public.tracks VALUES ('A', 'Air'), ('S', 'Sea');
        INSERT INTO public.parcels VALUES
            (1, 't0', 'in', '2024-01-01', '2024-01-05', 'A'), (2, 't1', 'out', '2024-01-09', '2024-01-05', 'S'),
            (3, 't2', NULL, NULL, '2024-02-01', 'S'), (4, 't3', 'in', '2024-01-01', '2024-02-01', 'X'),
            (5, 't4', 'much too long', '2024-01-01', NULL, NULL), (6, 't5', 'in', '2024-01-02', '2024-01-09', 'S');
    """,
    places=("parcels",) * 6,
    operations=_OPERATIONS,
    statement=_statement,
    found={
        "old": f"SELECT name, {_TEXTS['parcels']}, ARRAY['old ' || name], 'parcels' FROM public.parcels x",
        "new": f"SELECT name, {_TEXTS['promises']}, ARRAY['new ' || name], 'promises' FROM public.promises x",
    },
    look="SELECT count(*) FROM public.parcels, public.promises",
    # What follows an old row, and what the new application has made of it, go their own ways: no tag is one row for both.
    by_tag=False,
)
