"""A batch inserts plainly, and looks out for rows of the mirrors only where it meets them."""

from __future__ import annotations

import pytest

from tests.support.database import Databases
from tests.support.mapping import PAGES, World, open_world
from tests.support.mapping_worlds import NUMBERED
from tests.support.sessions import threads


@pytest.fixture
def fresh(databases: Databases) -> World:
    """Two shops that are mirrored and not copied yet."""
    return open_world(databases, NUMBERED, copied=False)


def _batch(world: World, kind: str) -> tuple[int, int, int]:
    ((seen, copied, rejected),) = world.call(world.conn, world.source("a_buyers", kind), "batch", 0, PAGES)
    return seen, copied, rejected


def _careful(world: World) -> str:
    return str(world.value("SELECT current_setting('changeover.careful')"))


def test_rows_that_a_mirror_has_written_are_left_as_they_are(fresh: World) -> None:
    fresh.do("UPDATE public.a_buyers SET city = 'York' WHERE id = 2", "DELETE FROM public.a_buyers WHERE id = 3")
    assert _batch(fresh, "unify") == (2, 1, 0)
    assert fresh.rows("SELECT name, city FROM public.buyers ORDER BY name") == [("a1", "Bath"), ("a2", "York")]
    assert _careful(fresh) == "true"


def test_the_batch_after_one_that_met_such_rows_looks_out_for_them_and_the_next_does_not(fresh: World) -> None:
    assert _batch(fresh, "unify") == (3, 3, 0)
    assert _careful(fresh) == "false"
    assert _batch(fresh, "unify") == (3, 0, 0)
    assert _careful(fresh) == "true"
    fresh.do(
        "DELETE FROM changeover.queue", "SET changeover.origin = 'audits'", "TRUNCATE public.buyers, public.points"
    )
    assert _batch(fresh, "unify") == (3, 3, 0)
    assert _careful(fresh) == "false"
    fresh.do("RESET changeover.origin")
    fresh.copy()
    fresh.check()


def test_of_what_is_split_only_the_missing_items_are_made(fresh: World) -> None:
    _batch(fresh, "unify")
    fresh.do("UPDATE public.a_buyers SET p2 = 8 WHERE id = 1")
    before = fresh.value("SELECT count(*) FROM public.points")
    assert before > 0
    seen, copied, _ = _batch(fresh, "split")
    assert (seen, copied) == (3, fresh.value("SELECT count(*) FROM public.points") - before)
    fresh.copy()
    fresh.check()


def test_a_row_whose_fate_is_open_is_waited_for(fresh: World) -> None:
    old, batch = fresh.session("READ COMMITTED"), fresh.session()
    old.execute(b"UPDATE public.a_buyers SET city = 'Hull' WHERE id = 1")
    source = fresh.source("a_buyers", "unify")
    with threads(fresh.conn) as running:
        waits = running.start(batch, f"SELECT * FROM changeover.m{source.id}_batch(0, {PAGES})")
        old.commit()
        waits.result()
    assert fresh.rows("SELECT name, city FROM public.buyers ORDER BY name") == [
        ("a1", "Hull"),
        ("a2", "Bath"),
        ("a3", "Bath"),
    ]
    fresh.copy()
    fresh.check()
