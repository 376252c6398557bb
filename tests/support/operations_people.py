"""The operations of the people: a merge of a table without a key and one with, tied together by an address in many spellings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from tests.support.interleaving import Statement
from tests.support.mapping_worlds import PEOPLE
from tests.support.operations import Cast, Operation, one_of, operation, pairs, rows, values, written

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAILS: Final = (
    "'p1@x.org'",
    "' P1@X.org'",
    "'p2@x.org'",
    "'P2@x.org '",
    "'p3@x.org'",
    "NULL",
    "'none'",
    "''",
    "'ü@x.org'",
)
_NEW_MAILS: Final = ("'p1@x.org'", "'p2@x.org'", "'p3@x.org'", "'n1@x.org'", "'n2@x.org'", "'n3@x.org'")
_UUIDS: Final = tuple(f"'{digit * 8}-3333-4333-8333-333333333333'" for digit in "abc")
_AUTHS: Final = ("NULL", *(f"'{digit * 8}-4444-4444-8444-444444444444'" for digit in "de"))
_PEOPLE: Final = {
    "badge": ("NULL", "'B1'", "'B2'", "''"),
    "department": ("NULL", "'Sales'", "' SALES'", "'Cäre'", "''"),
    "is_active": ("true", "false", "NULL"),
    "last_login": ("'2024-01-01 00:00+00'", "NULL", "'infinity'"),
    "login_count": ("0", "7", "NULL", "-1"),
}
_USERS: Final = {
    "last_sign_in_at": ("'2024-02-01 00:00+00'", "NULL", "'2023-01-01 12:34:56.789+02'"),
    "sign_in_count": ("0", "9", "-2", "3000000000"),
    "settings": ("NULL", "'{}'", """'{"a": null}'"""),
}
_NEW: Final = {
    "is_active": ("true", "false"),
    "last_login_at": ("'2024-05-01 00:00+00'", "NULL"),
    "login_count": ("1", "8"),
    "settings": ("'{}'", """'{"b": 1}'"""),
    "nickname": ("'nick'", "NULL"),
}
_ROWS: Final = rows()
_TEXT: Final = "ROW(x.email, x.name, x.is_active, x.last_login_at, x.login_count, x.nickname)::text"
_SEVERAL: Final = " OR ".join(
    f"(SELECT count(*) > 1 FROM public.{table} o WHERE lower(btrim(o.email)) = x.email)"
    for table in ("people", "users")
)
_TAG: Final = {"people": "name", "users": "full_name"}
_CHOICES: Final = {"people": _PEOPLE, "users": _USERS}
_TABLES: Final = st.sampled_from(("people", "users"))


def _of_table(what: str) -> st.SearchStrategy[Operation]:
    return _TABLES.flatmap(
        lambda table: operation(
            what,
            place=st.just(table),
            row=_ROWS,
            key=st.sampled_from(_MAILS),
            values=values(_CHOICES[table]),
        )
    )


_OLD_SIDE: Final = [
    _of_table("insert"),
    _of_table("insert"),
    _of_table("update"),
    _of_table("update"),
    operation("rekey", place=_TABLES, row=_ROWS, key=st.sampled_from(_MAILS)),
    operation("renumber", place=st.just("users"), row=_ROWS, key=st.sampled_from(_UUIDS)),
    operation("delete", place=_TABLES, row=_ROWS),
    _of_table("update all"),
    one_of(operation("delete all", place=_TABLES), operation("truncate", place=_TABLES)),
]
_NEW_SIDE: Final = [
    operation(
        "new insert",
        place=st.just("employees"),
        key=st.sampled_from(_NEW_MAILS),
        values=values({**_NEW, "auth_id": _AUTHS}),
    ),
    operation("new update", key=st.sampled_from(_NEW_MAILS), values=values(_NEW)),
    operation("new update", key=st.sampled_from(_NEW_MAILS), values=values(_NEW)),
    operation("new account", key=st.sampled_from(_NEW_MAILS), values=values({"auth_id": _AUTHS})),
    operation("new badge", key=st.sampled_from(_NEW_MAILS), values=values({"badge": ("NULL", "'N1'", "'B2'")})),
    operation("new rekey", key=st.sampled_from(_NEW_MAILS), place=st.sampled_from(_NEW_MAILS)),
    operation("new delete", key=st.sampled_from(_NEW_MAILS)),
    operation("new update all", values=values({name: _NEW[name] for name in ("is_active", "login_count", "nickname")})),
    operation("rename department", key=st.sampled_from(("'Vertrieb'", "'Sales'"))),
    operation("new truncate"),
]


_BASE: Final = f"""
        INSERT INTO public.people (email, name, badge, department, is_active, last_login, login_count) VALUES
            ('p1@x.org', 't0', 'B1', 'Sales', true, '2024-01-02 00:00+00', 3),
            (' P1@X.org', 't1', 'B1', ' SALES', false, '2024-01-03 00:00+00', 4),
            ('p2@x.org', 't2', 'B2', NULL, NULL, NULL, NULL),
            (NULL, 't3', NULL, 'Cäre', true, NULL, 1), ('none', 't4', NULL, NULL, true, NULL, 1);
        INSERT INTO public.users (id, email, full_name, last_sign_in_at, sign_in_count, settings) VALUES
            ({_UUIDS[0]}, 'P1@x.org', 't5', '2024-01-04 00:00+00', 5, NULL),
            ('99999999-3333-4333-8333-333333333333', 'p3@x.org', 't6', NULL, 0, '{{"a": null}}'),
            ('88888888-3333-4333-8333-333333333333', 'P3@X.ORG', 't7', NULL, 1, '{{}}');
    """
_FOUND: Final = {
    "old": "SELECT name, x::text, ARRAY[lower(btrim(email))], 'people' FROM public.people x UNION ALL "
    "SELECT full_name, x::text, ARRAY[lower(btrim(email))], 'users' FROM public.users x",
    "new": f"SELECT name, {_TEXT}, ARRAY[email], 'employees' FROM public.employees x",
}


def _statement(operation: Operation, made: Sequence[str]) -> Statement:
    """The statement of an operation."""
    if operation.what.startswith(("new", "rename")):
        return _new(operation, made)
    return _old(operation, made)


def _old(operation: Operation, made: Sequence[str]) -> Statement:
    number = operation.row % len(made)
    table = (
        made[number]
        if made[number] in _TAG and operation.what not in {"insert", "renumber", "truncate"}
        else operation.place
    )
    if operation.what.startswith("update") and not set(dict(operation.values)) <= set(_CHOICES[table]):
        table = operation.place
    tag = _TAG[table]
    name = f"public.{table}"
    what: dict[str, str] = dict(operation.values)
    removes = operation.what.startswith("delete")
    where = "true" if operation.what.endswith("all") else f"{tag} = 't{number}'"
    if operation.what == "truncate":
        return Statement(f"TRUNCATE public.{table}", "old", table, "empties")
    if operation.what == "insert":
        what = {"email": operation.key, **what, tag: f"'t{len(made)}'"}
        text = f"INSERT INTO {name} AS x ({', '.join(what)}) VALUES ({', '.join(what.values())})"
    elif removes:
        text = f"DELETE FROM {name} AS x WHERE {where}"
    else:
        if operation.what == "rekey":
            what = {"email": operation.key}
        elif operation.what == "renumber":
            what = {"id": operation.key}
        text = f"UPDATE {name} AS x SET {pairs(what)} WHERE {where}"
    told = "true" if removes else written(what)
    text += f" RETURNING {tag}, x::text, {told}, ARRAY[lower(btrim(email))]"
    return Statement(text, "old", table, "removes" if removes else "writes")


def _new(operation: Operation, made: Sequence[str]) -> Statement:
    what: dict[str, str] = dict(operation.values)
    links, stands = "ARRAY[email]", f"WHERE email = {operation.key}"
    where = f"WHERE email = {operation.key}"
    if operation.what == "rename department":
        return Statement(
            f"UPDATE public.departments SET name = {operation.key} WHERE name ILIKE '%s%'",
            "new",
            "departments",
            "taints",
        )
    if operation.what == "new truncate":
        return Statement("TRUNCATE public.employees", "new", "employees", "empties")
    if operation.what == "new insert":
        what = {"email": operation.key, **what, "name": f"'t{len(made)}'"}
        text = f"INSERT INTO public.employees AS x ({', '.join(what)}) VALUES ({', '.join(what.values())}) ON CONFLICT DO NOTHING"
        # A snapshot may show somebody else's row of this key as well, as it was.
        stands += f" AND name = {what['name']}"
    elif operation.what == "new delete":
        text = f"DELETE FROM public.employees AS x {where}"
    elif operation.what == "new update all":
        text = f"UPDATE public.employees AS x SET {pairs(what)}"
    else:
        if operation.what == "new rekey":
            what, links, stands = (
                {"email": operation.place},
                f"ARRAY[email, {operation.key}]",
                f"WHERE email = {operation.place}",
            )
        text = f"UPDATE public.employees AS x SET {pairs(what)} {where}"
    removes = operation.what == "new delete"
    text += f" RETURNING name, {_TEXT}, {'true' if removes else written(what)}, {links}"
    # What only one row may have goes with the old row that speaks for the key.
    kept = {name: value for name, value in what.items() if name not in {"auth_id", "badge"}}
    # A new row whose key several old rows have is theirs at once, and another one may speak after it: docs/limits.md.
    is_so = f"{written(kept)} OR {_SEVERAL}" if operation.what == "new insert" else written(kept)
    again = "" if removes or operation.what.endswith("all") else f"SELECT {is_so} FROM public.employees x {stands}"
    return Statement(text, "new", "employees", "removes" if removes else "writes", again=again)


MERGE: Final = Cast(
    setup=replace(PEOPLE, name="machine merge", rows=""),
    base=_BASE,
    places=("people",) * 5 + ("users",) * 3,
    operations=one_of(one_of(*_OLD_SIDE), one_of(*_NEW_SIDE)),
    statement=_statement,
    found=_FOUND,
    look="SELECT count(*) FROM public.people, public.employees",
    by_tag=False,
)
