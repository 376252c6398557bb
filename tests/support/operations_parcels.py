"""The operations of the parcels: a table changed in place, whose rows both versions write; and rows that follow another table's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from tests.support.in_place_worlds import PARCELS
from tests.support.interleaving import Statement
from tests.support.operations import Cast, Operation, one_of, operation, pairs, rows, values, written

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEYS: Final = st.sampled_from([str(n) for n in range(1, 10)])
_ROWS: Final = rows()
_TABLE: Final = st.just("parcels")
_OR_UPDATE: Final = 1
"""Of an insertion: where the key is taken, the row that has it is updated."""

# What the old columns cannot say: a code that their CHECK refuses, one that is too long, one that is not there, none at all.
_OLD: Final = {
    "state": ("'new'", "'New'", "' SENT '", "'lost'", "''", "DEFAULT"),
    "grams": ("'1500'", "'20'", "' 1500 '", "NULL", "'heavy'", "'99999999'"),
}
_NEW: Final = {
    "state_id": ("103", "104", "101", "102", "NULL", "999"),
    "kilos": ("1.5", "0.02", "999.999", "NULL", "-3"),
}
_BOTH: Final = {**_OLD, **_NEW}

_PARCEL_OPERATIONS: Final = one_of(
    one_of(
        operation("insert", place=_TABLE, key=_KEYS, row=st.just(0), values=values(_OLD)),
        operation("insert", place=_TABLE, key=_KEYS, row=st.just(_OR_UPDATE), values=values(_OLD)),
        operation("update", row=_ROWS, values=values(_OLD)),
        operation("update", row=_ROWS, values=values(_OLD)),
        operation("rekey", row=_ROWS, key=_KEYS),
        operation("delete", row=_ROWS),
        operation("update all", values=values(_OLD)),
        one_of(operation("delete all"), operation("truncate")),
    ),
    one_of(
        operation("new insert", place=_TABLE, key=_KEYS, row=st.sampled_from((0, _OR_UPDATE)), values=values(_NEW)),
        operation("new update", row=_ROWS, values=values(_NEW)),
        operation("new update", row=_ROWS, values=values(_NEW)),
        operation("new both", row=_ROWS, values=values(_BOTH)),
        operation("new rekey", row=_ROWS, key=_KEYS),
        operation("new delete", row=_ROWS),
        operation("new update all", values=values(_NEW)),
        operation("new state", key=st.sampled_from(("'post'", "'lost'"))),
    ),
)


def _parcel(operation: Operation, made: Sequence[str]) -> Statement:
    """The statement of an operation; who writes new columns is of the new side."""
    what: dict[str, str] = dict(operation.values)
    side, verb = (
        ("new", operation.what.removeprefix("new ")) if operation.what.startswith("new") else ("old", operation.what)
    )
    if verb == "truncate":
        return Statement("TRUNCATE public.parcels", side, "parcels", "empties")
    if verb == "state":
        text = f"INSERT INTO public.states (code) VALUES ({operation.key}) ON CONFLICT DO NOTHING"
        return Statement(text, side, "states", "taints")
    where = "true" if verb.endswith("all") else f"town = 't{operation.row % len(made)}'"
    # What is written as it was is no change: neither NULL where nothing was computed yet, nor a new column beside a changed old one.
    told = {name: value for name, value in what.items() if verb != "both" and (side == "old" or value != "NULL")}
    if verb == "insert":
        what = {"id": operation.key, "town": f"'t{len(made)}'", **what}
        text = f"INSERT INTO public.parcels AS x ({', '.join(what)}) VALUES ({', '.join(what.values())})"
        if operation.row == _OR_UPDATE:
            taken = {name: f"EXCLUDED.{name}" for name in what if name not in {"id", "town"}}
            text += f" ON CONFLICT (id) DO UPDATE SET {pairs(taken)}"
    elif verb.startswith("delete"):
        text = f"DELETE FROM public.parcels AS x WHERE {where}"
        told = {}
    else:
        if verb == "rekey":
            what = told = {"id": operation.key}
        text = f"UPDATE public.parcels AS x SET {pairs(what)} WHERE {where}"
    kind = "removes" if verb.startswith("delete") else "writes"
    text += f" RETURNING town, {_TEXTS[side]}, {written(told)}, ARRAY[town]"
    return Statement(text, side, "parcels", kind)


_TEXTS: Final = {"old": "ROW(x.id, x.state, x.grams)::text", "new": "ROW(x.id, x.state_id, x.kilos)::text"}

IN_PLACE: Final = Cast(
    setup=replace(PARCELS, name="machine in place", rows=""),
    base="""
        INSERT INTO public.states (id, code) VALUES (101, 'burnt'), (102, 'out for delivery'), (103, 'new'), (104, 'sent');
        INSERT INTO public.parcels (id, town, state, grams) VALUES
            (1, 't0', 'new', '1500'), (2, 't1', ' SENT ', '20'), (3, 't2', '', 'heavy'), (4, 't3', 'lost', NULL),
            (5, 't4', 'New', '99999999');
    """,
    places=("parcels",) * 5,
    operations=_PARCEL_OPERATIONS,
    statement=_parcel,
    found={side: f"SELECT town, {text}, ARRAY[town], 'parcels' FROM public.parcels x" for side, text in _TEXTS.items()},
    look="SELECT count(*) FROM public.parcels, public.states",
)
