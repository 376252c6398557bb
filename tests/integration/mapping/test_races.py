"""Two sessions and one row. Neither statement may fail, no acknowledged write may be lost, both sides end up equal."""

from __future__ import annotations

import pytest

from tests.support.mapping import PAGES, World
from tests.support.sessions import threads

A = "SELECT id FROM public.a_tickets WHERE note = 'a6'"


def _id(world: World, query: str = A) -> str:
    return str(world.value(query))


def _old(world: World, key: str, column: str) -> object:
    return world.value(f"SELECT {column} FROM public.a_tickets WHERE id = '{key}'")


def _new(world: World, key: str, column: str) -> object:
    return world.value(f"SELECT {column} FROM public.tickets WHERE id = '{key}'")


def test_a_row_deleted_behind_the_batchs_back_does_not_come_back(fresh_tickets: World) -> None:
    world = fresh_tickets
    key = _id(world)
    batch = world.session("READ COMMITTED")
    # The batch has its snapshot of the row; the row goes before the batch commits.
    world.call(batch, world.source("a_tickets", "unify"), "batch", 0, PAGES)
    with threads(world.conn) as running:
        deletion = running.start(world.session(), f"DELETE FROM public.a_tickets WHERE id = '{key}'")
        batch.commit()
        deletion.result()
    world.copy()
    world.check()
    assert world.rows(f"SELECT FROM public.tickets WHERE id = '{key}'") == []


def test_a_row_deleted_between_the_look_and_the_insert_of_a_batch_is_swept(fresh_tickets: World) -> None:
    world = fresh_tickets
    key = _id(world)
    # The lock on another row of the target stops the batch in the middle, after its snapshot.
    blocker = world.session("READ COMMITTED")
    other = world.value("SELECT min(id::text) FROM public.a_tickets WHERE clerk = 'bob@x.org' AND day IS NOT NULL")
    blocker.execute(
        f"INSERT INTO public.tickets (id, shop, clerk_id, day) VALUES ('{other}', 'z', '{other}', now())".encode()
    )
    batch = world.session("READ COMMITTED")
    source = world.source("a_tickets", "unify")
    with threads(world.conn) as running:
        copying = running.start(batch, f"SELECT * FROM changeover.m{source.id}_batch(0, {PAGES})")
        assert not copying.done
        world.do(f"DELETE FROM public.a_tickets WHERE id = '{key}'")
        blocker.rollback()
        copying.result()
        batch.commit()
    world.copy()
    world.check()
    assert world.rows(f"SELECT FROM public.tickets WHERE id = '{key}'") == []


@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_writer_with_an_old_snapshot_writes_a_row_that_was_copied_since(fresh_tickets: World, isolation: str) -> None:
    world = fresh_tickets
    key = _id(world)
    writer = world.session(isolation)
    writer.execute("SELECT count(*) FROM public.a_tickets")
    world.copy()
    writer.execute(f"UPDATE public.a_tickets SET note = 'late' WHERE id = '{key}'".encode())
    writer.execute(b"DELETE FROM public.a_tickets WHERE note = 'a7'")
    writer.execute(b"INSERT INTO public.a_tickets (clerk, day, note) VALUES ('new@x.org', '2024-09-09', 'late too')")
    writer.commit()
    world.check()
    assert _new(world, key, "note") == "late"
    assert world.value("SELECT count(*) FROM public.tickets WHERE note = 'late too'") == 1


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_two_sides_write_two_columns_of_one_row_at_once(tickets: World, isolation: str) -> None:
    world = tickets
    key = _id(world)
    old, new = world.session(isolation), world.session(isolation)
    for session in (old, new):
        session.execute(b"SELECT 1 FROM public.a_tickets")
    with threads(world.conn) as running:
        # Each holds its row before either mirror asks for the other one.
        old.execute(f"SELECT FROM public.a_tickets WHERE id = '{key}' FOR NO KEY UPDATE".encode())
        new.execute(f"SELECT FROM public.tickets WHERE id = '{key}' FOR NO KEY UPDATE".encode())
        first = running.start(old, f"UPDATE public.a_tickets SET note = 'of the old' WHERE id = '{key}'")
        second = running.start(new, f"UPDATE public.tickets SET amount = 77 WHERE id = '{key}'")
        first.result()
        old.commit()
        second.result()
        new.commit()
    world.check()
    for read, column in ((_old, "note"), (_new, "note")):
        assert read(world, key, column) == "of the old"
    assert str(_old(world, key, "amount")) == "77.00"
    assert str(_new(world, key, "amount")) == "77.00"


