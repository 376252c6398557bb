"""Values and tables as they come: every one of them is the same on the way back, or is rejected whole."""

from __future__ import annotations

import pytest

from tests.support.database import Databases
from tests.support.mapping import Setup, World, open_world

pytestmark = pytest.mark.every

ODD = Setup(
    name="odd",
    legacy=r"""
        CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'happy');
        CREATE DOMAIN public.feeling AS public.mood CHECK (VALUE <> 'happy');
        CREATE TYPE public.pair AS (a integer, b text);
        CREATE DOMAIN public.mail AS text CHECK (VALUE ~ '@');
        CREATE DOMAIN public.folded AS text;
        CREATE TABLE public.odd (
            "Id""; --" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            keys text, v_from integer, n text, d text, x text, reason text, "row" text, "#key" text, "$changeover$" text,
            "Größe des Ärgers in Prozent :fn: %s {0} und noch mehr Zeichen" text,
            j json, jb jsonb, ints integer[], texts text[], mood public.mood, moods public.mood[], pair public.pair,
            mail public.mail, folded public.folded,
            f4 real, f8 double precision, num numeric, num52 numeric(5, 2), small smallint, big bigint,
            day date, at timestamp, atz timestamptz, t time, iv interval, span tsrange,
            v9 varchar(9), c5 char(5), b bytea, bits bit(3), ip inet, u uuid, money numeric(12, 3), ok boolean,
            twice integer GENERATED ALWAYS AS (coalesce(v_from, 1) * 2) STORED
        );
    """,
    new="""
        CREATE TABLE public.even (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            reason text, mood text, mail text, num52 numeric(12, 4), small integer, v9 text, c5 text, day date,
            atz timestamptz, at timestamp, iv interval, f8 double precision, f4 real, ints integer[], j jsonb, folded text,
            span tsrange, big numeric, jj json, feels public.feeling,
            extra jsonb NOT NULL DEFAULT '{}',
            legacy jsonb NOT NULL DEFAULT '{}'
        );
    """,
    sources=((("public.odd", "odd"),),),
    mappings=(
        {
            "unify": "public.even",
            "sources": ["-"],
            "key": {"column": 'Id"; --'},
            "originals": "legacy",
            "types": {
                "reason": "text",
                "mood": "text",
                "mail": "text",
                "num52": "numeric",
                "small": "integer",
                "v9": "text",
                "c5": "text",
                "day": "date",
                "atz": "timestamptz",
                "at": "timestamp",
                "iv": "interval",
                "f8": "numeric",
                "f4": "numeric",
                "ints": "integer[]",
                "j": "jsonb",
                "folded": "text",
                "span": "tsrange",
                "big": "numeric",
            },
            "columns": {
                "reason": "s.reason",
                "mood": "s.mood",
                "feels": "nullif(s.mood, 'happy')",
                "mail": "lower(s.mail)",
                "num52": "s.num52",
                "small": "s.small",
                "v9": "s.v9",
                "c5": "s.c5",
                "day": "s.day",
                "atz": "s.atz",
                "at": "s.at",
                "iv": "s.iv",
                "f8": "s.f8",
                "f4": "s.f4",
                "ints": "s.ints",
                "j": "s.j",
                "folded": "lower(s.folded)",
                "span": "s.span",
                "big": "s.big",
                "jj": "s.j::json",
            },
            "reverse": {
                "reason": "t.reason",
                "mood": "t.mood",
                "mail": "t.mail",
                "num52": "t.num52",
                "small": "t.small",
                "v9": "t.v9",
                "c5": "t.c5",
                "day": "t.day",
                "atz": "t.atz",
                "at": "t.at",
                "iv": "t.iv",
                "f8": "t.f8",
                "f4": "t.f4",
                "ints": "t.ints",
                "j": "t.j",
                "folded": "t.folded",
                "span": "t.span",
                "big": "t.big",
            },
            "pack": {"rest": "extra"},
        },
    ),
    rows=r"""
        INSERT INTO public.odd (keys, "row", "$changeover$", "Größe des Ärgers in Prozent :fn: %s {0} und noch mehr Zeichen")
        VALUES ('a', 'b', '$changeover$', 'c'), (NULL, NULL, NULL, NULL), ('', ' ', E'\\x', E'\'');
        INSERT INTO public.odd (j, jb) VALUES
            ('null', 'null'), (NULL, NULL), ('{"a":1, "a":2}', '{"a": [1, null]}'), ('"\u0000"', '""'), ('1.0', '1.0'), ('1e2', '[]');
        INSERT INTO public.odd (ints, texts, mood, moods, pair) VALUES
            ('{}', '{}', 'sad', '{}', NULL), ('{1,NULL}', '{NULL,"NULL",""," ","a,b"}', 'happy', '{ok,NULL}', ROW(1, NULL)),
            ('[0:1]={1,2}', '{{a,b},{c,d}}', NULL, NULL, ROW(NULL, '","'));
        INSERT INTO public.odd (mail, folded, v9, c5, b, bits, ip, u) VALUES
            ('A@b', 'Straße', '123456789', 'ab', '\x00ff', '101', '::1/64', 'aaaaaaaa-0000-0000-0000-000000000000'),
            ('a@b ', ' ', '', '', '', '000', '10.0.0.1', NULL);
        INSERT INTO public.odd (f4, f8, num, num52, small, big, money) VALUES
            ('NaN', 'NaN', 'NaN', 'NaN', 32767, 9223372036854775807, 1.500), ('Infinity', '-Infinity', 'Infinity', 999.99, -32768,
            -9223372036854775808, 0.000), ('-0', '-0', 0.00, 0.50, 0, 0, -1), (1.1, 1e300, 1e-20, -0.01, 1, 1, 1),
            (3e38, 5e-324, 1e200, 1, 1, 1, 123456789.123);
        INSERT INTO public.odd (day, at, atz, t, iv, span) VALUES
            ('infinity', 'infinity', 'infinity', '24:00', '1 mon -2 days +03:00:01.5', 'empty'),
            ('-infinity', '-infinity', '-infinity', '00:00:00.000001', '-1 year', '[2024-01-01,)'),
            ('0044-03-15 BC', '0044-03-15 BC', '0044-03-15 12:00+00 BC', '12:00', '0', '[2024-01-01 10:00,2024-01-01 11:00]'),
            ('5874897-12-31', '294276-12-31', '294276-12-31 00:00+00', '12:00', '178000000 years', NULL),
            ('2024-02-29', '2024-03-31 01:59:59.999999', '2024-10-27 02:30:00+02', NULL, NULL, '(,)');
    """,
)


