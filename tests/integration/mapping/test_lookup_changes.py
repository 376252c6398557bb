"""Rows of a lookup that come, go and change: the application leaves a note, the drain finds who depends on them (C20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.budgets import weighing
from tests.support.mapping import World, open_world
from tests.support.parcel_world import CRATES, PARCELS

if TYPE_CHECKING:
    from tests.support.database import Databases

RENAME = "UPDATE public.depots SET code = 'north' WHERE code = 'd1'"


@pytest.fixture
def parcels(databases: Databases) -> World:
    return open_world(databases, PARCELS)


def _notes(world: World) -> list[tuple[object, ...]]:
    return world.rows("SELECT direction, key IS NULL, cause FROM changeover.queue ORDER BY id")


def _depots(world: World) -> list[tuple[object, ...]]:
    return world.rows("SELECT depot, count(*) FROM public.inland GROUP BY 1 ORDER BY 1")


def test_what_the_new_side_renames_the_old_rows_say(parcels: World) -> None:
    world = parcels
    world.do(RENAME)
    assert _notes(world) == [("reverse", True, "lookup")] * 2
    world.check()
    assert _depots(world) == [("d2", 6), ("d9", 6), ("north", 12)]
    world.do("UPDATE public.depots SET label = 'The North' WHERE id = 1")
    world.check()
    said = world.rows("SELECT DISTINCT label FROM public.inland WHERE depot = 'north'")
    assert said == [("The North",)]


def test_a_column_that_nobody_reads_leaves_no_note(parcels: World) -> None:
    parcels.do("UPDATE public.depots SET phone = '1'", "UPDATE public.zones SET fee = fee")
    assert _notes(parcels) == []


def test_what_a_mirror_changes_is_no_word_of_the_new_side(parcels: World) -> None:
    world = parcels
    before = _depots(world)
    with world.session() as mirror:
        mirror.execute("SELECT set_config('changeover.origin', 'depots:f', false)")
        mirror.execute("UPDATE public.depots SET label = 'changed' WHERE id = 1")
        mirror.execute(RENAME.encode())
    assert {direction for direction, _, _ in _notes(world)} == {"forward"}
    world.check()
    assert _depots(world) == before
    assert world.value("SELECT count(*) FROM changeover.reject WHERE reason = 'no_depot'") == 18


@pytest.mark.parametrize("rows", [1, 150])
def test_a_row_that_was_missing_brings_back_what_was_rejected_for_it(parcels: World, rows: int) -> None:
    world = parcels
    world.do(
        f"INSERT INTO public.depots SELECT 8 + i, 'd' || (8 + i) FROM generate_series(1, {rows}) i",
        f"INSERT INTO public.zones SELECT 7 + i, 'z' || (7 + i), 5 FROM generate_series(1, {rows}) i",
    )
    assert _notes(world) == [("forward", True, "lookup")] * 4
    world.check()
    assert world.value("SELECT count(*) FROM changeover.reject") == 0
    assert world.rows("SELECT fee, count(*) FROM public.parcels GROUP BY 1 ORDER BY 1") == [
        (0, 6),
        (5, 6),
        (10, 6),
        (20, 6),
        (30, 6),
    ]


def test_a_row_that_goes_takes_what_depends_on_it(parcels: World) -> None:
    world = parcels
    world.do("DELETE FROM public.zones WHERE name = 'z1'", "DELETE FROM public.depots WHERE code = 'd3'")
    world.check()
    assert world.value("SELECT count(*) FROM public.parcels WHERE way = 'abroad'") == 0
    assert world.value("SELECT count(*) FROM changeover.reject WHERE source LIKE '%abroad'") == 6
    assert world.value("SELECT count(*) FROM public.parcels WHERE fee = 10") == 0
    world.do("INSERT INTO public.depots VALUES (33, 'd3', 'Depot 3')")
    world.check()
    assert world.value("SELECT count(*) FROM public.parcels WHERE depot_id = 33") == 6


def test_a_row_whose_key_changes_is_followed(parcels: World) -> None:
    world = parcels
    world.do(
        "UPDATE public.zones SET id = 100, fee = 7 WHERE name = 'z2'", "UPDATE public.depots SET id = 200 WHERE id = 2"
    )
    world.check()
    assert world.value("SELECT count(*) FROM public.parcels WHERE zone_id = 100 AND fee = 7") == 6
    assert world.value("SELECT count(*) FROM public.parcels WHERE depot_id = 200") == 6


def test_a_column_that_is_computed_from_a_looked_up_row_follows_it(parcels: World) -> None:
    world = parcels
    world.do("UPDATE public.zones SET fee = fee + 1")
    world.check()
    assert world.rows("SELECT DISTINCT fee FROM public.parcels WHERE zone_id IS NOT NULL ORDER BY 1") == [
        (11,),
        (21,),
        (31,),
    ]


def test_a_lookup_that_is_emptied(parcels: World) -> None:
    world = parcels
    world.do("TRUNCATE public.zones")
    world.check()
    assert world.value("SELECT count(*) FROM public.parcels WHERE zone_id IS NOT NULL OR fee <> 0") == 0


def test_two_rows_swap_what_they_are_found_by(parcels: World) -> None:
    world = parcels
    world.do(
        "UPDATE public.depots SET code = 'x' WHERE id = 1",
        "UPDATE public.depots SET code = 'd1' WHERE id = 2",
        "UPDATE public.depots SET code = 'd2' WHERE id = 1",
    )
    world.check()
    assert world.rows("SELECT depot_id, count(*) FROM public.parcels GROUP BY 1 ORDER BY 1") == [
        (1, 12),
        (2, 6),
        (3, 6),
    ]
    assert _depots(world) == [("d1", 6), ("d2", 12), ("d9", 6)]


def test_while_the_note_waits_the_old_side_writes_a_row_that_depends_on_it(parcels: World) -> None:
    world = parcels
    world.do(RENAME)
    world.do("UPDATE public.inland SET grams = 1000 + grams")
    waits = "SELECT count(*) FROM changeover.queue WHERE key IS NOT NULL"
    assert world.value(waits) == 12, "only what depends on the note"
    assert world.value("SELECT count(*) FROM public.parcels WHERE grams > 1000") == 6
    world.check()
    assert world.value("SELECT count(*) FROM public.parcels WHERE grams > 1000 AND depot_id = 1") == 12
    assert _depots(world) == [("d2", 6), ("d9", 6), ("north", 12)]


def test_what_the_old_side_says_after_the_change_stays(parcels: World) -> None:
    world = parcels
    world.do("UPDATE public.depots SET label = 'The North' WHERE id = 1")
    world.do("UPDATE public.inland SET label = 'our own' WHERE id = 4")
    world.check()
    assert world.value("SELECT label FROM public.inland WHERE id = 4") == "our own"
    assert world.value("SELECT count(*) FROM public.inland WHERE label = 'The North'") == 11


def test_a_write_of_the_new_side_that_waits_behind_the_note_is_not_lost(parcels: World) -> None:
    world = parcels
    moved = world.value("SELECT id FROM public.parcels WHERE depot_id = 1 AND grams = 4")
    world.do(RENAME)
    with world.session("SERIALIZABLE") as other:
        other.execute("UPDATE public.parcels SET depot_id = 2, grams = 44 WHERE id = %s", (moved,))
    world.check()
    assert world.rows("SELECT depot, grams FROM public.inland WHERE id = 4") == [("d2", 44)]
    assert world.value(f"SELECT depot_id FROM public.parcels WHERE id = '{moved}'") == 2


def test_notes_wait_while_rows_are_copied(parcels: World) -> None:
    world = parcels
    world.do(RENAME)
    source = world.source("inland")
    assert world.rows(f"SELECT * FROM changeover.drain({source.id}, 1000, p_notes => NULL)") == [(0, 1)]
    assert len(_notes(world)) == 2
    world.check()


def test_before_the_indexes_only_what_the_way_back_reads_is_followed(parcels: World) -> None:
    world = parcels
    world.do(RENAME, "INSERT INTO public.depots VALUES (9, 'd9')")
    assert sorted(str(direction) for direction, _, _ in _notes(world)) == ["forward", "forward", "reverse", "reverse"]
    for source in world.sources:
        world.do(f"SELECT changeover.drain({source.id}, 1000, p_notes => false)")
    assert [note for note in _notes(world) if note[1]] == [("forward", True, "lookup")] * 2
    assert _depots(world) == [("d2", 6), ("d9", 6), ("north", 12)]
    assert world.value("SELECT count(*) FROM changeover.reject WHERE reason = 'no_depot'") > 0
    world.check()
    assert world.value("SELECT count(*) FROM changeover.reject WHERE reason = 'no_depot'") == 0


def test_the_cost_does_not_grow_with_what_is_not_concerned(parcels: World) -> None:
    world = parcels
    world.do(
        "INSERT INTO public.depots VALUES (50, 'lone')", "INSERT INTO public.inland (depot, grams) VALUES ('lone', 1)"
    )
    world.drain()
    drain = f"SELECT changeover.drain({world.source('inland').id}, 100)"
    read = []
    for rows in (1000, 4000):
        world.do(
            f"INSERT INTO public.inland (depot, zone, grams) SELECT 'd2', 'z1', i FROM generate_series(1, {rows}) i",
            "ANALYZE public.parcels",
            "ANALYZE public.inland",
        )
        world.drain()
        with world.session() as conn:
            application = weighing.rows_read(conn, "UPDATE public.depots SET code = code || '!' WHERE id = 50")
        with world.session() as conn:
            read.append((application, weighing.rows_read(conn, drain)))
        world.drain()
    assert read[0][0] == read[1][0] < 30
    assert read[1][1] < read[0][1] + 100 < 1000, read
    assert world.value("SELECT depot FROM public.inland WHERE grams = 1 AND depot LIKE 'lone%'") == "lone!!"


def test_items_of_a_split_follow_what_they_look_up(databases: Databases) -> None:
    world = open_world(databases, CRATES)
    world.do("INSERT INTO public.goods VALUES (2, 'pears')")
    world.check()
    assert world.rows("SELECT good, good_id, count(*) FROM public.contents GROUP BY 1, 2 ORDER BY 1") == [
        ("apples", 1, 5),
        ("pears", 2, 5),
    ]
    world.do("UPDATE public.goods SET name = 'plums' WHERE id = 1", "DELETE FROM public.goods WHERE id = 2")
    world.check()
    assert world.value("SELECT count(*) FROM public.contents WHERE good_id IS NULL") == 10


def test_keys_of_a_merge_follow_what_they_look_up(people: World) -> None:
    world = people
    world.do("DELETE FROM public.departments WHERE lower(name) = 'care'")
    world.check()
    made = world.value("SELECT id FROM public.departments WHERE lower(name) = 'care'")
    assert made is not None, "a lookup with `create` makes it again"
    world.do("INSERT INTO public.people (email, name, department) VALUES ('zoe@x.org', 'Zoe', 'Care')")
    with world.session() as mirror:
        mirror.execute("SELECT set_config('changeover.origin', 'elsewhere:f', false)")
        mirror.execute("UPDATE public.departments SET name = 'Nursing' WHERE id = %s", (made,))
    world.check()
    assert world.value("SELECT department FROM public.people WHERE name = 'Zoe'") == "Care"
