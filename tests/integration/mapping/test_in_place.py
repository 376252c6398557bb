"""A table that is changed in place: two versions write it, batches fill it, and both sides say the same."""

from __future__ import annotations

from decimal import Decimal
from threading import Thread
from typing import Any

import psycopg
import pytest

from tests.support.database import Databases
from tests.support.in_place_worlds import PARCELS, SEATS
from tests.support.mapping import PAGES, World, open_world

pytestmark = pytest.mark.every

ROW = "SELECT state, state_id, grams, kilos, label FROM public.parcels WHERE id = {}"
LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


@pytest.fixture
def world(databases: Databases) -> World:
    """Filled."""
    return open_world(databases, PARCELS)


@pytest.fixture
def empty(databases: Databases) -> World:
    """Mirrored, and not a row filled yet."""
    return open_world(databases, PARCELS, copied=False)


def code(world: World, number: int) -> str:
    return str(
        world.value(
            f"SELECT code FROM public.states WHERE id = (SELECT state_id FROM public.parcels WHERE id = {number})"
        )
    )


def rejects(world: World, number: int) -> list[tuple[Any, ...]]:
    return world.rows(f"SELECT reason, detail FROM changeover.reject WHERE key = '{number}' ORDER BY 1")


def without_mirror(world: World, statement: str) -> None:
    world.do(
        "ALTER TABLE public.parcels DISABLE TRIGGER USER", statement, "ALTER TABLE public.parcels ENABLE TRIGGER USER"
    )


def test_the_batch_fills_and_rejects_by_row_and_column(world: World) -> None:
    world.check()
    assert world.value("SELECT count(*) FROM public.parcels WHERE label IS DISTINCT FROM upper(town)") == 0
    assert world.rows("SELECT reason, detail, count(*) FROM changeover.reject GROUP BY 1, 2 ORDER BY 1") == [
        ("no_number", "kilos", 60),
        ("no_state", "state_id", 60),
        ("number_too_large", "kilos", 60),
    ]
    assert world.value("SELECT max(touched) FROM public.parcels") == 0  # no batch is a change of the application
    assert world.rows("SELECT code FROM public.states WHERE id < 100 ORDER BY 1") == [("lost",), ("new",), ("sent",)]


@pytest.mark.parametrize("isolation", LEVELS)
def test_each_side_reaches_the_other(world: World, isolation: str) -> None:
    app = world.session(isolation, role="app")
    app.execute("UPDATE public.parcels SET state = 'Moved ', grams = '2500' WHERE id = 1")
    app.execute("UPDATE public.parcels SET state_id = 102, kilos = 3 WHERE id = 5")
    app.execute("INSERT INTO public.parcels (id, town, state_id, kilos) VALUES (1001, 'x', 102, 0.25)")
    app.execute("INSERT INTO public.parcels (id, town, state, grams) VALUES (1002, 'y', 'LOST', '7')")
    app.commit()
    world.check()
    assert code(world, 1) == "moved"
    assert world.rows(ROW.format(1))[0][3] == 2.5
    assert code(world, 1002) == "lost"
    # The old column has room for eight characters; the new one keeps its word all the same.
    assert world.rows(ROW.format(5)) == [("out for ", 102, "3000", 3, "TOWN 5")]
    assert world.rows(ROW.format(1001)) == [("out for ", 102, "250", Decimal("0.25"), "X")]


def test_a_spelling_stays_until_the_new_side_changes_that_very_column(world: World) -> None:
    before = world.rows(ROW.format(7))
    world.do("UPDATE public.parcels SET kilos = 8 WHERE id = 7", "UPDATE public.parcels SET town = 'Z' WHERE id = 7")
    assert world.rows(ROW.format(7)) == [(before[0][0], before[0][1], "8000", 8, "Z")]
    assert before[0][0] == " SENT "
    world.check()