@pytest.fixture
def odd(databases: Databases) -> World:
    return open_world(databases, ODD)


def test_every_odd_value_comes_back_to_the_last_bit(odd: World) -> None:
    odd.check()
    assert odd.rows("SELECT reason, row FROM changeover.reject") == []


def test_a_mirrored_write_gives_the_same_as_the_copy(odd: World) -> None:
    world = odd
    before = world.rows("SELECT e::text FROM public.even e ORDER BY id")
    world.do("UPDATE public.odd SET n = n")
    world.check()
    assert world.rows("SELECT e::text FROM public.even e ORDER BY id") == before


@pytest.mark.parametrize(
    "settings",
    [
        {"TimeZone": "Asia/Kolkata", "DateStyle": "SQL, DMY", "IntervalStyle": "sql_standard"},
        {"TimeZone": "America/St_Johns", "DateStyle": "German", "IntervalStyle": "iso_8601", "bytea_output": "escape"},
        {"DateStyle": "Postgres, DMY", "IntervalStyle": "postgres_verbose", "standard_conforming_strings": "off",
         "backslash_quote": "on", "escape_string_warning": "off"},
        {"search_path": "pg_catalog", "lock_timeout": "5ms", "default_transaction_isolation": "serializable"},
        {"search_path": "compat, public", "xmloption": "document", "transform_null_equals": "on", "jit": "on"},
    ],
)  # fmt: skip
def test_what_a_session_has_set_changes_nothing(odd: World, settings: dict[str, str]) -> None:
    world = odd
    before = world.rows("SELECT to_jsonb(e) FROM public.even e ORDER BY id")
    session = world.session(**settings)  # type: ignore[arg-type]  # names of settings are data here
    session.execute(b"UPDATE public.odd SET n = n")
    session.execute(b"UPDATE public.even SET reason = reason")
    world.check()
    assert world.rows("SELECT to_jsonb(e) FROM public.even e ORDER BY id") == before
    # The view gives the same to that session as the table does.
    differing = session.execute(
        b"SELECT count(*) FROM (SELECT o::text FROM public.odd o EXCEPT ALL SELECT v::text FROM compat.odd v) x"
    ).fetchone()
    assert differing == (0,)


