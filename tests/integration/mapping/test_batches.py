"""A batch inserts plainly, and looks out for rows of the mirrors only where it meets them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.database import Databases
from tests.support.mapping import PAGES, World, open_world
from tests.support.mapping_worlds import NUMBERED
from tests.support.sessions import threads


@pytest.fixture
def fresh(databases: Databases) -> World:
    """Two shops that are mirrored and not copied yet."""
    return open_world(databases, NUMBERED, copied=False)


REQUIRED = replace(
    NUMBERED,
    name="required",
    new=NUMBERED.new.replace("            name text,\n", "            name text NOT NULL,\n"),
    rows=NUMBERED.rows
    + "INSERT INTO public.a_buyers (id, name, city) SELECT i, nullif('a' || i % 2, 'a1'), 'Bath' FROM generate_series(10, 19) i;",
)
NO_NAME = 'null value in column "name" of relation "buyers" violates not-null constraint'


@pytest.fixture
def required(databases: Databases) -> World:
    """The same, where five of thirteen rows have no name and the new table requires one."""
    return open_world(databases, REQUIRED, copied=False)


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


def test_rows_without_a_required_value_are_rejected_together(required: World) -> None:
    assert _batch(required, "unify") == (13, 8, 5)
    rejects = "SELECT DISTINCT reason, detail, row ->> 'city' FROM changeover.reject"
    assert required.rows(rejects) == [("not_null_violation", NO_NAME, "Bath")]
    required.do("UPDATE public.a_buyers SET name = 'mended' WHERE id = 11")
    required.copy()
    required.check()
    assert required.value("SELECT count(*) FROM changeover.reject") == 4
    assert required.value("SELECT count(*) FROM public.buyers WHERE name = 'mended'") == 1


def test_a_value_that_a_trigger_gives_is_no_reject(required: World) -> None:
    required.do(
        "CREATE FUNCTION public.name_it() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.name := coalesce(NEW.name, 'nobody'); RETURN NEW; END $$",
        "CREATE TRIGGER name_it BEFORE INSERT ON public.buyers FOR EACH ROW EXECUTE FUNCTION public.name_it()",
    )
    assert _batch(required, "unify") == (13, 13, 0)


def test_a_row_of_the_new_side_keeps_a_value_that_the_old_one_has_not(required: World) -> None:
    key = "(SELECT target_key FROM changeover.m{}_new_rows(ARRAY['11']) AS d (a, b, c, target_key))"
    source = required.source("a_buyers", "unify").id
    required.do(
        "SET changeover.origin = 'test'",
        f"INSERT INTO public.buyers (id, shop, name, city) SELECT {key.format(source)}, 'a', 'ours', 'Rome'",
        "RESET changeover.origin",
    )
    assert _batch(required, "unify") == (13, 8, 4)
    assert required.value("SELECT count(*) FROM public.buyers WHERE name = 'ours'") == 1
