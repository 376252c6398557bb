"""A table changed in place: rules that let old rows through by name, and looked-up rows that come, go and change later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from orchestrator.mapping.kinds import KINDS
from tests.support.in_place_worlds import CREWS, STAYS
from tests.support.mapping import PAGES, World, open_world
from tests.support.sessions import threads

if TYPE_CHECKING:
    from tests.support.database import Databases

STAY = "SELECT room, room_id, guest_id, let_through FROM public.stays WHERE id = {}"
RULES = {
    "some_nights": "nights > 0",
    "paid_said": "paid IN ('yes', 'no')",
    "not_in_red": "room_id <> 1",
}


@pytest.fixture
def world(databases: Databases) -> World:
    return open_world(databases, STAYS)


def settled(world: World) -> None:
    """Drained twice: the second look is for who had read the lookup before."""
    for _ in range(3):
        world.do("UPDATE changeover.queue SET not_before = NULL")
        world.call(world.conn, world.sources[0], "drain", 1000)
    world.check()
    assert world.rows("SELECT * FROM changeover.queue") == []


def bound(world: World) -> None:
    world.do(*(
        f"ALTER TABLE public.stays ADD CONSTRAINT {name} CHECK ({rule} OR '{name}' = ANY (let_through))"
        for name, rule in RULES.items()
    ))  # fmt: skip


def test_old_rows_carry_the_names_of_the_rules_that_they_break(world: World) -> None:
    world.check()
    bound(world)  # all rows that are there pass
    named = "SELECT count(*) FROM public.stays WHERE '{}' = ANY (let_through)"
    assert [world.value(named.format(name)) for name in RULES] == [20, 30, 22]
    ((_, _, _, exempt),) = world.call(world.conn, world.sources[0], "count_rows")
    assert exempt == world.value("SELECT count(*) FROM public.stays WHERE let_through <> '{}'")


def test_a_rule_binds_who_gives_new_columns_and_nobody_else(world: World) -> None:
    bound(world)
    app = world.database.connect("app")
    app.execute("INSERT INTO public.stays (id, room, nights, paid) VALUES (201, 'red', 0, 'YES')")
    assert world.rows(STAY.format(201)) == [("red", 1, None, ["some_nights", "paid_said", "not_in_red"])]
    app.execute("UPDATE public.stays SET nights = 2, paid = 'no' WHERE id = 201")
    assert world.rows(STAY.format(201))[0][3] == ["not_in_red"]
    for broken in ("(202, 2, 0, 'no')", "(202, 2, 1, 'NO')", "(202, 1, 1, 'no')"):
        with pytest.raises(psycopg.errors.CheckViolation):
            app.execute(f"INSERT INTO public.stays (id, room_id, nights, paid) VALUES {broken}".encode())
    app.execute("INSERT INTO public.stays (id, room_id, nights, paid) VALUES (203, 2, 1, 'no')")
    with pytest.raises(psycopg.errors.CheckViolation):
        app.execute("UPDATE public.stays SET room_id = 1 WHERE id = 203")
    app.execute("UPDATE public.stays SET room_id = 2 WHERE id = 201")
    assert world.rows(STAY.format(201)) == [("blue", 2, None, [])]
    world.check()


def test_before_its_check_is_there_a_rule_lets_everybody_through(world: World) -> None:
    app = world.database.connect("app")
    app.execute("INSERT INTO public.stays (id, room_id, nights, paid) VALUES (204, 1, 0, 'no')")
    assert world.rows(STAY.format(204)) == [("red", 1, None, ["some_nights", "not_in_red"])]
    bound(world)
    world.check()


def test_names_that_are_wrong_are_told_and_mended(world: World) -> None:
    world.do("ALTER TABLE public.stays DISABLE TRIGGER USER", "UPDATE public.stays SET let_through = '{odd}' WHERE id = 5",
             "ALTER TABLE public.stays ENABLE TRIGGER USER")  # fmt: skip
    assert [(key, columns) for _, key, _, columns, _, _ in world.differences()] == [("5", ["let_through"])]
    world.call(world.conn, world.sources[0], "sync", ["5"])
    world.check()


def test_rows_that_come_later_are_followed(world: World) -> None:
    assert world.rows(STAY.format(2))[0][:2] == ("green", None)
    other = world.session("REPEATABLE READ", role="app")
    other.execute("UPDATE public.stays SET nights = 3 WHERE id = 3")
    world.do("INSERT INTO public.rooms VALUES (3, 'green'), (4, 'white')")
    other.execute("INSERT INTO public.stays (id, room) VALUES (301, 'green')")  # which does not see the room
    other.commit()
    settled(world)
    assert world.value("SELECT count(*) FROM public.stays WHERE room = 'green' AND room_id = 3") == 24
    app = world.database.connect("app")
    app.execute("UPDATE public.rooms SET door = 'violet' WHERE id = 3")  # the old column follows: it is the same room
    settled(world)
    assert world.rows(STAY.format(2))[0][:2] == ("violet", 3)


def test_a_column_that_is_followed_and_gets_another_name_fails_no_write(world: World) -> None:
    app = world.database.connect("app")
    world.do("ALTER TABLE public.rooms RENAME door TO portal")
    app.execute("INSERT INTO public.rooms VALUES (3, 'green')")
    app.execute("UPDATE public.rooms SET portal = 'scarlet' WHERE id = 1")
    app.execute("DELETE FROM public.rooms WHERE id = 2")
    assert world.value("SELECT count(*) FROM changeover.queue WHERE key IS NULL AND direction = 'forward'") == 3
    world.do("ALTER TABLE public.rooms RENAME portal TO door")
    settled(world)
    assert [world.rows(STAY.format(stay))[0][:2] for stay in (1, 2, 4)] == [
        ("blue", None),
        ("green", 3),
        ("scarlet", 1),
    ]


@pytest.mark.parametrize("origin", ["m99:f", ""], ids=["by a mirror of ours", "by the application"])
def test_rows_that_go_are_followed_and_the_old_column_keeps_its_word(world: World, origin: str) -> None:
    app = world.database.connect("app")
    app.execute("SELECT set_config('changeover.origin', %s, false)", (origin,))
    app.execute("DELETE FROM public.rooms WHERE id = 2")  # ON DELETE SET NULL
    settled(world)
    assert world.rows(STAY.format(1))[0][:2] == ("blue", None)


def test_a_name_that_a_second_row_gets_leads_to_neither(world: World) -> None:
    assert (world.rows(STAY.format(4))[0][2], world.rows(STAY.format(2))[0][2]) == (1, None)
    app = world.database.connect("app")
    app.execute("INSERT INTO public.guests (name) VALUES ('Ann')")
    app.execute("DELETE FROM public.guests WHERE id = 3")
    settled(world)
    assert (world.rows(STAY.format(4))[0][2], world.rows(STAY.format(2))[0][2]) == (None, 4)
    app.execute("INSERT INTO public.guests (name) SELECT 'Dee' || i FROM generate_series(1, 1200) i")
    assert world.value("SELECT count(*) FROM changeover.queue") == 3  # not a note for each
    settled(world)


def test_a_column_follows_what_it_reads_and_keeps_the_word_of_the_new_version(databases: Databases) -> None:
    world = open_world(databases, CREWS)
    world.check()
    assert world.rows("SELECT boss_id, count(*) FROM public.crew GROUP BY 1 ORDER BY 1") == [(1, 20), (None, 40)]
    app = world.database.connect("app")
    row = "SELECT boss_id FROM public.crew WHERE id = {}"
    app.execute("UPDATE public.crew SET boss_id = 2 WHERE id IN (2, 3)")
    app.execute("UPDATE public.crew SET facts = facts || '{\"more\": 2}'")  # who the boss is it does not say
    assert (world.rows(row.format(2)), world.rows(row.format(3)), world.rows(row.format(6))) == ([(2,)], [(2,)], [(1,)])
    app.execute("UPDATE public.crew SET boss_id = NULL WHERE id = 9")
    app.execute("INSERT INTO public.bosses VALUES (3, 'eve')")
    settled(world)
    assert world.rows("SELECT boss_id, count(*) FROM public.crew GROUP BY 1 ORDER BY 1") == [
        (1, 18),
        (2, 2),
        (3, 20),
        (None, 20),
    ]
    app.execute('UPDATE public.crew SET facts = \'{"boss": "eve"}\' WHERE id = 3')
    app.execute("INSERT INTO public.crew (id, facts) VALUES (100, '{\"boss\": \"bob\"}'), (101, '{}')")
    settled(world)
    assert world.rows("SELECT boss_id FROM public.crew WHERE id IN (3, 100, 101) ORDER BY id") == [(3,), (2,), (None,)]


@pytest.mark.parametrize("writes", ["size = 7", "id = 606"])
def test_a_row_that_somebody_writes_while_a_batch_waits_for_it_is_filled(databases: Databases, writes: str) -> None:
    """The write says nothing of what the column reads, so that the mirror does not compute it; the batch has read the row before."""
    world = open_world(databases, CREWS, copied=False)
    app, runner = world.session("READ COMMITTED", role="app"), world.session(lock_timeout="20s")
    app.execute(f"UPDATE public.crew SET {writes} WHERE id = 6")
    batch = f"SELECT * FROM changeover.m{world.sources[0].id}_batch(0, {PAGES})"
    with threads(world.conn) as started:
        waiting = started.start(runner, batch)
        assert not waiting.done
        app.commit()
    runner.commit()
    for source in world.sources:
        world.call(world.conn, source, "batch", 0, 0)
    world.state("copied")
    world.drain()
    assert world.value("SELECT boss_id FROM public.crew WHERE id IN (6, 606)") == 1
    world.check()


def test_what_is_filled_once_is_not_compared(databases: Databases) -> None:
    world = open_world(databases, CREWS)
    assert world.value("SELECT count(*) FROM public.crew WHERE size = 2") == 30
    world.do("ALTER TABLE public.crew DISABLE TRIGGER USER", "UPDATE public.crew SET size = NULL WHERE id = 1",
             "ALTER TABLE public.crew ENABLE TRIGGER USER")  # fmt: skip
    world.check()
    with pytest.raises(ValueError, match="say what they `reads`"):
        KINDS["in_place"].model_validate({**CREWS.mappings[1], "where": None})
    with pytest.raises(ValueError, match="without a way back"):
        KINDS["in_place"].model_validate({**CREWS.mappings[0], "reverse": {"size": "t.boss_id"}})


def test_only_a_mapping_in_place_follows() -> None:
    lookup = {"table": "public.rooms", "match": "room.door = s.room", "follow": True}
    listed = {"sources": ["public.stays"], "key": {"column": "id"}, "originals": "o", "columns": {"a": "room.id"}}
    with pytest.raises(ValueError, match="`follow` is for mappings in place"):
        KINDS["unify"].model_validate({"unify": "public.new", **listed, "lookups": {"room": lookup}})
    with pytest.raises(ValueError, match="give `follow: true` too"):
        KINDS["in_place"].model_validate(
            {**STAYS.mappings[0], "lookups": {"room": {**lookup, "follow": False, "touches": "true"}}}
        )
    with pytest.raises(ValueError, match="reads the row alone"):
        KINDS["in_place"].model_validate({**STAYS.mappings[0], "exempt": {"rule": "room.id > 1"}})
