"""Two sessions and one person. What one side could not give the other at once is neither overtaken nor undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.mapping import World

MAIL = "race@x.org"
HINDERED = "SELECT count(*) FROM changeover.queue WHERE direction = 'reverse'"


def _person(world: World, mail: str = MAIL) -> None:
    """Somebody whom both old tables know."""
    world.do(
        f"INSERT INTO public.people (email, name, badge) VALUES ('{mail}', 'P', 'R-1')",
        f"INSERT INTO public.users (email, full_name) VALUES ('{mail}', 'U')",
    )
    world.drain()


@contextmanager
def _old_side_busy(world: World, table: str = "people") -> Iterator[None]:
    """An application of the old side holds the person's row: the reverse mirror gives way."""
    busy = world.session("READ COMMITTED")
    busy.execute(f"SELECT FROM public.{table} WHERE lower(email) = '{MAIL}' FOR NO KEY UPDATE".encode())
    yield
    busy.rollback()
    assert world.value(HINDERED) > 0


def _names(world: World) -> list[tuple[object, ...]]:
    """Everybody of this test, on either side."""
    return world.rows(
        "SELECT 'new', email, name FROM public.employees WHERE badge = 'R-1' OR email ~ '^(race|moved|third)@' "
        "UNION ALL SELECT 'old', email, name FROM public.people WHERE badge = 'R-1' OR email ~ '^(race|moved|third)@' "
        "ORDER BY 1, 2"
    )


@pytest.mark.parametrize("table", ["people", "users"])
def test_a_write_does_not_overtake_a_change_of_the_key_that_waits(people: World, table: str) -> None:
    world = people
    _person(world)
    with _old_side_busy(world, table):
        world.do(f"UPDATE public.employees SET email = 'moved@x.org', name = 'M' WHERE email = '{MAIL}'")
    world.do("UPDATE public.employees SET name = 'N', is_active = false WHERE email = 'moved@x.org'")
    # What the new side reads is what it wrote, whatever the mirrors and the drain of the other table do meanwhile.
    world.do(f"UPDATE public.users SET sign_in_count = 9 WHERE email IN ('{MAIL}', 'moved@x.org')")
    assert world.rows("SELECT name, is_active FROM public.employees WHERE email = 'moved@x.org'") == [("N", False)]
    world.check()
    assert _names(world) == [("new", "moved@x.org", "N"), ("old", "moved@x.org", "N")]
    assert world.value("SELECT sign_in_count FROM public.users WHERE email = 'moved@x.org'") == 9


def test_a_deletion_does_not_overtake_a_change_of_the_key_that_waits(people: World) -> None:
    world = people
    _person(world)
    with _old_side_busy(world):
        world.do(f"UPDATE public.employees SET email = 'moved@x.org' WHERE email = '{MAIL}'")
    world.do("DELETE FROM public.employees WHERE email = 'moved@x.org'")
    world.check()
    assert _names(world) == []


def test_two_changes_of_the_key_are_settled_in_their_order(people: World) -> None:
    world = people
    _person(world)
    with _old_side_busy(world):
        world.do(
            f"UPDATE public.employees SET email = 'moved@x.org' WHERE email = '{MAIL}'",
            "UPDATE public.employees SET email = 'third@x.org' WHERE email = 'moved@x.org'",
        )
    world.do("UPDATE public.employees SET name = 'N' WHERE email = 'third@x.org'")
    world.check()
    assert _names(world) == [("new", "third@x.org", "N"), ("old", "third@x.org", "N")]


def test_somebody_else_takes_a_key_that_waits_to_be_given_up(people: World) -> None:
    world = people
    _person(world)
    with _old_side_busy(world):
        world.do(f"UPDATE public.employees SET email = 'moved@x.org', name = 'M' WHERE email = '{MAIL}'")
    world.do(f"INSERT INTO public.employees (email, name) VALUES ('{MAIL}', 'other')")
    world.check()
    assert _names(world) == [
        ("new", "moved@x.org", "M"),
        ("new", MAIL, "other"),
        ("old", "moved@x.org", "M"),
        ("old", MAIL, "other"),
    ]


def test_a_key_whose_deletion_waits_is_taken_by_another_row(people: World) -> None:
    world = people
    _person(world)
    world.do("INSERT INTO public.people (email, name) VALUES ('third@x.org', 'T')")
    world.drain()
    with _old_side_busy(world):
        world.do(f"DELETE FROM public.employees WHERE email = '{MAIL}'")
    # The drain of the other table, and a writer of it, do not bring back what was deleted.
    world.do(f"UPDATE public.users SET sign_in_count = 9 WHERE email IN ('{MAIL}', 'moved@x.org')")
    world.call(world.conn, world.source("users"), "drain", 1000)
    assert world.rows(f"SELECT FROM public.employees WHERE email = '{MAIL}'") == []
    world.do(f"UPDATE public.employees SET email = '{MAIL}' WHERE email = 'third@x.org'")
    world.check()
    assert _names(world) == [("new", MAIL, "T"), ("old", MAIL, "T")]


def test_a_row_that_waits_to_be_made_changes_its_key(people: World) -> None:
    world = people
    session = world.session("SERIALIZABLE")
    session.execute(f"INSERT INTO public.employees (email, name) VALUES ('{MAIL}', 'S')".encode())
    session.commit()
    world.do(f"UPDATE public.employees SET email = 'moved@x.org', name = 'M' WHERE email = '{MAIL}'")
    world.check()
    assert _names(world) == [("new", "moved@x.org", "M"), ("old", "moved@x.org", "M")]


def test_a_write_finds_the_old_row_gone_and_the_key_changed(people: World) -> None:
    world = people
    _person(world)
    serializable = world.session("SERIALIZABLE")
    # Its deletion waits for the drain, so the new side still has the person.
    serializable.execute(b"DELETE FROM public.people WHERE badge = 'R-1'")
    serializable.commit()
    world.do(f"UPDATE public.employees SET email = 'moved@x.org' WHERE email = '{MAIL}'")
    world.check()
    assert world.rows("SELECT email FROM public.users WHERE full_name IN ('U', 'P')") == [("moved@x.org",)]
    assert _names(world) == [("new", "moved@x.org", "U")]


def test_what_waits_is_written_back_though_the_person_cannot_be_made_of_it(people: World) -> None:
    world = people
    _person(world)
    # Somebody whom only the new side knows has taken the badge that the old side is about to give.
    world.do("INSERT INTO public.employees (email, name) VALUES ('third@x.org', 'T')")
    world.do("DELETE FROM public.people WHERE email = 'third@x.org'")
    world.drain()
    with _old_side_busy(world):
        world.do(f"UPDATE public.employees SET name = 'N' WHERE email = '{MAIL}'")
    world.do("UPDATE public.employees SET badge = 'R-2' WHERE email = 'third@x.org'")
    world.do(f"UPDATE public.people SET badge = 'R-2' WHERE email = '{MAIL}'")
    world.drain()
    assert world.rows("SELECT name, badge FROM public.people WHERE badge = 'R-2'") == [("N", "R-2")]
    assert world.rows(f"SELECT reason FROM changeover.reject WHERE key = '{MAIL}' AND source = 'public.people'") == [
        ("unique_violation",)
    ]