@pytest.mark.parametrize(
    "change",
    [
        "mood = 'furious'", "mail = 'no at sign'", "num52 = 12345678", "small = 99999", "v9 = 'longer than nine'",
        "c5 = 'longer'", "f4 = 'NaN', f8 = 1e300", "big = 1e30", "day = 'infinity'", "ints = NULL", "j = '[1,2]'",
        """extra = extra || '{"ints": 1, "f4": "x", "texts": [1, 2], "pair": "no", "t": "25:00", "ip": "no", "bits": "12345"}'""",
        """extra = extra || '{"moods": "x", "money": 1e20, "num": "x", "u": "x", "ok": "x", "span": 1, "jb": null}'""",
        "extra = '{}'", "extra = '[]'", "legacy = '{}'", "legacy = '[1]'", "folded = NULL, span = 'empty', iv = '1 day'",
    ],
)  # fmt: skip
def test_what_the_old_table_cannot_hold_never_breaks_a_reader_or_a_writer(odd: World, change: str) -> None:
    world = odd
    world.do(f"UPDATE public.even SET {change}")
    world.rows("SELECT o::text FROM compat.odd o")
    world.check()
    world.do("UPDATE public.odd SET n = 'touched'")
    world.check()


def test_a_row_with_defaults_of_the_old_table_is_born_on_either_side(odd: World) -> None:
    world = odd
    world.do(
        "INSERT INTO public.even (reason, mood) VALUES ('new', 'ok')",
        "INSERT INTO public.odd (reason, v_from) VALUES ('old', 4)",
    )
    world.check()
    assert world.rows("SELECT reason, twice FROM compat.odd WHERE reason IS NOT NULL ORDER BY 1") == [
        ("new", 2),
        ("old", 8),
    ]


def test_columns_may_be_called_like_our_aliases(databases: Databases) -> None:
    letters = [*"xydgtskrphabcvfjqz", "old", "new"]
    names = ", ".join(f'"{each}" text' for each in letters)
    setup = Setup(
        name="letters",
        legacy=f"CREATE TABLE public.letters (id integer PRIMARY KEY, reason text, {names})",
        new=f"CREATE TABLE public.papers (id integer PRIMARY KEY, reason text, {names}, rest jsonb DEFAULT '{{}}')",
        rows="INSERT INTO public.letters (id, reason, x, y, d, g) VALUES (1, NULL, 'x', 'y', 'd', 'g'), (2, 'bad', 'x', 'y', 'd', 'g')",
        sources=((("public.letters", "letters"),),),
        mappings=(
            {
                "unify": "public.papers",
                "sources": ["-"],
                "key": {"column": "id"},
                "originals": "rest",
                "types": dict.fromkeys(("reason", *letters), "text"),
                "columns": {each: f's."{each}"' for each in ("reason", *letters)},
                "reverse": {each: f't."{each}"' for each in ("reason", *letters)},
                "rejects": {"bad": "s.reason = 'bad'"},
            },
        ),
    )
    world = open_world(databases, setup)
    world.check()
    world.do(
        "INSERT INTO public.letters (id, reason, t) VALUES (3, 'bad', 't'), (4, NULL, 't')",
        "UPDATE public.papers SET x = 'new', k = 'k' WHERE id = 4",
    )
    world.check()
    world.do("ALTER TABLE public.papers DISABLE TRIGGER ALL", "UPDATE public.papers SET d = 'other'")
    assert {(kind, tuple(columns)) for _, _, kind, columns, *_ in world.differences()} == {("different", ("d",))}