def test_a_patch_that_waited_does_not_undo_a_later_write_of_what_stood_there_before(tickets: World) -> None:
    world = tickets
    key = _id(world)
    new = world.session("SERIALIZABLE")
    new.execute(f"UPDATE public.tickets SET amount = 77, note = 'new' WHERE id = '{key}'".encode())
    new.commit()
    world.do(f"UPDATE public.tickets SET note = 'a6' WHERE id = '{key}'")
    world.check()
    assert _new(world, key, "note") == _old(world, key, "note") == "a6"
    assert str(_old(world, key, "amount")) == "77.00"


@pytest.mark.parametrize("first", ["old", "new"])
def test_a_patch_that_waited_does_not_undo_a_later_write(tickets: World, first: str) -> None:
    world = tickets
    key = _id(world)
    new = world.session("SERIALIZABLE")
    new.execute(f"UPDATE public.tickets SET amount = 77, note = 'new' WHERE id = '{key}'".encode())
    new.commit()
    if first == "old":
        world.do(f"UPDATE public.a_tickets SET note = 'later, old' WHERE id = '{key}'")
    else:
        world.do(f"UPDATE public.tickets SET note = 'later, new' WHERE id = '{key}'")
    world.check()
    assert _new(world, key, "note") == f"later, {first}"
    assert str(_old(world, key, "amount")) == "77.00"


def test_a_deletion_of_the_new_side_that_waited_wins_over_the_update_that_hindered_it(tickets: World) -> None:
    world = tickets
    key = _id(world)
    old, new = world.session("READ COMMITTED"), world.session("READ COMMITTED")
    with threads(world.conn) as running:
        old.execute(f"SELECT FROM public.a_tickets WHERE id = '{key}' FOR NO KEY UPDATE".encode())
        second = running.start(new, f"DELETE FROM public.tickets WHERE id = '{key}'")
        first = running.start(old, f"UPDATE public.a_tickets SET note = 'of the old' WHERE id = '{key}'")
        first.result()
        second.result()
        new.commit()
        old.commit()
    world.check()
    assert world.rows(f"SELECT FROM public.a_tickets WHERE id = '{key}'") == []


def test_what_waited_for_deletion_and_was_made_again_stays(tickets: World) -> None:
    world = tickets
    key = _id(world)
    new = world.session("SERIALIZABLE")
    new.execute(f"DELETE FROM public.tickets WHERE id = '{key}'".encode())
    new.commit()
    clerk = world.value("SELECT id FROM public.clerks LIMIT 1")
    world.do(
        f"INSERT INTO public.tickets (id, shop, clerk_id, day, note) VALUES ('{key}', 'a', '{clerk}', '2024-01-01', 'back')"
    )
    world.check()
    assert _old(world, key, "note") == "back"


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_a_row_of_the_new_side_is_born_and_dies_in_any_isolation(tickets: World, isolation: str) -> None:
    world = tickets
    clerk = world.value("SELECT id FROM public.clerks LIMIT 1")
    session = world.session(isolation)
    for shop in "abcd":
        session.execute(
            f"INSERT INTO public.tickets (shop, clerk_id, day, note) VALUES ('{shop}', '{clerk}', '2024-01-01', 'born {shop}')".encode()
        )
    session.commit()
    world.check()
    for shop in "abcd":
        assert world.value(f"SELECT count(*) FROM public.{shop}_tickets WHERE note = 'born {shop}'") == 1
    session.execute(b"DELETE FROM public.tickets WHERE note LIKE 'born%'")
    session.commit()
    world.check()
    assert world.value("SELECT count(*) FROM public.a_tickets WHERE note LIKE 'born%'") == 0


