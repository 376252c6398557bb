"""Columns of the old table that take no value at all, or none of ours: generated, required, of a domain that is."""

from __future__ import annotations

import pytest

from tests.support.database import Databases
from tests.support.mapping import Setup, World, open_world

_OLD = """
    title text NOT NULL, hits integer NOT NULL, greet integer, score numeric GENERATED ALWAYS AS (greet * 10) STORED,
    rank public.rank, code public.code, grade public.grade, mail public.mail
"""
_LEGACY = f"""
    CREATE DOMAIN public.rank AS integer NOT NULL;
    CREATE DOMAIN public.code AS varchar(4) NOT NULL CHECK (length(VALUE) > 1) DEFAULT 'none';
    CREATE TYPE public.colour AS ENUM ('red', 'blue');
    CREATE DOMAIN public.grades AS public.colour NOT NULL;
    CREATE DOMAIN public.grade AS public.grades;
    CREATE DOMAIN public.mail AS text CHECK (VALUE ~ '@');
    CREATE TABLE public.papers (id bigint PRIMARY KEY, {_OLD});
    CREATE TABLE public.prints (id text PRIMARY KEY, {_OLD});
"""
_NEW = """
    CREATE TABLE public.works (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(), slug text UNIQUE, title text, hits integer, score numeric, rank integer,
        code text, grade text, mail text, shop text, legacy jsonb NOT NULL DEFAULT '{}'
    );
"""
_ROWS = """
    INSERT INTO public.papers (id, title, hits, greet, rank, code, grade, mail)
    VALUES (1, 'one', 1, 1, 1, 'ab', 'blue', 'a@b'), (2, 'two', 2, NULL, 2, 'cd', 'red', NULL);
    INSERT INTO public.prints (id, title, hits, greet, rank, code, grade)
    VALUES ('p', 'three', 3, 3, 3, 'ef', 'blue');
"""
_TYPES = {"title": "text", "hits": "integer", "score": "numeric", "rank": "integer", "code": "text", "grade": "text"}
UNIFY = Setup(
    name="required-unify",
    legacy=_LEGACY,
    new=_NEW,
    rows=_ROWS,
    sources=((("public.papers", "papers"), ("public.prints", "prints")),),
    mappings=(
        {
            "unify": "public.works",
            "sources": ["-"],
            "key": {"column": "id"},
            "discriminator": "shop",
            "originals": "legacy",
            "types": {**_TYPES, "mail": "text"},
            "columns": {name: f"s.{name}" for name in [*_TYPES, "mail"]},
            "reverse": {name: f"t.{name}" for name in [*_TYPES, "mail"]},
        },
    ),
)
MERGE = Setup(
    name="required-merge",
    legacy=_LEGACY,
    new=_NEW,
    rows=_ROWS,
    mappings=(
        {
            "merge": "public.works",
            "key": "slug",
            "originals": "legacy",
            "columns": {
                "id": "changeover.uuid_of('works', k.key)",
                "shop": "CASE WHEN papers.id IS NULL THEN 'prints' ELSE 'papers' END",
                **{name: f"coalesce(papers.{name}, prints.{name})" for name in _TYPES},
            },
            "sources": {
                name: {
                    "table": f"public.{name}",
                    "key": "s.id::text",
                    "order": ["s.id"],
                    "types": {**_TYPES, "id": kind},
                    "reverse": {column: f"t.{column}" for column in _TYPES},
                    "when": f"t.shop = '{name}'",
                }
                for name, kind in (("papers", "bigint"), ("prints", "text"))
            },
        },
    ),
)


@pytest.fixture(params=[UNIFY, MERGE], ids=["unify", "merge"])
def works(request: pytest.FixtureRequest, databases: Databases) -> World:
    return open_world(databases, request.param)


def test_what_the_old_table_computes_itself_the_new_side_may_say_otherwise(works: World) -> None:
    world = works
    world.do("UPDATE public.works SET score = 77 WHERE title = 'one'")
    world.check()
    assert world.rows("SELECT score FROM public.papers WHERE title = 'one'") == [(10,)]
    world.do("UPDATE public.papers SET hits = 8 WHERE title = 'one'")
    world.check()
    assert world.rows("SELECT score, hits FROM public.works WHERE title = 'one'") == [(77, 8)]
    world.do("UPDATE public.papers SET greet = 5 WHERE title = 'one'")
    world.check()
    assert world.rows("SELECT score FROM public.works WHERE title = 'one'") == [(50,)]


def test_a_row_that_says_nothing_of_what_is_required_goes_over_and_can_be_read(databases: Databases) -> None:
    world = open_world(databases, UNIFY)
    world.do("INSERT INTO public.works (shop) VALUES ('papers')")
    world.check()
    assert world.rows(
        "SELECT title, hits, rank, code, grade::text, score FROM compat.papers WHERE id NOT IN (1, 2)"
    ) == [("", 0, 0, "none", "red", None)]


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "SERIALIZABLE"])
def test_a_value_that_is_required_and_taken_away_holds_up_nothing(works: World, isolation: str) -> None:
    world = works
    with world.session(isolation) as session:
        session.execute("UPDATE public.works SET title = NULL, hits = NULL, rank = NULL, code = NULL, grade = NULL")
    world.check()
    assert world.rows("SELECT DISTINCT title, hits, rank, code, grade::text FROM public.papers") == [
        ("", 0, 0, "none", "red")
    ]
    world.do("UPDATE public.papers SET greet = 6 WHERE id = 1", "UPDATE public.papers SET title = 'said' WHERE id = 2")
    world.check()
    assert world.rows("SELECT title, hits FROM public.works ORDER BY title NULLS LAST") == [
        ("said", None),
        (None, None),
        (None, None),
    ]
    world.do("UPDATE public.works SET title = 'again', rank = 9")
    world.check()
    assert world.rows("SELECT DISTINCT title, hits, rank FROM public.papers") == [("again", 0, 9)]


def test_a_value_that_no_domain_would_take_hides_no_other_row(databases: Databases) -> None:
    world = open_world(databases, UNIFY)
    world.do(
        "ALTER TABLE public.papers ALTER code DROP DEFAULT; ALTER DOMAIN public.code DROP DEFAULT",
        "UPDATE public.papers SET hits = 1",
    )
    world.recompile()
    world.do("INSERT INTO public.works (shop, title) VALUES ('papers', 'late')")
    assert world.value("SELECT count(*) FROM compat.papers") == 2
    assert world.value("SELECT count(*) FROM changeover.queue") > 0
    world.do("UPDATE public.works SET code = 'gh' WHERE title = 'late'")
    world.check()
    assert world.value("SELECT code FROM public.papers WHERE title = 'late'") == "gh"
