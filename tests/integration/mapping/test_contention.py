"""Both versions write the same rows as fast as they can, on real connections."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from orchestrator.engine import commands
from tests.support.mapping import World
from tests.support.races import COMMITTED, Writer, race

pytestmark = pytest.mark.newest

SECONDS = 4
ROWS = "SELECT t.id FROM public.tickets t JOIN public.a_tickets a USING (id) WHERE t.shop = 'a' ORDER BY t.id LIMIT 2"
# Days are what the old version adds to.
DAYS = "SELECT sum(a.day - date '2000-01-01') FROM public.a_tickets a WHERE a.id IN ('{}', '{}')"
OLD = "UPDATE public.a_tickets SET day = day + 1 WHERE id = '{}'"
NEW = "UPDATE public.tickets SET note = 'n' || {} WHERE id = '{}'"


def _drain(dsn: str, over: threading.Event) -> None:
    """As `changeover drain --every` does: it holds rows as well."""
    while not over.wait(0.3):
        commands.drain(dsn, operator="the test")


def test_a_single_statement_never_fails_by_a_deadlock_with_a_mirror(tickets: World) -> None:
    one, two = (str(key) for (key,) in tickets.rows(ROWS))
    before = tickets.value(DAYS.format(one, two))
    writers = [
        *(Writer("old", (OLD.format(key),)) for key in (one, one, two)),
        *(Writer("new", (NEW.format(n, key),)) for n, key in enumerate((one, one, two))),
        # Many rows, one after the other: while it waits for one of them, others wait for those that it has.
        Writer("old, many rows", ("UPDATE public.a_tickets SET q1 = coalesce(q1, 0) + 1",)),
    ]
    over = threading.Event()
    with ThreadPoolExecutor() as beside:
        beside.submit(_drain, tickets.database.dsn, over)
        told = race(tickets.database.dsn, writers, SECONDS)
        over.set()
    assert {name: set(ends) for name, ends in told.items()} == {each.name: {COMMITTED} for each in writers}
    tickets.check()
    # They write different columns: nothing of either is lost.
    assert tickets.value(DAYS.format(one, two)) == before + told["old"][COMMITTED]
    note = tickets.value(f"SELECT count(*) FROM public.a_tickets WHERE id IN ('{one}', '{two}') AND note LIKE 'n_'")
    assert note == 2


def test_of_one_value_the_later_commit_counts_and_both_sides_have_it(tickets: World) -> None:
    one, two = (str(key) for (key,) in tickets.rows(ROWS))
    before = tickets.value(DAYS.format(one, two))
    new = "UPDATE public.tickets SET day = day + 1 WHERE id = '{}'"
    writers = [Writer("old", (OLD.format(one),))] * 2 + [Writer("new", (new.format(one),))] * 2
    told = race(tickets.database.dsn, writers, SECONDS / 2)
    tickets.check()
    assert set(told["old"]) == set(told["new"]) == {COMMITTED}
    gained = tickets.value(DAYS.format(one, two)) - before
    assert 0 < gained <= told["old"][COMMITTED] + told["new"][COMMITTED]