def test_neither_of_two_writers_of_one_key_without_a_unique_index_is_lost(tickets: World) -> None:
    world = tickets
    one, two = world.session("READ COMMITTED"), world.session("READ COMMITTED")
    key = "11111111-2222-3333-4444-555555555555"
    insert = f"INSERT INTO public.d_tickets (id, clerk, day, note) VALUES ('{key}', 'eve@x.org', '2024-01-01', "
    one.execute(f"{insert} 'one')".encode())
    with threads(world.conn) as running:
        second = running.start(two, f"{insert} 'two')")
        one.commit()
        second.result()
        two.commit()
    world.check()
    assert world.value(f"SELECT count(*) FROM changeover.reject WHERE key = '{key}' AND reason = 'id_taken'") == 1


def test_a_deletion_and_an_insert_of_one_key_without_a_unique_index(tickets: World) -> None:
    world = tickets
    key = world.value("SELECT id FROM public.d_tickets WHERE id IS NOT NULL GROUP BY id HAVING count(*) = 1 LIMIT 1")
    one, two = world.session("READ COMMITTED"), world.session("READ COMMITTED")
    one.execute(
        f"INSERT INTO public.d_tickets (id, clerk, day, note) VALUES ('{key}', 'eve@x.org', '2024-01-01', 'new')".encode()
    )
    with threads(world.conn) as running:
        deletion = running.start(two, f"DELETE FROM public.d_tickets WHERE id = '{key}' AND note IS NULL")
        one.commit()
        deletion.result()
        two.commit()
    world.check()
    assert world.value(f"SELECT count(*) FROM public.tickets WHERE id = '{key}'") == 1


@pytest.mark.parametrize("committed_first", ["insert", "delete"])
def test_one_source_of_a_person_goes_while_another_comes(people: World, committed_first: str) -> None:
    world = people
    world.do(
        "INSERT INTO public.users (email, full_name) VALUES ('both@x.org', 'U')",
    )
    one, two = world.session("READ COMMITTED"), world.session("READ COMMITTED")
    coming = "INSERT INTO public.people (email, name) VALUES ('both@x.org', 'P')"
    going = "DELETE FROM public.users WHERE email = 'both@x.org'"
    statements = (coming, going) if committed_first == "insert" else (going, coming)
    with threads(world.conn) as running:
        one.execute(statements[0].encode())
        second = running.start(two, statements[1])
        one.commit()
        second.result()
        two.commit()
    world.check()
    assert world.rows("SELECT name, auth_id FROM public.employees WHERE email = 'both@x.org'") == [("P", None)]


def test_two_people_claim_one_badge_at_once(people: World) -> None:
    world = people
    one, two = world.session("READ COMMITTED"), world.session("READ COMMITTED")
    one.execute(b"INSERT INTO public.people (email, name, badge) VALUES ('one@x.org', '1', 'B-1')")
    with threads(world.conn) as running:
        second = running.start(two, "INSERT INTO public.people (email, name, badge) VALUES ('two@x.org', '2', 'B-1')")
        one.commit()
        second.result()
        two.commit()
    world.check()
    assert world.value("SELECT count(*) FROM public.employees WHERE badge = 'B-1'") == 1


def test_two_bulk_writers_of_both_sides_in_opposite_order_both_succeed(tickets: World) -> None:
    world = tickets
    keys = [r[0] for r in world.rows("SELECT id FROM public.tickets WHERE shop = 'a' ORDER BY id LIMIT 2")]
    old, new = world.session("READ COMMITTED"), world.session("READ COMMITTED")
    old.execute(f"UPDATE public.a_tickets SET note = 'old' WHERE id = '{keys[0]}'".encode())
    new.execute(f"UPDATE public.tickets SET amount = 5 WHERE id = '{keys[1]}'".encode())
    with threads(world.conn) as running:
        first = running.start(new, f"UPDATE public.tickets SET amount = 6 WHERE id = '{keys[0]}'")
        second = running.start(old, f"UPDATE public.a_tickets SET note = 'old' WHERE id = '{keys[1]}'")
        # Both applications wait for rows that the other one holds: a circle of their own, as it would be in one table.
        for waiting, session in ((first, new), (second, old)):
            try:
                waiting.result()
                session.commit()
            except Exception as exc:  # noqa: BLE001 - which of the two is chosen is the server's affair
                assert "deadlock" in str(exc)
                session.rollback()
    world.check()


