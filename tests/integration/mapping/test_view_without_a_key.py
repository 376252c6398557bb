"""The view of a table without a key writes the row that it showed, or none: two persons with one address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.mapping import World
from tests.support.sessions import threads

if TYPE_CHECKING:
    import psycopg

MAIL = "two@x.org"
DELETE = "DELETE FROM compat.people WHERE name = 'shown'"
UPDATE = "UPDATE compat.people SET badge = 'R-7' WHERE name = 'shown'"
WRITES = pytest.mark.parametrize("write", [DELETE, UPDATE])


@pytest.fixture
def two(people: World) -> World:
    """The first is shown; the other differs from it in its name alone."""
    people.do(
        f"INSERT INTO public.people (email, name, is_active, login_count) VALUES ('{MAIL}', 'shown', true, 3)",
        f"INSERT INTO public.people (email, name, is_active, login_count) VALUES ('{MAIL}', 'other', true, 3)",
    )
    people.check()
    assert _names(people, "compat") == ["shown"]
    return people


def _names(world: World, schema: str = "public") -> list[str]:
    return [name for (name,) in world.rows(f"SELECT name FROM {schema}.people WHERE email = '{MAIL}' ORDER BY 1")]


def _badge(world: World, name: str) -> object:
    return world.value(f"SELECT badge FROM public.people WHERE name = '{name}'")


@WRITES
@pytest.mark.parametrize("change", ["UPDATE public.people SET is_active = false", "DELETE FROM public.people"])
def test_a_row_that_is_not_there_as_it_was_shown(two: World, write: str, change: str) -> None:
    serializable = two.session("SERIALIZABLE")
    serializable.execute(f"{change} WHERE name = 'shown'".encode())
    serializable.commit()
    assert _names(two, "compat") == ["shown"]
    assert two.conn.execute(write.encode()).rowcount == 0
    assert "other" in _names(two)
    assert _badge(two, "other") is None
    two.check()


@WRITES
@pytest.mark.parametrize("change", ["UPDATE public.people SET is_active = false", "DELETE FROM public.people"])
def test_a_row_that_somebody_is_at(two: World, write: str, change: str) -> None:
    one, other = two.session("READ COMMITTED"), two.session("READ COMMITTED")
    with threads(two.conn) as running:
        one.execute(f"{change} WHERE name = 'shown'".encode())
        written = running.start(other, write)
        one.commit()
        cursor: psycopg.Cursor[object] = written.result()
        other.commit()
    # As at any table: what he has changed is changed once more, what he has deleted is gone.
    assert cursor.rowcount == (0 if change.startswith("DELETE") else 1)
    assert _names(two) == (["other"] if "DELETE" in change + write else ["other", "shown"])
    assert _badge(two, "other") is None
    two.check()


@WRITES
def test_a_row_of_which_a_write_of_the_new_side_waits(two: World, write: str) -> None:
    serializable = two.session("SERIALIZABLE")
    serializable.execute(f"UPDATE public.employees SET login_count = 8 WHERE email = '{MAIL}'".encode())
    serializable.execute(
        f"UPDATE public.employees SET login_count = 9, is_active = false WHERE email = '{MAIL}'".encode()
    )
    serializable.commit()
    assert two.conn.execute(write.encode()).rowcount == 1
    assert _badge(two, "other") is None
    two.check()
    if write == UPDATE:
        assert two.rows("SELECT badge, login_count, is_active FROM public.people WHERE name = 'shown'") == [
            ("R-7", 9, False)
        ]


def test_one_of_two_that_are_alike(two: World) -> None:
    two.do("INSERT INTO public.people SELECT * FROM public.people WHERE name = 'shown'")
    two.check()
    assert two.conn.execute(UPDATE.encode()).rowcount == 1
    two.check()
    assert sorted(two.rows("SELECT coalesce(badge, '') FROM public.people WHERE name = 'shown'")) == [("",), ("R-7",)]
