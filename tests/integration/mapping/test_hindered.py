"""What keeps a row reversible fails before the new side's write: the write stands, and the drain makes up for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.mapping import World

CARRIES = (
    "SELECT oid::int, proname FROM pg_proc "
    "WHERE pronamespace = 'changeover'::regnamespace AND proname ~ '^m[0-9]+_carry$'"
)
PUTS_OF_MARKS = (
    "SELECT p.oid::int, p.proname FROM pg_proc p JOIN changeover.source z ON p.proname = format('m%s_put', z.id) "
    "JOIN changeover.mapping m ON m.id = z.mapping_id WHERE m.kind = 'split'"
)
MARKS = "SELECT ticket_id::text, name, mark FROM public.marks ORDER BY 1, 2"
NOTED = "UPDATE public.tickets SET note = 'seen' WHERE shop = 'b' RETURNING id"
PUBLIC = "SELECT id::text, shop, clerk_id, day, status, amount, note FROM public.tickets ORDER BY id"


@contextmanager
def hindered(world: World, functions: str = CARRIES) -> Iterator[None]:
    """The function that the trigger calls is not to be had for a while."""
    away = world.rows(functions)
    for oid, name in away:
        world.do(f"ALTER FUNCTION {world.value(f'SELECT {oid}::regprocedure::text')} RENAME TO {name}_away")
    yield
    for oid, name in away:
        world.do(f"ALTER FUNCTION {world.value(f'SELECT {oid}::regprocedure::text')} RENAME TO {name}")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE public.tickets SET status = 'in_progress' WHERE shop <> 'd'",
        "UPDATE public.tickets SET status = 'closed', day = '2024-05-05' WHERE shop <> 'd'",
        "UPDATE public.tickets SET status = 'open', shop = 'a' WHERE shop = 'b'",
        """INSERT INTO public.tickets (shop, clerk_id, day, status)
           SELECT s, id, '2024-01-01', 'in_progress' FROM public.clerks, unnest(ARRAY['a', 'b', 'c']) s""",
    ],
)
def test_a_hindered_write_waits_and_is_made_up_for(tickets: World, change: str) -> None:
    world = tickets
    with hindered(world):
        world.do(change)
        assert world.value("SELECT count(*) FROM changeover.queue WHERE patch ? 'carry'")
        written = world.rows(PUBLIC)
    world.check()
    assert world.rows(PUBLIC) == written


def test_it_does_not_undo_what_was_written_behind_it(tickets: World) -> None:
    world = tickets
    with hindered(world):
        world.do("UPDATE public.tickets SET status = 'in_progress', amount = 3 WHERE shop <> 'd'")
    world.do(
        "UPDATE public.tickets SET amount = 4 WHERE shop <> 'd'", "UPDATE public.a_tickets SET note = 'of the old side'"
    )
    world.check()
    assert world.rows("SELECT DISTINCT status, amount FROM public.tickets WHERE shop <> 'd'") == [("in_progress", 4)]
    assert world.rows("SELECT DISTINCT note FROM public.tickets WHERE shop = 'a'") == [("of the old side",)]


def test_as_long_as_it_is_hindered_it_is_told(tickets: World) -> None:
    world = tickets
    with hindered(world):
        world.do("UPDATE public.tickets SET status = 'closed' WHERE shop = 'a'")
        world.call(world.conn, world.source("a_tickets", "unify"), "drain", 1000)
        errors = world.rows("SELECT DISTINCT left(last_error, 5) FROM changeover.queue WHERE cause = 'hindered'")
        assert errors == [("42883",)]
    world.check()


@pytest.mark.parametrize(
    "change",
    [
        """WITH whole AS (INSERT INTO public.tickets (shop, clerk_id, day)
               SELECT 'b', id, '2024-01-01' FROM public.clerks LIMIT 1 RETURNING id)
           INSERT INTO public.marks (ticket_id, name, mark) SELECT id, 'q1', 7 FROM whole""",
        f"WITH whole AS ({NOTED}) UPDATE public.marks SET mark = mark + 1 FROM whole WHERE ticket_id = whole.id",
        f"WITH whole AS ({NOTED}) DELETE FROM public.marks USING whole WHERE ticket_id = whole.id",
    ],
    ids=["insert", "update", "delete"],
)
def test_parts_written_with_their_whole_stand_as_they_were_written(tickets: World, change: str) -> None:
    world = tickets
    before = world.rows(MARKS)
    with hindered(world, PUTS_OF_MARKS):
        world.do(change)
        written = world.rows(MARKS)
        assert written != before
        assert world.value("SELECT count(*) FROM changeover.queue WHERE direction = 'reverse' AND cause = '42883'")
    world.check()
    assert world.rows(MARKS) == written