_REJECTED = (
    "SELECT id FROM public.a_tickets a WHERE (day IS NULL OR clerk IS NULL) AND amount <> '99999.5' "
    "AND NOT EXISTS (SELECT FROM public.c_tickets c WHERE c.id = a.id::text) ORDER BY id LIMIT 1"
)
_MEND = "UPDATE public.a_tickets SET day = '2024-05-05', clerk = 'mended@x.org' WHERE id = '{}'"


@pytest.mark.parametrize("drained", [False, True], ids=["", "drained meanwhile"])
@pytest.mark.parametrize("first", ["the writer", "the batch"])
@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_a_row_mended_while_a_batch_rejects_it_is_no_reject(
    fresh_tickets: World, isolation: str, first: str, *, drained: bool
) -> None:
    world = fresh_tickets
    source = world.source("a_tickets", "unify")
    key = _id(world, _REJECTED)
    writer, batch = world.session(isolation), world.session("READ COMMITTED")
    writer.execute(b"SELECT 1 FROM public.a_tickets LIMIT 1")
    if first == "the writer":
        writer.execute(_MEND.format(key).encode())
        world.call(batch, source, "batch", 0, PAGES)
        batch.commit()
    else:
        world.call(batch, source, "batch", 0, PAGES)
        writer.execute(_MEND.format(key).encode())  # no batch is in its way
        batch.commit()
    with threads(world.conn) as running:
        # A drain that meets the writer at work waits for it, for as long as a mirror may.
        draining = running.start(world.session(), f"SELECT changeover.drain({source.id}, 1000)") if drained else None
        writer.commit()
        if draining is not None:
            draining.result()
    world.copy()
    world.check()
    assert world.rows(f"SELECT FROM public.tickets WHERE id = '{key}'") == [()]
    assert world.rows(f"SELECT FROM changeover.reject WHERE key = '{key}'") == []


def test_only_rejects_whose_row_somebody_touched_are_derived_again(fresh_tickets: World) -> None:
    world = fresh_tickets
    source = world.source("a_tickets", "unify")
    world.call(world.conn, source, "batch", 0, PAGES)
    touched = _id(world, _REJECTED)
    others = "SELECT id FROM changeover.reject WHERE key <> :key AND reason <> 'id_taken' ORDER BY id".replace(
        ":key", f"'{touched}'"
    )
    before = world.rows(others)
    assert len(before) > 5
    world.do(
        "ALTER TABLE public.a_tickets DISABLE TRIGGER USER",
        f"DELETE FROM public.a_tickets WHERE id = '{touched}'",
        "DELETE FROM changeover.queue WHERE cause = 'batch:id_taken'",
        "ALTER FUNCTION changeover.apply(integer, text[]) RENAME TO applied",
        "CREATE FUNCTION changeover.apply(source integer, keys text[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
        f"ASSERT source <> {source.id} OR keys = ARRAY['{touched}'], keys::text; PERFORM changeover.applied(source, keys); END $$",
    )
    world.drain()
    assert world.rows(others) == before
    assert world.rows(f"SELECT FROM changeover.reject WHERE key = '{touched}'") == []


def test_the_new_side_goes_on_reading_what_it_wrote_and_what_waits(tickets: World) -> None:
    world = tickets
    key = _id(world)
    new = world.session("SERIALIZABLE")
    new.execute(f"UPDATE public.tickets SET note = 'new' WHERE id = '{key}'".encode())
    new.commit()
    # The mirror of the old table derives the row, of which the old row does not say yet what was written.
    world.do(f"UPDATE public.a_tickets SET amount = 3 WHERE id = '{key}'")
    assert _new(world, key, "note") == "new"
    world.check()
    assert (_old(world, key, "note"), str(_new(world, key, "amount"))) == ("new", "3.00")
