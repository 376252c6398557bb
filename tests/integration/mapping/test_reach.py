"""How much a write reads, or a batch of one page: a few rows, however many there are.

Also where the planner has no statistics to tell by, and where a function's plan is one for all its calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.mapping.test_derive import SETUP as DERIVED
from tests.integration.mapping.test_derived_items import SETUP as ITEMS
from tests.support.mapping import World, open_world

if TYPE_CHECKING:
    from tests.support.database import Databases
    from tests.support.mapping import Setup

MANY = 4_000
MOST = 400
"""Rows and index entries that one write may look at in one relation; a twentieth of what a single scan would."""

READ = """
SELECT coalesce(x.indrelid, c.oid)::regclass::text, c.relname, pg_stat_get_xact_tuples_returned(c.oid) AS read
FROM pg_class c LEFT JOIN pg_index x ON x.indexrelid = c.oid
WHERE c.relkind IN ('r', 'i') AND c.relnamespace IN ('public'::regnamespace, 'changeover'::regnamespace)
  AND pg_stat_get_xact_tuples_returned(c.oid) > %s
"""


def reads(world: World, write: str, most: int = MOST) -> list[tuple[str, str, int]]:
    """Relations of which the write, its mirrors included, looked at more than that, in a session of its own."""
    conn = world.session()
    conn.execute("BEGIN")
    changed = conn.execute(write.encode()).rowcount
    assert changed > 0, write
    found = conn.execute(READ.encode(), (most,)).fetchall()
    conn.close()
    return found


def unanalysed(world: World) -> None:
    """No statistics but those of empty tables, and nobody who would gather them meanwhile."""
    for (table,) in world.rows(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' "
        "AND relnamespace IN ('public'::regnamespace, 'changeover'::regnamespace)"
    ):
        world.do(f"ALTER TABLE {table} SET (autovacuum_enabled = off)", f"ANALYZE {table}")


@pytest.mark.parametrize(
    "write",
    [
        "INSERT INTO public.a_tickets (clerk, status, amount, day, note, q1) VALUES ('bob@x.org', 'open', '1', '2024-01-01', 'n', 4)",
        "UPDATE public.a_tickets SET amount = '7' WHERE id = :old",
        "UPDATE public.a_tickets SET q1 = 9, q2 = 3 WHERE id = :old",
        "UPDATE public.a_tickets SET day = NULL WHERE id = :old",
        "DELETE FROM public.a_tickets WHERE id = :old",
        "UPDATE public.tickets SET amount = 7 WHERE id = :old",
        "UPDATE public.marks SET mark = 7 WHERE ticket_id = :old",
        "DELETE FROM public.marks WHERE ticket_id = :old",
        "DELETE FROM public.tickets WHERE id = :old",
    ],
)
def test_of_many_unified_and_split_rows(fresh_tickets: World, write: str) -> None:
    world = fresh_tickets
    unanalysed(world)
    world.do(
        "INSERT INTO public.a_tickets (clerk, status, amount, day, note, q1, q2) SELECT 'bob@x.org', 'open', '1', "
        f"CASE WHEN i % 4 > 0 THEN date '2024-01-01' + i END, 'm' || i, 5, 6 FROM generate_series(1, {MANY}) i",
    )
    world.copy()
    world.drain()
    old = world.value("SELECT id FROM public.a_tickets WHERE note = 'm2001'")
    assert reads(world, write.replace(":old", f"'{old}'")) == []


@pytest.mark.parametrize(
    "write",
    [
        "INSERT INTO public.users (email, full_name) VALUES ('new@x.org', 'N')",
        "UPDATE public.users SET full_name = 'N' WHERE id = :old",
        "UPDATE public.users SET email = 'new@x.org' WHERE id = :old",
        "DELETE FROM public.users WHERE id = :old",
        "UPDATE public.employees SET name = 'N' WHERE id = :old",
        "DELETE FROM public.employees WHERE id = :old",
    ],
)
def test_of_many_merged_rows(people: World, write: str) -> None:
    world = people
    world.do(
        "CREATE INDEX ON public.people (changeover.fold(email))",
        "CREATE INDEX ON public.users (changeover.fold(email))",
    )
    unanalysed(world)
    world.state("mirrored")
    world.do(
        f"INSERT INTO public.users (email, full_name) SELECT 'm' || i || '@x.org', 'M' FROM generate_series(1, {MANY}) i"
    )
    world.copy()
    world.drain()
    old = world.value("SELECT id FROM public.users WHERE email = 'm2001@x.org'")
    assert reads(world, write.replace(":old", f"'{old}'")) == []


def one_page_reads_little(world: World) -> None:
    """Neither the copy nor the comparison of a page reads a table of so many rows whole, on either side."""
    most = 4 * MANY  # a page has some hundred rows, and each may look at a small table whole
    for source in world.sources:
        for call in (f"compare({source.id}, 7, 8)", f"m{source.id}_batch(7, 8)"):
            assert reads(world, f"SELECT * FROM changeover.{call}", most) == [], (call, source)
    for mapping in world.targets:
        assert reads(world, f"SELECT * FROM changeover.x{mapping}_orphans(7, 8)", most) == []


@pytest.mark.parametrize("analysed", [False, True])
def test_a_page_of_many_unified_and_split_rows(fresh_tickets: World, *, analysed: bool) -> None:
    world = fresh_tickets
    unanalysed(world)
    world.do(
        "INSERT INTO public.a_tickets (clerk, status, amount, day, note, q1, q2) SELECT 'bob@x.org', 'open', '1', "
        f"date '2024-01-01' + i % 100, 'm' || i, 5, 6 FROM generate_series(1, {5 * MANY}) i",
    )
    world.copy()
    world.drain()
    if analysed:
        world.do("ANALYZE")
    one_page_reads_little(world)


@pytest.mark.parametrize("analysed", [False, True])
def test_a_page_of_many_merged_rows(people: World, *, analysed: bool) -> None:
    world = people
    world.do(
        "CREATE INDEX ON public.people (changeover.fold(email))",
        "CREATE INDEX ON public.users (changeover.fold(email))",
    )
    unanalysed(world)
    world.do(
        "INSERT INTO public.users (email, full_name) "
        f"SELECT 'm' || i || '@x.org', 'M' FROM generate_series(1, {5 * MANY}) i"
    )
    world.copy()
    world.drain()
    if analysed:
        world.do("ANALYZE")
    one_page_reads_little(world)


_DERIVED = (
    DERIVED,
    """INSERT INTO public.parcels SELECT i, 'state ' || i % 3, CASE WHEN i % 4 > 0 THEN date '2024-01-01' + i % 99 END,
    date '2024-06-01', 'A' FROM generate_series(1000, {}) i""",
    (
        "INSERT INTO public.parcels VALUES (500, 'state 1', '2024-01-01', '2024-01-09', 'S')",
        "UPDATE public.parcels SET due = due + 1 WHERE number = 2001",
        "UPDATE public.parcels SET received = NULL WHERE number = 2001",
        "UPDATE public.parcels SET number = -7 WHERE number = 2001",
        "DELETE FROM public.parcels WHERE number = 2001",
    ),
)
_ITEMS = (
    ITEMS,
    "INSERT INTO public.books SELECT i, (ARRAY['red,blue,red', 'green,purple', 'blue'])[1 + i % 3], 1 FROM generate_series(1000, {}) i",
    (
        "INSERT INTO public.books VALUES (500, 'red,green,purple', 1)",
        "UPDATE public.books SET tags = 'green,blue' WHERE number = 2001",
        "UPDATE public.books SET weight = 0 WHERE number = 2001",
        "UPDATE public.books SET number = -7 WHERE number = 2001",
        "DELETE FROM public.books WHERE number = 2001",
    ),
)


def _many(databases: Databases, setup: Setup, fill: str, rows: int) -> World:
    world = open_world(databases, setup, copied=False)
    unanalysed(world)
    world.do(fill.format(1000 + rows))
    world.copy()
    world.drain()
    return world


@pytest.mark.parametrize(("setup", "fill", "writes"), [_DERIVED, _ITEMS], ids=["derived", "items"])
def test_of_many_derived_rows(databases: Databases, setup: Setup, fill: str, writes: tuple[str, ...]) -> None:
    """The tables of pairs and of rejects are analysed when they are empty, as when the first rows of a source are copied.

    So many, since what is small is read whole: the planner believes in a thousand items of each row.
    """
    world = _many(databases, setup, fill, 4 * MANY)
    for write in writes:
        assert reads(world, write) == [], write


def test_a_drain_of_a_few_of_many_keys(fresh_tickets: World) -> None:
    world = fresh_tickets
    unanalysed(world)
    source = world.source("a_tickets", "unify")
    world.do(
        "INSERT INTO changeover.queue (source_id, direction, key, cause) "
        f"SELECT {source.id}, 'forward', 'k' || i, 'whole' FROM generate_series(1, {5 * MANY}) i"
    )
    assert reads(world, f"SELECT * FROM changeover.drain({source.id}, 10)", MANY) == []


@pytest.mark.parametrize("patch", ["NULL", """'{"set": {"note": ["a", "b"]}}'""", """'{"whole": "nobody"}'"""])
def test_a_drain_of_a_few_of_many_keys_of_the_new_side(fresh_tickets: World, patch: str) -> None:
    """Whether they tell what was written or not; those that are not due are passed over."""
    world = fresh_tickets
    unanalysed(world)
    source = world.source("a_tickets", "unify")
    world.do(
        "INSERT INTO changeover.queue (source_id, direction, key, cause, patch, not_before) "
        f"SELECT {source.id}, 'reverse', gen_random_uuid()::text, 'x', {patch}, CASE WHEN i <= 100 THEN now() + '1 h' END "
        f"FROM generate_series(1, {5 * MANY}) i"
    )
    assert reads(world, f"SELECT * FROM changeover.drain({source.id}, 10)", MANY) == []


def test_it_would_be_noticed(tickets: World) -> None:
    tickets.do(
        "CREATE TABLE public.plain (n integer, note text)",
        f"INSERT INTO public.plain SELECT i, '' FROM generate_series(1, {MANY}) i",
    )
    assert reads(tickets, "UPDATE public.plain SET note = 'n' WHERE n = 7") == [("plain", "plain", MANY)]
