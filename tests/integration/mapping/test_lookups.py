"""A lookup's row is renamed while somebody who has read its old name writes a row that hangs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.mapping import World

if TYPE_CHECKING:
    from typing import Any

    import psycopg

RENAME = b"UPDATE public.clerks SET mail = 'anna@x.org' WHERE mail = 'ann@x.org'"
OLD = b"INSERT INTO public.a_tickets (clerk, day, note) VALUES (' Ann@X.org', '2024-01-01', 'late')"
NEW = b"""
    INSERT INTO public.tickets (shop, clerk_id, day, note)
    SELECT 'b', id, '2024-01-01', 'late' FROM public.clerks WHERE mail = 'ann@x.org'
"""


def _said(world: World, table: str) -> object:
    return world.value(f"SELECT clerk FROM public.{table} WHERE note = 'late'")


def _renamed(world: World) -> psycopg.Connection[Any]:
    session = world.session("READ COMMITTED")
    session.execute(RENAME)
    return session


def _drain_once(world: World) -> None:
    world.do("UPDATE changeover.queue SET not_before = NULL")
    for source in world.sources:
        world.call(world.conn, source, "drain", 1000)


@pytest.mark.parametrize(("write", "table"), [(OLD, "a_tickets"), (NEW, "b_tickets")])
@pytest.mark.parametrize("drained", [False, True])
def test_a_row_written_before_the_rename_is_committed(
    tickets: World, write: bytes, table: str, *, drained: bool
) -> None:
    world = tickets
    renaming, other = _renamed(world), world.session("READ COMMITTED")
    other.execute(write)
    if drained:
        renaming.commit()
        _drain_once(world)
        other.commit()
    else:
        other.commit()
        renaming.commit()
    world.check()
    assert _said(world, table) == "anna@x.org"


@pytest.mark.parametrize(("write", "table"), [(OLD, "a_tickets"), (NEW, "b_tickets")])
def test_a_row_written_afterwards_by_a_snapshot_from_before(tickets: World, write: bytes, table: str) -> None:
    world = tickets
    renaming, other = _renamed(world), world.session("REPEATABLE READ")
    other.execute(b"SELECT count(*) FROM public.clerks")
    renaming.commit()
    _drain_once(world)
    other.execute(write)
    other.commit()
    world.check()
    assert _said(world, table) == "anna@x.org"


def test_rows_copied_before_the_rename_is_committed(fresh_tickets: World) -> None:
    world = fresh_tickets
    world.do("INSERT INTO public.clerks (mail) VALUES ('ann@x.org')")
    renaming = _renamed(world)
    world.copy()
    renaming.commit()
    world.check()
    assert world.value("SELECT count(*) FROM public.a_tickets WHERE clerk = 'anna@x.org'") > 0


@pytest.mark.parametrize("drained", [False, True])
def test_what_the_old_side_spells_since_stays(tickets: World, *, drained: bool) -> None:
    world, other = tickets, tickets.session("READ COMMITTED")
    other.execute(b"SELECT count(*) FROM public.clerks")
    world.do(OLD.decode(), RENAME.decode())
    if drained:
        _drain_once(world)
        _drain_once(world)
        assert _said(world, "a_tickets") == "anna@x.org"
    world.do("UPDATE public.a_tickets SET clerk = ' ANNA@x.org' WHERE note = 'late'")
    other.commit()
    world.check()
    assert _said(world, "a_tickets") == " ANNA@x.org"


def test_renamed_twice(tickets: World) -> None:
    world = tickets
    renaming, other = _renamed(world), world.session("READ COMMITTED")
    other.execute(OLD)
    renaming.commit()
    world.do("UPDATE public.clerks SET mail = 'anne@x.org' WHERE mail = 'anna@x.org'")
    other.commit()
    world.check()
    assert _said(world, "a_tickets") == "anne@x.org"


@pytest.mark.parametrize("drained", [False, True])
def test_the_lookup_of_a_merge(people: World, *, drained: bool) -> None:
    world = people
    world.do("INSERT INTO public.users (email, full_name) VALUES ('late@x.org', 'late')")
    renaming, other = world.session("READ COMMITTED"), world.session("READ COMMITTED")
    renaming.execute(b"UPDATE public.departments SET name = 'Vertrieb' WHERE lower(name) = 'sales'")
    other.execute(b"INSERT INTO public.people (email, name, department) VALUES (' Late@X.org', 'late', ' SALES')")
    if drained:
        renaming.commit()
        _drain_once(world)
        other.commit()
    else:
        other.commit()
        renaming.commit()
    world.check()
    assert world.value("SELECT department FROM public.people WHERE name = 'late'") == "Vertrieb"
