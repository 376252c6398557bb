"""Keys of rows that are born on the new side, where the old table gives none and its application takes its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.database import Databases
from tests.support.mapping import PAGES, World, open_world
from tests.support.mapping_worlds import NUMBERED
from tests.support.sessions import threads


@pytest.fixture
def world(databases: Databases) -> World:
    """Two shops with numbers for keys, copied."""
    return open_world(databases, NUMBERED)


def _born(name: str, shop: str = "a") -> str:
    return f"INSERT INTO public.buyers (shop, name) VALUES ('{shop}', '{name}')"


def _names(world: World, table: str = "public.a_buyers") -> list[str]:
    return [row[0] for row in world.rows(f"SELECT name FROM {table} WHERE id NOT IN (1, 2, 3) ORDER BY name")]


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_two_rows_born_at_once_get_two_keys_and_neither_waits_for_the_other(world: World, isolation: str) -> None:
    one, two = world.session(isolation), world.session(isolation)
    for session in (one, two):
        session.execute(b"SELECT count(*) FROM public.a_buyers")
    one.execute(_born("one").encode())
    two.execute(_born("two").encode())
    for session in (two, one):
        session.commit()
    world.check()
    assert _names(world) == ["one", "two"]


def _take(world: World, key: int, *more: int) -> None:
    """The next rows born in a_buyers would get these keys."""
    number = world.source("a_buyers").id
    for each in (*more, key):
        world.do(f"SELECT setval('changeover.m{number}_numbers', {each}, false)")


@pytest.mark.parametrize(
    "change", ["UPDATE public.buyers SET name = 'new, changed', city = 'Oslo'", "DELETE FROM public.buyers"]
)
@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_a_key_that_another_row_has_is_never_written_by_it(world: World, change: str, isolation: str) -> None:
    _take(world, -7)
    old, new = world.session("READ COMMITTED"), world.session(isolation)
    # The old application takes the very key that the new row is given, and has not committed yet.
    old.execute(b"INSERT INTO public.a_buyers (id, name) VALUES (-7, 'old')")
    with threads(world.conn) as running:
        running.start(new, _born("new")).result()
        old.commit()
        new.commit()
    # It is changed before anybody has given it another key.
    world.do(f"{change} WHERE name = 'new'")
    assert world.value("SELECT name FROM public.a_buyers WHERE id = -7") == "old"
    world.check()
    assert world.value("SELECT name FROM public.a_buyers WHERE id = -7") == "old"
    assert _names(world) == (["new, changed", "old"] if change.startswith("UPDATE") else ["old"])


def test_what_hangs_on_a_row_without_a_key_is_not_written_to_the_row_that_has_it(world: World) -> None:
    _take(world, -7)
    old, new = world.session("READ COMMITTED"), world.session("READ COMMITTED")
    old.execute(b"INSERT INTO public.a_buyers (id, name) VALUES (-7, 'old')")
    with threads(world.conn) as running:
        running.start(new, _born("new")).result()
        old.commit()
    points = (
        "INSERT INTO public.points (buyer_id, item, score) SELECT id, 'p1', {} FROM public.buyers WHERE name = 'new'"
    )
    new.execute(points.format(4).encode())
    new.commit()
    world.do("UPDATE public.points SET score = 5 WHERE buyer_id = (SELECT id FROM public.buyers WHERE name = 'new')")
    world.check()
    assert world.rows("SELECT name, p1 FROM public.a_buyers WHERE name IN ('new', 'old') ORDER BY name") == [
        ("new", 5),
        ("old", None),
    ]


def test_a_row_that_waits_twice_gets_one_key(world: World) -> None:
    new = world.session("SERIALIZABLE")
    new.execute(_born("new").encode())
    new.commit()
    new.execute(b"BEGIN ISOLATION LEVEL SERIALIZABLE")
    new.execute(b"UPDATE public.buyers SET city = 'Oslo' WHERE name = 'new'")
    new.commit()
    world.do("UPDATE public.buyers SET city = 'Rome' WHERE name = 'new'")
    world.check()
    assert world.rows("SELECT count(*), min(city) FROM public.a_buyers WHERE name = 'new'") == [(1, "Rome")]


def test_a_row_goes_from_shop_to_shop_and_comes_back(world: World) -> None:
    world.do(_born("new"))
    for shop in ("b", "a", "b"):
        world.do(f"UPDATE public.buyers SET shop = '{shop}', city = '{shop}' WHERE name = 'new'")
    world.check()
    assert _names(world) == []
    assert world.rows("SELECT city FROM public.b_buyers WHERE name = 'new'") == [("b",)]


def test_a_row_that_is_given_another_id_keeps_its_place(world: World) -> None:
    world.do("UPDATE public.buyers SET id = gen_random_uuid(), city = 'Oslo' WHERE name = 'a1'")
    world.check()
    assert world.rows("SELECT id, city FROM public.a_buyers WHERE name = 'a1'") == [(1, "Oslo")]


def test_keys_are_taken_where_the_old_application_does_not_come(world: World) -> None:
    world.do(_born("one"), _born("two"))
    world.do("INSERT INTO public.a_buyers (id, name) SELECT max(id) + 1, 'next' FROM public.a_buyers")
    world.check()
    assert [row[0] for row in world.rows("SELECT id FROM public.a_buyers ORDER BY id")] == [-2, -1, 1, 2, 3, 4]


def test_what_is_written_before_the_old_tables_have_their_mirrors_is_not_missed(databases: Databases) -> None:
    world = open_world(databases, NUMBERED, copied=False)
    world.state("found")
    world.do("ALTER TABLE public.a_buyers DISABLE TRIGGER USER")
    world.do(_born("new"), _born("other"))
    world.do(
        "UPDATE public.a_buyers SET city = 'Oslo' WHERE name = 'new'",
        "DELETE FROM public.a_buyers WHERE name = 'other'",
    )
    world.do("ALTER TABLE public.a_buyers ENABLE TRIGGER USER")
    world.state("mirrored")
    world.copy()
    world.check()
    assert world.rows("SELECT name, city FROM public.buyers WHERE name IN ('new', 'other')") == [("new", "Oslo")]


@pytest.mark.parametrize(
    "change",
    ["UPDATE public.buyers SET shop = 'b'", "UPDATE public.buyers SET city = 'Oslo'", "DELETE FROM public.buyers"],
)
def test_a_snapshot_that_does_not_see_that_a_row_has_its_key_by_now(world: World, change: str) -> None:
    born = world.session("SERIALIZABLE")
    born.execute(_born("new").encode())
    born.commit()
    new = world.session("REPEATABLE READ")
    new.execute(b"SELECT count(*) FROM public.buyers")
    world.drain()
    assert _names(world) == ["new"]
    new.execute(f"{change} WHERE name = 'new'".encode())
    new.commit()
    world.check()
    assert world.rows("SELECT shop, city FROM public.buyers WHERE name = 'new'") == world.rows(
        "SELECT 'a', city FROM public.a_buyers WHERE name = 'new' UNION ALL SELECT 'b', city FROM public.b_buyers WHERE name = 'new'"
    )


def test_what_is_split_from_a_row_goes_with_it_whoever_drains_and_whoever_copies(databases: Databases) -> None:
    world = open_world(databases, NUMBERED, copied=False)
    parents, children = world.source("a_buyers", "unify"), world.source("a_buyers", "split")
    for kind in ("a_buyers", "b_buyers"):
        world.call(world.conn, world.source(kind, "unify"), "batch", 0, PAGES)
    world.do(f"UPDATE changeover.source SET state = 'copied' WHERE mapping_id = {parents.mapping}")
    batch, new = world.session("READ COMMITTED"), world.session("SERIALIZABLE")
    world.call(batch, children, "batch", 0, PAGES)
    new.execute(b"DELETE FROM public.buyers WHERE name = 'a1'")
    new.commit()
    world.call(world.conn, parents, "drain", 100)
    batch.commit()
    assert _names(world) == []
    world.copy()
    world.check()


def test_what_was_split_in_another_table_goes_with_its_row(world: World) -> None:
    world.do("UPDATE public.a_buyers SET p2 = 9 WHERE id = 1", "UPDATE public.buyers SET shop = 'b' WHERE name = 'a1'")
    world.do("DELETE FROM public.buyers WHERE name = 'a1'")
    world.check()


def test_what_hangs_on_a_row_that_goes_before_it_got_a_key_goes_with_it(world: World) -> None:
    new = world.session("SERIALIZABLE")
    new.execute(_born("new").encode())
    new.execute(
        b"INSERT INTO public.points (buyer_id, item, score) SELECT id, 'p1', 4 FROM public.buyers WHERE name = 'new'"
    )
    new.commit()
    world.do("DELETE FROM public.buyers WHERE name = 'new'")
    world.check()
    assert (
        world.value(
            "SELECT count(*) FROM public.points p WHERE NOT EXISTS (SELECT FROM public.buyers b WHERE b.id = p.buyer_id)"
        )
        == 0
    )


def test_a_default_of_the_old_table_that_the_new_row_knows_nothing_of_is_kept(world: World) -> None:
    world.do(_born("new"))
    world.do(
        "INSERT INTO public.points (buyer_id, item, score) SELECT id, 'p1', 4 FROM public.buyers WHERE name = 'new'"
    )
    world.check()
    assert world.rows("SELECT p1, p3 FROM compat.a_buyers WHERE name = 'new'") == [(4, 1)]
    world.do("UPDATE public.a_buyers SET p3 = 6, city = 'Oslo' WHERE name = 'new'")
    world.check()
    assert world.rows("SELECT p1, p3, city FROM compat.a_buyers WHERE name = 'new'") == [(4, 6, "Oslo")]


def test_a_key_of_text_too_short_for_a_uuid_is_a_number(databases: Databases) -> None:
    short = replace(
        NUMBERED,
        name="short keys",
        legacy=NUMBERED.legacy.replace("id integer PRIMARY KEY", "id varchar(20) PRIMARY KEY", 1).replace(
            "id integer PRIMARY KEY", "id char(6) PRIMARY KEY"
        ),
    )
    world = open_world(databases, short)
    world.check()
    world.do(
        _born("one"),
        _born("two"),
        _born("three", "b"),
        "INSERT INTO public.points SELECT id, 'p1', 7 FROM public.buyers WHERE name IN ('two', 'three')",
        "UPDATE public.buyers SET city = 'Rome' WHERE name IN ('a1', 'b1', 'one')",
        "INSERT INTO public.a_buyers (id, name, p1) VALUES ('x-1', 'old', 2)",
        "UPDATE public.a_buyers SET city = 'Oslo', p2 = 3 WHERE name = 'two'",
    )
    world.check()
    assert world.rows(
        "SELECT id, name, city, p1, p2 FROM public.a_buyers WHERE id NOT IN ('1', '2', '3') ORDER BY name"
    ) == [
        ("x-1", "old", None, 2, None),
        ("-1", "one", "Rome", None, None),
        ("-2", "two", "Oslo", 7, 3),
    ]
    assert world.rows("SELECT id::text, p1 FROM public.b_buyers WHERE name = 'three'") == [("-1", 7)]
