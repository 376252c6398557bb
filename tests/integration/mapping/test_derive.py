"""Derive, the SQL alone: once and follow, what the application makes of its rows, lookups, keys, the way back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.database import Databases
from tests.support.mapping import Setup, World, open_world

pytestmark = pytest.mark.every

_RULES: dict[str, Any] = {
    "sources": ["-"],
    "key": {"column": "number", "target": "entry"},
    "types": {"number": "integer", "state": "text", "received": "date", "due": "date", "track": "text"},
    "rejects": {"no_date": "s.received IS NULL", "ends_before_it_begins": "s.due < s.received"},
}

_LEGACY = """
    CREATE TABLE public.parcels (
        number integer PRIMARY KEY, state text, received date, due date, track text, weight numeric
    );
    CREATE TABLE public.tracks (code text PRIMARY KEY, title text NOT NULL, color text);
    CREATE TABLE public.history (
        entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parcel integer NOT NULL, to_state text NOT NULL,
        at date NOT NULL, source text NOT NULL DEFAULT 'application', note text
    );
    CREATE TABLE public.promises (
        entry bigserial PRIMARY KEY, parcel integer NOT NULL, title text NOT NULL, days integer NOT NULL,
        state varchar(9) NOT NULL, note text
    );
    INSERT INTO public.history (parcel, to_state, at) VALUES (-1, 'kept', '2020-01-01'), (-2, 'kept', '2020-01-01');
"""
_ROWS = """
    INSERT INTO public.tracks VALUES ('A', 'Air', 'blue'), ('S', 'Sea', 'green');
    INSERT INTO public.parcels
    SELECT i, CASE i % 5 WHEN 0 THEN NULL ELSE 'state ' || i % 3 END,
           CASE i % 7 WHEN 0 THEN NULL ELSE date '2024-01-01' + i END, date '2024-01-01' + i + i % 4 - 1,
           (ARRAY['A', 'S', 'X'])[1 + i % 3]
    FROM generate_series(1, 60) i;