def test_where_both_are_changed_the_new_one_counts_and_it_is_noted(world: World) -> None:
    world.do("UPDATE public.states SET code = 'back' WHERE id = 102")
    world.do("UPDATE public.parcels SET state = 'lost', state_id = 102 WHERE id = 10")
    assert world.rows(ROW.format(10))[0][:2] == ("back", 102)
    assert world.rows("SELECT key, columns FROM changeover.diverged") == [("10", {"state": "lost"})]
    world.check()


def test_a_row_that_is_written_whole_keeps_its_spelling(world: World) -> None:
    whole = world.rows(ROW.format(7))
    world.do(
        "CREATE TABLE public.kept AS SELECT * FROM public.parcels WHERE id = 7",
        "DELETE FROM public.parcels WHERE id = 7",
        "INSERT INTO public.parcels SELECT * FROM public.kept",
        "INSERT INTO public.parcels SELECT * FROM public.kept ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state",
    )
    assert world.rows(ROW.format(7)) == whole
    assert world.rows("SELECT * FROM changeover.diverged") == []
    world.check()


@pytest.mark.parametrize("isolation", LEVELS)
def test_rejects_come_and_go_with_the_row(world: World, isolation: str) -> None:
    app = world.session(role="app")

    def write(statement: str) -> None:
        app.execute(f"BEGIN ISOLATION LEVEL {isolation}".encode())
        app.execute(statement.encode())
        app.commit()
        world.check()

    write("UPDATE public.parcels SET grams = 'many', state = ' ' WHERE id = 1")
    assert rejects(world, 1) == [("no_number", "kilos"), ("no_state", "state_id")]
    write("UPDATE public.parcels SET state_id = 102 WHERE id = 1")
    assert rejects(world, 1) == [("no_number", "kilos")]
    write("UPDATE public.parcels SET id = 5001 WHERE id = 1")
    assert (rejects(world, 1), rejects(world, 5001)) == ([], [("no_number", "kilos")])
    write("DELETE FROM public.parcels WHERE id = 5001")
    assert rejects(world, 5001) == []
    write("INSERT INTO public.parcels (id, grams) VALUES (2, 'none') ON CONFLICT (id) DO NOTHING")
    assert rejects(world, 2) == []


def test_what_a_check_refuses_is_not_written_into_the_old_column(world: World) -> None:
    world.do("UPDATE public.parcels SET state_id = 101 WHERE id = 5")
    assert world.rows(ROW.format(5))[0][:2] == ("", 101)
    world.check()


def test_a_write_that_meets_a_lookup_under_way_is_not_hindered_for_long(world: World) -> None:
    other, app = world.session("READ COMMITTED"), world.session(role="app")
    other.execute("INSERT INTO public.states (code) VALUES ('parked')")
    app.execute("UPDATE public.parcels SET state = 'parked', grams = '5' WHERE id = 5")
    assert world.rows(ROW.format(5))[0][1] is None
    assert world.rows("SELECT direction, key, cause FROM changeover.queue") == [("forward", "5", "55P03")]
    other.commit()
    world.check()
    assert code(world, 5) == "parked"


@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_a_batch_passes_over_rows_that_somebody_holds(empty: World, ends: str) -> None:
    empty.do("INSERT INTO public.states (code) VALUES ('new')")
    app = empty.session("READ COMMITTED", role="app")
    app.execute("UPDATE public.parcels SET town = 'held' WHERE id = 5")
    app.execute("SELECT FROM public.parcels WHERE id = 10 FOR UPDATE")
    runner = empty.session(lock_timeout="50ms")
    ((seen, _, _),) = empty.call(runner, empty.sources[0], "batch", 0, PAGES)
    assert seen == 300
    filled = "SELECT count(*) FROM public.parcels WHERE label IS NOT NULL"
    assert empty.value(filled) == 298
    getattr(app, ends)()
    empty.state("copied")
    empty.check()
    assert empty.value(filled) == 300


