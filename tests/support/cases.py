"""What goes through the lifecycle harness: for each kind of mapping a plan, an old schema, and its applications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from tests.support.database import Database
from tests.support.traffic import Book

PACKS = Path(__file__).parent / "packs"
SHIPPED = Path(__file__).parents[2] / "orchestrator/plans"

_PREPARE = """
CREATE SEQUENCE public.app_numbers START 100000;
GRANT USAGE ON SCHEMA public{schemas} TO {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public{schemas} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public{schemas} TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
"""


@dataclass(frozen=True)
class Case:
    """One plan with its applications. Books of the new version belong to the stage that makes their table."""

    name: str
    plan: str
    legacy: Path
    stages: tuple[str, ...]
    tables: tuple[str, ...]
    old: tuple[Book, ...]
    new: Mapping[str, tuple[Book, ...]]
    old_tags: str
    new_tags: str
    views: Mapping[str, str]
    """Old table, as SQL: its compatibility view."""
    more_schemas: tuple[str, ...] = ()

    def build(self, database: Database) -> None:
        """The old schema with its rows, and what the application's role may do."""
        database.run(self.legacy.read_text(encoding="utf-8"))
        with database.connect() as conn:
            more = sql.SQL("").join(sql.SQL(", ") + sql.Identifier(each) for each in self.more_schemas)
            conn.execute(sql.SQL(_PREPARE).format(role=sql.Identifier(database.app_role), schemas=more))
        database.close()


def _old(table: str, insert: str, tag: str, changes: Sequence[str], *, read: Sequence[str] = ()) -> Book:
    """A book over one table whose column `tag` takes the tag."""
    return Book(
        name=table,
        insert=insert,
        update=[
            f"UPDATE {table} SET {tag} = %(tag)s{', ' + each if each else ''} WHERE {tag} = %(old)s" for each in changes
        ],
        delete=f"DELETE FROM {table} WHERE {tag} = %(old)s",
        read=[f"SELECT * FROM {table} WHERE {tag} LIKE %(tag)s", f"SELECT count(*), max({tag}) FROM {table}", *read],
    )


def _union(*queries: str) -> str:
    return " UNION ALL ".join(queries)


EXAMPLE = Case(
    name="example",
    plan="example",
    legacy=SHIPPED / "example/legacy.sql",
    stages=("customers",),
    tables=("public.customers_old", "public.customers_west"),
    old=(
        _old(
            "public.customers_old",
            "INSERT INTO public.customers_old (id, mail, name, credit) VALUES "
            "(-nextval('public.app_numbers'), %(n)s || '@Example.com', %(tag)s, %(r)s) RETURNING id, status, joined",
            "name",
            [
                "",
                "credit = coalesce(credit, 0) - 1",
                "status = ' CLOSED '",
                "mail = upper(mail), joined = '2024-02-29'",
                "id = -nextval('public.app_numbers')",
            ],
        ),
        _old(
            "public.customers_west",
            "INSERT INTO public.customers_west (id, mail, name, loyalty_card) "
            "VALUES (-nextval('public.app_numbers'), %(n)s || '@west.example', %(tag)s, 'W-' || %(r)s) RETURNING *",
            "name",
            ["loyalty_card = NULL", "status = 'odd'", "credit = 12.5"],
        ),
    ),
    new={
        "customers": (
            _old(
                "public.customers",
                "INSERT INTO public.customers (shop, number, email, name) "
                "VALUES ('main', nextval('public.app_numbers'), %(n)s || '@new.example', %(tag)s) RETURNING id, status",
                "name",
                [
                    "",
                    "credit = credit + 1",
                    "status = 'closed'",
                    "email = %(n)s || '@newer.example'",
                    "shop = CASE shop WHEN 'main' THEN 'west' ELSE 'main' END",
                    "number = nextval('public.app_numbers')",
                ],
            ),
        )
    },
    old_tags=_union("SELECT name FROM public.customers_old", "SELECT name FROM public.customers_west"),
    new_tags="SELECT name FROM public.customers",
    views={
        "public.customers_old": "compat.customers_old",
        "public.customers_west": "compat.customers_west",
    },
)

_NIGHT = 'public."Night shift; 24/7"'
_NEW_MARK = """
    WITH t AS (INSERT INTO public.tickets (queue, subject) VALUES ('main', %(tag)s) RETURNING id),
         m AS (INSERT INTO public.ticket_marks (ticket_id, mark, score) SELECT id, 'tone', 2 FROM t RETURNING 1)
    SELECT * FROM m
"""
_MORE_MARK = """
    WITH t AS (UPDATE public.tickets SET subject = %(tag)s WHERE subject = %(old)s RETURNING id)
    UPDATE public.ticket_marks m SET score = m.score + 1 FROM t WHERE m.ticket_id = t.id AND m.mark = 'tone'
"""
_TICKET = "INSERT INTO public.tickets (queue, subject, weight) VALUES ({}, %(tag)s, %(r)s) RETURNING id, state"

TICKETS = Case(
    name="tickets",
    plan=str(PACKS / "tickets"),
    legacy=PACKS / "tickets/legacy.sql",
    stages=("tickets", "marks"),
    tables=("public.billing", _NIGHT, "branch.billing"),
    old=(
        _old(
            "public.billing",
            "INSERT INTO public.billing (subject) VALUES (%(tag)s) RETURNING id, state, opened, weight, speed",
            "subject",
            [
                "",
                "tone = 1 + coalesce(tone, 0)",
                "weight = -3, speed = 0",
                "opened = '1999-12-31', clarity = 1.5",
                "id = gen_random_uuid()",
                "note = 'x', state = ' Closed'",
            ],
        ),
        _old(
            _NIGHT,
            f"INSERT INTO {_NIGHT} (subject, tone) VALUES (%(tag)s, %(r)s::text) RETURNING *",
            "subject",
            ["", "tone = 'n/a'", "\"Polite?\" = NULL, tone = ' 7 '", "state = ''", "id = id + 1000000"],
        ),
        _old(
            "branch.billing",
            "INSERT INTO branch.billing (subject, weight) VALUES (%(tag)s, %(r)s / 7.0) RETURNING id, opened",
            "subject",
            ["", "tone = NULL", "opened = '6 Jun 2024'", "weight = 0.1, state = 'closed'"],
        ),
    ),
    new={
        "tickets": (
            _old(
                "public.tickets",
                _TICKET.format("'main'"),
                "subject",
                ["", "state = 'closed'", "opened = opened + 1", "weight = NULL"],
            ),
            _old("public.tickets", _TICKET.format("'night'"), "subject", ["", "state = 'closed'", "weight = 1"]),
            _old(
                "public.tickets",
                _TICKET.format("'branch'"),
                "subject",
                ["", "weight = 3.25", "queue = CASE queue WHEN 'main' THEN 'branch' ELSE 'main' END"],
            ),
        ),
        "marks": (
            Book(
                name="public.ticket_marks",
                insert=_NEW_MARK,
                update=[_MORE_MARK],
                delete="DELETE FROM public.tickets WHERE subject = %(old)s",
                read=["SELECT mark, sum(score) FROM public.ticket_marks GROUP BY mark"],
            ),
        ),
    },
    old_tags=_union(
        *(f"SELECT subject FROM {table}" for table in ("public.billing", _NIGHT, "branch.billing")),
    ),
    new_tags="SELECT subject FROM public.tickets",
    views={
        "public.billing": "compat.billing",
        _NIGHT: 'compat."Night shift; 24/7"',
        "branch.billing": 'compat."branch.billing"',
    },
    more_schemas=("branch",),
)

PERSONS = Case(
    name="persons",
    plan=str(PACKS / "persons"),
    legacy=PACKS / "persons/legacy.sql",
    stages=("persons",),
    tables=("public.staff", "public.logins"),
    old=(
        _old(
            "public.staff",
            "INSERT INTO public.staff (email, name) "
            "VALUES (' ' || upper(%(n)s) || '@example.com', %(tag)s) RETURNING city, active",
            "name",
            ["", "city = 'Oslo'", "phone = %(r)s::text, active = NOT active", "email = %(n)s || '@moved.example.com'"],
        ),
        _old(
            "public.logins",
            "INSERT INTO public.logins (email, nickname) "
            "VALUES (%(n)s || '@login.example.com', %(tag)s) RETURNING id, seen, prefs",
            "nickname",
            ["", "visits = visits + 1", "seen = '2024-06-01 12:00:00+02'", "prefs = '{\"a\": [1, 2.50]}'"],
        ),
    ),
    new={
        "persons": (
            _old(
                "public.persons",
                "INSERT INTO public.persons (email, name, nickname) "
                "VALUES (%(n)s || '@new.example.com', %(tag)s, %(tag)s) RETURNING id",
                "name",
                [
                    "nickname = %(tag)s",
                    "nickname = %(tag)s, visits = visits + 1",
                    "nickname = %(tag)s, phone = '1'",
                    "nickname = %(tag)s, email = %(n)s || '@newer.example.com'",
                ],
            ),
        )
    },
    old_tags=_union("SELECT name FROM public.staff", "SELECT nickname FROM public.logins"),
    new_tags="SELECT unnest(ARRAY[name, nickname]) FROM public.persons",
    views={"public.staff": "compat.staff", "public.logins": "compat.logins"},
)

_SOME_STATUS = "(SELECT id FROM public.statuses ORDER BY id OFFSET %(r)s %% 3 LIMIT 1)"
_NEW_STEP = "UPDATE public.steps SET remark = 'r:' || %(tag)s{} WHERE remark = 'r:' || %(old)s"


# No SELECT *: PostgreSQL refuses a prepared one once after a column was added, whoever adds it.
def _marks(table: str, word: str) -> Book:
    insert = f"INSERT INTO {table} ({word}) VALUES (%(tag)s) RETURNING id"
    return _old(table, insert, word, ["", "strength = strength + 1"])


STEPS = Case(
    name="steps",
    plan=str(PACKS / "steps"),
    legacy=PACKS / "steps/legacy.sql",
    stages=("steps",),
    tables=("public.steps",),
    old=(
        Book(
            name="public.steps",
            insert="INSERT INTO public.steps (note, weight) VALUES (%(tag)s, %(r)s) RETURNING id, status, changed",
            update=[
                f"UPDATE public.steps SET note = %(tag)s{more} WHERE note = %(old)s"
                for more in (
                    "",
                    ", status = 'Done '",
                    ", status = ''",
                    ", weight = weight + 300",
                    ", status = 'open', id = id + 1000000",
                )
            ],
            delete="DELETE FROM public.steps WHERE note = %(old)s",
            read=["SELECT id, note, status, weight FROM public.steps WHERE note LIKE %(tag)s"],
            asks_again=True,
        ),
        _marks("public.step_marks", "wrod"),
    ),
    new={
        "steps": (
            Book(
                name="public.steps (new)",
                insert=f"INSERT INTO public.steps (remark, status_id) VALUES ('r:' || %(tag)s, {_SOME_STATUS}) RETURNING id",
                update=[
                    _NEW_STEP.format(more)
                    for more in ("", f", status_id = {_SOME_STATUS}", ", status_id = NULL", ", weight = 7")
                ],
                delete="DELETE FROM public.steps WHERE remark = 'r:' || %(old)s",
                read=["SELECT id, remark, status_id FROM public.steps WHERE remark LIKE 'r:' || %(tag)s"],
                asks_again=True,
            ),
            _marks("public.marks", "word"),
        )
    },
    old_tags=_union("SELECT note FROM public.steps", "SELECT wrod FROM public.step_marks"),
    new_tags=_union("SELECT substr(remark, 3) FROM public.steps", "SELECT word FROM public.marks"),
    views={},
)

PARCELS = Case(
    name="parcels",
    plan=str(PACKS / "parcels"),
    legacy=PACKS / "parcels/legacy.sql",
    stages=("derived",),
    tables=("public.parcels",),
    old=(
        _old(
            "public.parcels",
            "INSERT INTO public.parcels (tag, received, due, track) "
            "VALUES (%(tag)s, '2024-03-01', date '2024-03-01' + %(r)s::integer, 'A') RETURNING number",
            "tag",
            [
                "",
                "due = due + 1",
                "track = CASE track WHEN 'A' THEN 'S' ELSE 'A' END",
                "received = NULL, goods = concat(goods, ',toys')",
                "weight = 1, goods = 'toys, glass,Toys'",
            ],
        ),
        _old(
            "public.parcels",
            "INSERT INTO public.parcels (tag, due) VALUES (%(tag)s, '2024-03-01')",
            "tag",
            ["", "received = '2024-04-01'", "number = number + 1000000"],
        ),
    ),
    new={
        "derived": (
            _old(
                "public.promises",
                "INSERT INTO public.promises (parcel, tag, title) VALUES (-1, %(tag)s, 'by hand') RETURNING promise",
                "tag",
                ["", "days = 1", "title = title || '!'"],
            ),
        )
    },
    old_tags=_union("SELECT tag FROM public.parcels", "SELECT tag FROM public.promises WHERE parcel = -1"),
    new_tags="SELECT tag FROM public.promises",
    views={},
)

CASES = (EXAMPLE, TICKETS, PERSONS, STEPS, PARCELS)