"""

SETUP = Setup(
    name="derived",
    legacy=_LEGACY,
    new="",
    rows=_ROWS,
    sources=((("public.parcels", "parcels"),), (("public.parcels", "parcels"),)),
    mappings=(
        {
            **_RULES,
            "derive": "public.history",
            "mode": "once",
            "when": "s.state IS NOT NULL",
            "rejects": {"no_date": "s.received IS NULL"},
            "columns": {"parcel": "s.number", "to_state": "s.state", "at": "s.received", "source": "'migration'"},
        },
        {
            **_RULES,
            "derive": "public.promises",
            "when": "s.due IS NOT NULL",
            "lookups": {"track": {"table": "public.tracks", "match": "track.code = s.track", "key": "code"}},
            "rejects": {**_RULES["rejects"], "no_track": "track.code IS NULL"},
            "columns": {
                "parcel": "s.number",
                "title": "'Delivery by ' || track.title",
                "days": "s.due - s.received",
                "state": "coalesce(s.state, 'open')",
            },
        },
    ),
)


@pytest.fixture
def world(databases: Databases) -> World:
    return open_world(databases, SETUP)


def kept(world: World) -> list[tuple[Any, ...]]:
    """Rows of the table that nothing was derived for."""
    return world.rows("SELECT parcel, to_state FROM public.history WHERE parcel < 0 ORDER BY 1")


def once(world: World, parcel: int) -> list[tuple[Any, ...]]:
    return world.rows(f"SELECT to_state FROM public.history WHERE parcel = {parcel}")


def follows(world: World, parcel: int) -> list[tuple[Any, ...]]:
    return world.rows(f"SELECT title, days, state FROM public.promises WHERE parcel = {parcel}")


def reasons(world: World, key: str) -> list[tuple[Any, ...]]:
    return world.rows(
        "SELECT m.target, r.reason FROM changeover.reject r JOIN changeover.source z ON z.id = r.source_id "
        f"JOIN changeover.mapping m ON m.id = z.mapping_id WHERE r.key = '{key}' ORDER BY 1"
    )


def test_each_row_has_one_derived_row_or_a_reason(world: World) -> None:
    world.check()
    assert world.value("SELECT count(*) FROM public.history WHERE source = 'migration'") == world.value(
        "SELECT count(*) FROM public.parcels WHERE state IS NOT NULL AND received IS NOT NULL"
    )
    assert reasons(world, "7") == [("public.history", "no_date"), ("public.promises", "no_date")]
    assert reasons(world, "8") == [("public.promises", "ends_before_it_begins")]
    assert len(kept(world)) == 2


def test_keys_are_drawn_from_the_targets_own_sequence(world: World) -> None:
    world.do("INSERT INTO public.history (parcel, to_state, at) VALUES (-3, 'new', '2024-01-01')")
    world.do("INSERT INTO public.promises (parcel, title, days, state) VALUES (-3, 'new', 1, 'x')")
    world.do("INSERT INTO public.parcels VALUES (100, 'in', '2024-01-01', '2024-01-05', 'A')")
    assert once(world, 100) == [("in",)]
    assert follows(world, 100) == [("Delivery by Air", 4, "in")]
    world.check()


def test_once_is_computed_once_and_follow_follows(world: World) -> None:
    world.do("INSERT INTO public.parcels VALUES (100, 'in', '2024-01-01', '2024-01-05', 'A')")
    world.do("UPDATE public.parcels SET state = 'out', due = '2024-01-09' WHERE number = 100")
    assert once(world, 100) == [("in",)]
    assert follows(world, 100) == [("Delivery by Air", 8, "out")]
    world.do("UPDATE public.parcels SET due = NULL WHERE number = 100")
    assert follows(world, 100) == []
    world.do("UPDATE public.parcels SET due = '2023-01-01', state = NULL WHERE number = 100")
    assert follows(world, 100) == []
    assert reasons(world, "100") == [("public.promises", "ends_before_it_begins")]
    assert once(world, 100) == [("in",)]
    world.check()
    world.do("UPDATE public.parcels SET state = 'late' WHERE number = 5")
    assert once(world, 5) == [("late",)]
    world.do("DELETE FROM public.parcels WHERE number IN (5, 100)")
    assert once(world, 100) == once(world, 5) == reasons(world, "100") == []
    world.check()


def test_a_row_that_the_application_has_changed_is_its_own(world: World) -> None:
    world.do(
        "INSERT INTO public.parcels SELECT n, 'in', '2024-01-01', '2024-01-05', 'S' FROM generate_series(100, 102) n"
    )
    world.do("UPDATE public.promises SET note = 'called' WHERE parcel = 100")
    world.do("DELETE FROM public.promises WHERE parcel = 101")
    world.do("UPDATE public.parcels SET state = 'out' WHERE number BETWEEN 100 AND 102")
    assert follows(world, 100) == [("Delivery by Sea", 4, "in")]
    assert follows(world, 101) == []
    assert follows(world, 102) == [("Delivery by Sea", 4, "out")]
    assert world.value("SELECT count(*) FROM public.parcels WHERE number BETWEEN 100 AND 102") == 3
    world.check()
    world.do("DELETE FROM public.parcels WHERE number BETWEEN 100 AND 102")
    assert follows(world, 100) == [("Delivery by Sea", 4, "in")]
    world.check()


def test_truncate_takes_what_the_application_has_not_changed(world: World) -> None:
    world.do("UPDATE public.history SET note = 'mine' WHERE parcel = 1", "TRUNCATE public.parcels")
    assert world.rows("SELECT parcel FROM public.history WHERE source = 'migration'") == [(1,)]
    assert len(kept(world)) == 2
    world.check()


def test_a_lookup_that_changes_is_followed(world: World) -> None:
    before = follows(world, 3)
    assert before[0][0] == "Delivery by Air"
    world.do("UPDATE public.tracks SET color = 'red'")
    assert world.value("SELECT count(*) FROM changeover.queue") == 0
    world.do(
        "UPDATE public.tracks SET title = 'Jet' WHERE code = 'A'", "INSERT INTO public.tracks VALUES ('X', 'Bike')"
    )
    world.do("DELETE FROM public.tracks WHERE code = 'S'")
    assert follows(world, 3) == before
    world.drain()
    assert follows(world, 3)[0][0] == "Delivery by Jet"
    assert follows(world, 2)[0][0] == "Delivery by Bike"
    assert follows(world, 4) == []
    world.check()


def test_a_writer_with_an_old_snapshot_of_a_lookup_is_looked_at_again(world: World) -> None:
    with world.session("READ COMMITTED") as writer:
        writer.execute("INSERT INTO public.parcels VALUES (100, 'in', '2024-01-01', '2024-01-05', 'A')")
        world.do("UPDATE public.tracks SET title = 'Jet' WHERE code = 'A'")
        for source in world.sources:
            world.call(world.conn, source, "drain", 1000)
        writer.execute("COMMIT")
    world.drain()
    assert follows(world, 100) == [("Delivery by Jet", 4, "in")]
    world.check()


def test_a_difference_is_named_and_repaired(world: World) -> None:
    world.do("ALTER TABLE public.parcels DISABLE TRIGGER USER")
    world.do("UPDATE public.parcels SET state = 'lost' WHERE number = 3", "DELETE FROM public.parcels WHERE number = 6")
    world.do("INSERT INTO public.parcels VALUES (100, 'in', '2024-01-01', '2024-01-05', 'S')")
    world.do("ALTER TABLE public.parcels ENABLE TRIGGER USER")
    found = sorted((key, kind, columns) for _, key, kind, columns, *_ in world.differences())
    assert ("3", "different", ["state"]) in found
    assert [kind for key, kind, _ in found if key == "6"] == ["orphan", "orphan"]
    assert [kind for key, kind, _ in found if key == "100"] == ["missing", "missing"]
    for source in world.sources:
        world.call(world.conn, source, "sync", ["3", "6", "100"])
    world.check()


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_a_batch_and_a_writer_at_the_same_time_make_one_row(databases: Databases, isolation: str) -> None:
    world = open_world(databases, SETUP, copied=False)
    with world.session(isolation) as writer, world.session("READ COMMITTED") as batch:
        writer.execute("SELECT 1 FROM public.parcels")
        for source in world.sources:
            world.call(batch, source, "batch", 0, 1000)
        writer.execute("UPDATE public.parcels SET weight = 1 WHERE number = 13")
        batch.execute("COMMIT")
        writer.execute("UPDATE public.parcels SET state = 'seen' WHERE number = 11")
        writer.execute("DELETE FROM public.parcels WHERE number = 12")
        writer.execute("COMMIT")
    world.state("copied")
    world.check()
    assert world.value("SELECT max(n) FROM (SELECT count(*) AS n FROM public.history GROUP BY parcel) x") == 1
    assert world.value("SELECT max(n) FROM (SELECT count(*) AS n FROM public.promises GROUP BY parcel) x") == 1
    assert once(world, 12) == follows(world, 12) == []


def test_the_way_back_takes_out_its_own_rows_and_archives_what_was_changed(world: World) -> None:
    world.do("UPDATE public.history SET note = 'mine' WHERE parcel = 1")
    world.do("INSERT INTO public.history (parcel, to_state, at) VALUES (1, 'next', '2024-05-05')")
    total = world.value("SELECT count(*) FROM changeover.key_map WHERE source_id = 1")
    assert world.rows("SELECT * FROM changeover.x1_take_back(10)")[0][0] == 10
    assert world.rows("SELECT * FROM changeover.x1_take_back(1000)")[0][0] == total - 10
    assert world.rows("SELECT * FROM changeover.x1_take_back(1000)") == [(0, 0)]
    left = world.rows("SELECT parcel, to_state FROM public.history ORDER BY parcel")
    assert left == [(-2, "kept"), (-1, "kept"), (1, "next")]
    assert world.rows("SELECT source_key, row ->> 'note' FROM archive.derived_rows") == [("1", "mine")]


def test_many_rows_of_a_lookup_at_once_are_one_note(world: World) -> None:
    world.do("INSERT INTO public.tracks SELECT 'n' || i, 'New ' || i FROM generate_series(1, 500) i")
    assert world.value("SELECT count(*) FROM changeover.queue") == 1
    world.check()


def test_a_batch_reads_no_more_pairs_than_it_makes(databases: Databases) -> None:
    world = open_world(databases, SETUP, copied=False)
    world.do("ALTER TABLE public.parcels DISABLE TRIGGER USER")
    world.do(
        "INSERT INTO public.parcels (number, state, received) SELECT n, 'in', '2024-01-01' FROM generate_series(1000, 5000) n"
    )
    world.do("ALTER TABLE public.parcels ENABLE TRIGGER USER")
    first = world.sources[0]
    read = (
        "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_all_tables WHERE relid = 'changeover.key_map'::regclass"
    )
    with world.session("READ COMMITTED") as batch:
        for page in range(0, 100, 10):
            world.call(batch, first, "batch", page, page + 10)
        row = batch.execute(read.encode()).fetchone()
        made = batch.execute("SELECT count(*) FROM changeover.key_map").fetchone()
        batch.execute("ROLLBACK")
    assert made is not None
    assert row is not None
    assert made[0] > 4000
    assert row[0] <= 4 * made[0]
