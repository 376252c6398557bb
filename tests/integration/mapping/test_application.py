"""Applications as they are: other roles, triggers of their own, bulk statements, views in place of tables."""

from __future__ import annotations

import time

import psycopg
import pytest

from tests.support.database import Databases
from tests.support.mapping import Setup, World, open_world

pytestmark = pytest.mark.every

KEY = "SELECT id FROM public.a_tickets WHERE note = 'a6'"


def test_a_role_without_rights_on_the_ledger_or_the_new_tables_writes_the_old_ones(tickets: World) -> None:
    world = tickets
    role = world.database.app_role
    world.do(f'REVOKE ALL ON public.tickets, public.clerks, public.marks FROM "{role}"')
    app = world.session(role="app")
    app.execute(b"INSERT INTO public.a_tickets (clerk, day, note, q1) VALUES ('app@x.org', '2024-01-01', 'app', 2)")
    app.execute(b"UPDATE public.a_tickets SET note = 'app 2' WHERE note = 'app'")
    app.execute(b"DELETE FROM public.a_tickets WHERE note = 'a6'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(b"SELECT * FROM changeover.queue")
    world.check()
    assert world.value("SELECT count(*) FROM public.tickets WHERE note = 'app 2'") == 1


def test_a_role_without_rights_on_the_old_tables_writes_the_new_ones(tickets: World) -> None:
    world = tickets
    role = world.database.app_role
    world.do(f'REVOKE ALL ON public.a_tickets, public.b_tickets, public.clerks FROM "{role}"')
    app = world.session(role="app")
    clerk = world.value("SELECT id FROM public.clerks LIMIT 1")
    for shop in "ab":
        app.execute(
            f"INSERT INTO public.tickets (shop, clerk_id, day, note) VALUES ('{shop}', '{clerk}', '2024-01-01', 'n')".encode()
        )
    app.execute(b"UPDATE public.tickets SET amount = 3 WHERE note = 'n'")
    world.check()
    assert world.value("SELECT count(*) FROM public.b_tickets WHERE note = 'n' AND amount = '3.00'") == 1


def test_triggers_of_the_old_application_change_what_is_written(tickets: World) -> None:
    world, key = tickets, tickets.value(KEY)
    world.do(
        """CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.feedback := coalesce(NEW.feedback, '') || '+'; RETURN NEW; END $$""",
        """CREATE FUNCTION public.again() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF pg_trigger_depth() < 3 AND NEW.q2 IS NULL THEN
                UPDATE public.a_tickets SET q2 = 5 WHERE id = NEW.id;
                UPDATE public.a_tickets SET q1 = coalesce(q1, 0) + 1 WHERE note = 'a11';
                INSERT INTO public.b_tickets (clerk, day, note) VALUES ('trigger@x.org', '2024-01-01', 'of a trigger');
            END IF;
            RETURN NULL;
        END $$""",
        "CREATE TRIGGER stamp BEFORE UPDATE ON public.a_tickets FOR EACH ROW EXECUTE FUNCTION public.stamp()",
        "CREATE TRIGGER again AFTER UPDATE ON public.a_tickets FOR EACH ROW EXECUTE FUNCTION public.again()",
    )
    world.do(f"UPDATE public.a_tickets SET note = 'touched' WHERE id = '{key}'")
    world.check()
    world.do(f"UPDATE public.a_tickets SET q2 = NULL WHERE id = '{key}'")
    world.check()
    # And when it is the reverse mirror that writes.
    world.do(f"UPDATE public.a_tickets SET q2 = 1 WHERE id = '{key}'")
    other = world.value("SELECT id FROM public.tickets WHERE note = 'a16'")
    world.do(f"UPDATE public.tickets SET amount = 4 WHERE id = '{other}'")
    waiting = world.rows("SELECT DISTINCT direction, cause FROM changeover.queue")
    assert waiting == [("forward", "returned")]  # a11, which the same statement might have written too
    world.check()
    assert world.value("SELECT count(*) FROM public.tickets WHERE note = 'of a trigger'") == 4
    assert world.value(f"SELECT extra ->> 'q2' FROM public.tickets WHERE id = '{other}'") == "5"
    # And it does write it, too.
    world.do(f"UPDATE public.a_tickets SET q2 = NULL WHERE id = '{other}' OR note = 'a11'")
    world.check()
    world.do("UPDATE public.tickets SET amount = 7 WHERE note IN ('a16', 'a11')")
    world.check()
    assert world.rows("SELECT amount FROM public.a_tickets WHERE note IN ('a16', 'a11')") == [("7.00",), ("7.00",)]
    assert world.value("SELECT count(*) FROM public.tickets WHERE note IN ('a16', 'a11') AND amount = 7") == 2


def test_a_trigger_that_fails_only_under_the_reverse_mirror_fails_nobody(tickets: World) -> None:
    world, key = tickets, tickets.value(KEY)
    world.do(
        """CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.amount = '13.00' THEN RAISE 'no'; END IF; RETURN NEW; END $$""",
        "CREATE TRIGGER refuse BEFORE UPDATE ON public.a_tickets FOR EACH ROW EXECUTE FUNCTION public.refuse()",
        f"UPDATE public.tickets SET amount = 13 WHERE id = '{key}'",
    )
    assert world.rows("SELECT direction, cause FROM changeover.queue") == [("reverse", "P0001")]
    world.do(f"UPDATE public.tickets SET amount = 14 WHERE id = '{key}'", "DROP TRIGGER refuse ON public.a_tickets")
    world.check()
    assert world.value(f"SELECT amount FROM public.a_tickets WHERE id = '{key}'") == "14.00"


def test_statements_of_every_kind(tickets: World) -> None:
    world = tickets
    key = world.value(KEY)
    columns = "(id, clerk, status, day, note)"
    conflict = "ON CONFLICT (id) DO UPDATE SET note = EXCLUDED.note || '!', status = EXCLUDED.status"
    world.do(
        f"INSERT INTO public.a_tickets {columns} VALUES ('{key}', 'x', 'OPEN', NULL, 'up'), "
        f"(gen_random_uuid(), 'y@x.org', 'Closed', '2024-01-01', 'in') {conflict}",
        f"INSERT INTO public.a_tickets {columns} VALUES ('{key}', 'x', 'OPEN', NULL, 'up') ON CONFLICT DO NOTHING",
        "UPDATE public.b_tickets SET id = id + 1000 WHERE id % 2 = 0",
        "UPDATE public.c_tickets SET id = upper(id)",
        "WITH gone AS (DELETE FROM public.b_tickets WHERE id % 5 = 0 RETURNING *) "
        "INSERT INTO public.b_tickets (clerk, day, note) SELECT clerk, day, 'moved' FROM gone",
        "UPDATE public.d_tickets SET id = NULL WHERE amount = '7'",
    )
    with world.conn.cursor() as cursor, cursor.copy("COPY public.a_tickets (clerk, day, note, q1) FROM STDIN") as copy:
        for i in range(500):
            copy.write_row((f"copy{i % 7}@x.org", "2024-01-01" if i % 5 else None, f"copy {i}", i))
    if world.conn.info.server_version >= 150000:
        world.do(
            "MERGE INTO public.b_tickets b USING (VALUES (1), (3), (77777)) v (id) ON b.id = v.id "
            "WHEN MATCHED AND b.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET note = 'merged' "
            "WHEN NOT MATCHED THEN INSERT (id, clerk, day) VALUES (v.id, 'm@x.org', '2024-01-01')"
        )
    world.check()
    assert world.value("SELECT count(*) FROM public.tickets WHERE note LIKE 'copy%'") == 400


def test_ten_thousand_rows_in_one_statement(tickets: World) -> None:
    world = tickets
    began = time.monotonic()
    world.do(
        "INSERT INTO public.b_tickets (clerk, day, amount, q1) "
        "SELECT 'bulk' || i % 50 || '@x.org', CASE WHEN i % 100 > 0 THEN date '2024-01-01' END, i % 900, i % 5 "
        "FROM generate_series(1, 10000) i"
    )
    inserted = time.monotonic()
    world.do("ANALYZE", "UPDATE public.b_tickets SET note = 'bulk', day = CASE WHEN id % 50 > 0 THEN day END")
    updated = time.monotonic()
    world.do("DELETE FROM public.b_tickets WHERE id % 2 = 0")
    deleted = time.monotonic()
    world.check()
    assert max(inserted - began, updated - inserted, deleted - updated) < 20


def test_ten_thousand_people_in_one_statement(people: World) -> None:
    world = people
    began = time.monotonic()
    world.do(
        "INSERT INTO public.people (email, name, badge, department, login_count) "
        "SELECT 'bulk' || i / 2 || '@x.org', 'B', 'bulk' || i / 3, 'D' || i % 9, i FROM generate_series(1, 10000) i"
    )
    world.do("ANALYZE")
    world.do("UPDATE public.people SET name = name || login_count, department = 'E' WHERE name = 'B'")
    world.do("DELETE FROM public.people WHERE login_count % 2 = 0")
    assert time.monotonic() - began < 60
    world.check()


def test_nothing_can_be_written_through_the_view_not_even_by_its_owner(tickets: World, people: World) -> None:
    for world, view in ((tickets, "b_tickets"), (people, "users")):
        for write in (
            f"DELETE FROM compat.{view}",
            f"UPDATE compat.{view} SET id = id",
            f"INSERT INTO compat.{view} DEFAULT VALUES",
        ):
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
                world.do(write)
        world.check()


def test_a_column_added_while_the_mirror_runs(tickets: World) -> None:
    world = tickets
    world.do(
        "ALTER TABLE public.a_tickets ADD COLUMN q4 integer DEFAULT 7",
        "UPDATE public.a_tickets SET q4 = 3 WHERE note = 'a6'",
        "INSERT INTO public.a_tickets (clerk, day, note) VALUES ('late@x.org', '2024-01-01', 'late')",
    )
    assert world.value("SELECT count(*) FROM changeover.queue WHERE cause = 'new column'") > 0
    world.do("UPDATE public.tickets SET amount = 9 WHERE note = 'a11'")
    world.recompile()
    world.check()
    assert world.value("SELECT extra ->> 'q4' FROM public.tickets WHERE note = 'a6'") == "3"
    assert world.value("SELECT extra ->> 'q4' FROM public.tickets WHERE note = 'a16'") == "7"


@pytest.mark.parametrize("kind", ["tickets", "people"])
def test_a_column_dropped_or_renamed_fails_no_writer(databases: Databases, kind: str) -> None:
    from tests.support.mapping_worlds import ALL

    setup: Setup = ALL[kind]
    world = open_world(databases, setup)
    table, column = ("a_tickets", "q1") if kind == "tickets" else ("people", "name")
    world.do(f"ALTER TABLE public.{table} RENAME COLUMN {column} TO renamed")
    world.do(f"UPDATE public.{table} SET renamed = NULL", f"DELETE FROM public.{table} WHERE ctid = '(0,1)'")
    target = "tickets SET amount = 1" if kind == "tickets" else "employees SET login_count = 77"
    world.do(f"UPDATE public.{target}")
    assert world.value("SELECT count(*) FROM changeover.queue") > 0


def test_a_key_column_renamed_fails_no_writer(tickets: World) -> None:
    world = tickets
    world.do(
        "ALTER TABLE public.b_tickets RENAME COLUMN id TO number",
        "UPDATE public.b_tickets SET note = 'x'",
        "INSERT INTO public.b_tickets (clerk) VALUES ('x')",
        "TRUNCATE public.b_tickets",
        "UPDATE public.tickets SET amount = 1 WHERE shop = 'b'",
        "DELETE FROM public.tickets WHERE shop = 'b'",
    )


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_truncate(tickets: World, isolation: str) -> None:
    world = tickets
    session = world.session(isolation)
    session.execute(b"SELECT count(*) FROM public.tickets")
    world.do("UPDATE public.a_tickets SET note = 'seen by nobody' WHERE note = 'a6'")
    session.execute(b"TRUNCATE public.b_tickets, public.d_tickets")
    session.execute(
        b"INSERT INTO public.b_tickets (clerk, day, note, q1) VALUES ('after@x.org', '2024-01-01', 'after', 1)"
    )
    session.commit()
    world.check()
    assert world.rows("SELECT note FROM public.tickets WHERE shop IN ('b', 'd')") == [("after",)]


def test_truncate_of_people(people: World) -> None:
    people.do("TRUNCATE public.people")
    people.check()
    people.do("TRUNCATE public.users", "INSERT INTO public.people (email, name) VALUES ('p1@x.org', 'again')")
    people.check()
    assert people.value("SELECT count(*) FROM public.employees WHERE is_active") == 1


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_truncate_of_the_new_tables(tickets: World, isolation: str) -> None:
    world = tickets
    session = world.session(isolation)
    session.execute(b"SELECT count(*) FROM public.tickets")
    world.do("INSERT INTO public.a_tickets (clerk, day, note) VALUES ('late@x.org', '2024-01-01', 'unseen')")
    session.execute(b"TRUNCATE public.tickets CASCADE")
    clerk = world.value("SELECT min(id::text) FROM public.clerks")
    session.execute(
        f"INSERT INTO public.tickets (shop, clerk_id, day, note) VALUES ('a', '{clerk}', '2024-01-01', 'after')".encode()
    )
    session.commit()
    world.do("INSERT INTO public.b_tickets (clerk, day, note) VALUES ('later@x.org', '2024-01-01', 'later')")
    world.check()
    # What was rejected stood for nothing there, and stays; some of it can come now.
    notes = {row[0] for row in world.rows("SELECT note FROM public.tickets")}
    assert {"after", "later"} <= notes
    assert notes.isdisjoint({"a6", "unseen"})
    assert world.rows("SELECT FROM public.a_tickets WHERE note IN ('a6', 'unseen')") == []


def test_truncate_of_the_marks_and_of_the_people(tickets: World, people: World) -> None:
    tickets.do("TRUNCATE public.marks")
    tickets.check()
    assert tickets.value("SELECT count(*) FROM public.marks") == 0
    people.do("TRUNCATE public.employees CASCADE")
    people.check()
    assert people.rows("SELECT FROM public.users WHERE email = 'p1@x.org'") == []


def test_what_waited_before_a_truncate_of_the_new_tables_is_gone_with_it(tickets: World, people: World) -> None:
    # A SERIALIZABLE writer's mirror waits, on either side; then the row is gone, and so is what waits for it.
    for world, write, empty in (
        (
            tickets,
            "INSERT INTO public.tickets (shop, clerk_id, day, note) SELECT 'a', id, now(), 'w' FROM public.clerks",
            "",
        ),
        (people, "UPDATE public.employees SET name = 'w'", "SELECT FROM public.people WHERE name = 'w'"),
        (
            people,
            "UPDATE public.users SET email = email",
            "SELECT FROM public.users WHERE email = 'p1@x.org'",
        ),
    ):
        session = world.session("SERIALIZABLE")
        session.execute(write.encode())
        session.commit()
        table = "public.tickets CASCADE" if world is tickets else "public.employees CASCADE"
        world.do(f"TRUNCATE {table}")
        world.check()
        assert world.rows(empty or "SELECT FROM public.a_tickets WHERE note = 'w'") == []


def test_a_rejected_row_that_goes_just_before_a_truncate_of_the_new_tables_is_no_reject(tickets: World) -> None:
    session = tickets.session("SERIALIZABLE")
    session.execute(b"DELETE FROM public.a_tickets WHERE day IS NULL")
    session.commit()
    tickets.do("TRUNCATE public.tickets CASCADE")
    tickets.check()