def test_a_batch_leaves_what_the_new_side_has_written(empty: World) -> None:
    empty.do(
        "UPDATE public.parcels SET state_id = 102, kilos = 1.5 WHERE id = 3",
        "UPDATE public.parcels SET label = 'mine' WHERE id = 4",
    )
    empty.copy()
    empty.check()
    assert empty.rows(ROW.format(3))[0][1:4] == (102, "1500", 1.5)
    assert empty.rows(ROW.format(4))[0][4] == "mine"


def test_the_comparison_names_row_and_column_and_the_repair_mends_it(world: World) -> None:
    without_mirror(world, "UPDATE public.parcels SET kilos = 77, label = NULL WHERE id = 1")
    without_mirror(world, "UPDATE public.parcels SET grams = 'no' WHERE id = 5")
    without_mirror(world, "DELETE FROM public.parcels WHERE id = 3")
    found = sorted((key, kind, columns) for _, key, kind, columns, _, _ in world.differences())
    assert found == [("1", "missing", ["kilos", "label"]), ("3", "stale_reject", None), ("5", "different", ["kilos"])]
    world.call(world.conn, world.sources[0], "sync", ["1", "3", "5"])
    world.check()
    assert world.rows(ROW.format(1))[0][3] == Decimal("0.02")
    assert rejects(world, 5) == [("no_number", "kilos")]


def test_a_lookup_that_the_new_side_changes_is_told_to_the_old_columns(world: World) -> None:
    other = world.session("READ COMMITTED", role="app")
    other.execute(
        "UPDATE public.parcels SET state_id = (SELECT id FROM public.states WHERE code = 'lost') WHERE id = 1"
    )
    world.do("UPDATE public.states SET code = 'gone' WHERE code = 'lost'")
    assert world.rows("SELECT direction, key, cause FROM changeover.queue") == [("reverse", None, "lookup")]
    for _ in range(2):
        world.do("UPDATE changeover.queue SET not_before = NULL")
        world.call(world.conn, world.sources[0], "drain", 1000)
    assert world.value("SELECT count(*) FROM public.parcels WHERE state = 'lost'") == 0
    other.commit()  # it has read the code before it was changed
    world.check()
    assert world.rows(ROW.format(1))[0][0] == "gone"
    assert world.value("SELECT count(*) FROM public.states WHERE code = 'lost'") == 0


def test_truncate(world: World) -> None:
    world.do("TRUNCATE public.parcels")
    world.check()
    assert world.rows("SELECT * FROM changeover.reject") == []


def test_a_key_of_two_columns_and_values_that_fail(databases: Databases) -> None:
    world = open_world(databases, SEATS, copied=False)
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        world.call(world.conn, world.sources[0], "batch", 0, PAGES)
    world.call(world.conn, world.sources[0], "isolate", 0, PAGES)
    world.state("copied")
    world.check()
    assert world.value("SELECT count(*) FROM changeover.reject WHERE reason = 'invalid_text_representation'") == 15
    app = world.session(role="app")
    app.execute("UPDATE public.seats SET guest = 'young' WHERE number = 1")
    app.execute("UPDATE public.seats SET guest = '40' WHERE number = 4")
    app.execute("UPDATE public.seats SET age = 41 WHERE number = 5")
    world.check()
    found = "SELECT number, guest, age FROM public.seats WHERE number IN (1, 4, 5) ORDER BY 1"
    assert world.rows(found) == [(1, "young", None), (4, "40", 40), (5, "41", 41)]


def test_both_versions_at_once(world: World) -> None:
    def write(number: int) -> None:
        with world.session(role="app") as app:
            for turn in range(40):
                row = 1 + (turn * 7) % 20
                old, new = f"state = 's{turn % 6}', grams = '{turn}'", f"state_id = 102, kilos = {turn}"
                app.execute(f"UPDATE public.parcels SET {old if number % 2 else new} WHERE id = {row}".encode())

    writers = [Thread(target=write, args=(number,)) for number in range(4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join(60)
    world.check()
