"""Values that only one row may have move among rows, and constraints that are checked late: the mirrors get both right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.mapping import Setup, World, open_world

if TYPE_CHECKING:
    from tests.support.database import Databases

_UNIFY: dict[str, Any] = {
    "sources": ["-"],
    "key": {"column": "id", "target": "id"},
    "originals": "originals",
}
SEATS = Setup(
    name="seats",
    legacy="""
        CREATE TABLE public.seats (
            id integer PRIMARY KEY, hall integer NOT NULL, place integer NOT NULL, badge text NOT NULL UNIQUE, guest text,
            UNIQUE (hall, place) DEFERRABLE, UNIQUE (guest) DEFERRABLE INITIALLY DEFERRED
        );
    """,
    new="""
        CREATE TABLE public.new_seats (
            id integer PRIMARY KEY, hall integer NOT NULL, place integer NOT NULL CHECK (place > 0),
            badge varchar(40) NOT NULL UNIQUE DEFERRABLE, guest text UNIQUE, originals jsonb NOT NULL DEFAULT '{}',
            UNIQUE (hall, place)
        );
        CREATE TABLE public.notes (seat integer REFERENCES public.new_seats ON DELETE CASCADE, note text);
    """,
    rows="""
        INSERT INTO public.seats SELECT i, i % 2, i, 'b' || i, CASE WHEN i % 3 > 0 THEN 'g' || i END FROM generate_series(1, 12) i;
    """,
    sources=((("public.seats", "seats"),),),
    mappings=(
        {
            **_UNIFY,
            "unify": "public.new_seats",
            "types": {"hall": "integer", "place": "integer", "badge": "text", "guest": "text"},
            "columns": {"hall": "s.hall", "place": "s.place", "badge": "s.badge", "guest": "s.guest"},
            "reverse": {"hall": "t.hall", "place": "t.place", "badge": "t.badge", "guest": "t.guest"},
        },
    ),
)
ORDERS = Setup(
    name="orders",
    legacy="""
        CREATE TABLE public.people (name text PRIMARY KEY);
        CREATE TABLE public.orders (
            id integer PRIMARY KEY, code text, kind text, owner text REFERENCES public.people DEFERRABLE INITIALLY DEFERRED
        );
    """,
    new="""
        CREATE TABLE public.kinds (kind text PRIMARY KEY);
        CREATE TABLE public.new_orders (
            id integer PRIMARY KEY, code text UNIQUE DEFERRABLE INITIALLY DEFERRED,
            kind text REFERENCES public.kinds DEFERRABLE, owner text, originals jsonb NOT NULL DEFAULT '{}'
        );
    """,
    rows="""
        INSERT INTO public.people VALUES ('ann');
        INSERT INTO public.kinds VALUES ('a'), ('b');
        INSERT INTO public.orders VALUES (1, 'one', 'a', 'ann'), (2, 'two', 'b', 'ann');
    """,
    sources=((("public.orders", "orders"),),),
    mappings=(
        {
            **_UNIFY,
            "unify": "public.new_orders",
            "types": {"code": "text", "kind": "text", "owner": "text"},
            "columns": {"code": "s.code", "kind": "s.kind", "owner": "s.owner"},
            "reverse": {"code": "t.code", "kind": "t.kind", "owner": "t.owner"},
        },
    ),
)
LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
REJECTS = "SELECT key, reason FROM changeover.reject ORDER BY key::integer"


@pytest.fixture
def seats(databases: Databases) -> World:
    world = open_world(databases, SEATS)
    world.do("INSERT INTO public.notes SELECT id, 'of ' || id FROM public.new_seats")
    return world


@pytest.fixture
def orders(databases: Databases) -> World:
    return open_world(databases, ORDERS)


def _same(world: World) -> None:
    world.check()
    columns = "id, hall, place, badge, guest"
    old = world.rows(f"SELECT {columns} FROM public.seats ORDER BY id")
    assert world.rows(f"SELECT {columns} FROM public.new_seats ORDER BY id") == old
    assert world.rows(REJECTS) == []
    assert world.value("SELECT count(*) FROM public.notes") == len(old), "no row was taken out on the way"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE seats SET place = CASE place WHEN 1 THEN 3 WHEN 3 THEN 5 ELSE 1 END WHERE place IN (1, 3, 5)",
        "UPDATE seats SET guest = CASE guest WHEN 'g1' THEN 'g2' WHEN 'g2' THEN 'g4' ELSE 'g1' END WHERE guest IN ('g1', 'g2', 'g4')",
        "UPDATE seats SET place = place + 2",
        "UPDATE seats SET hall = 1 - hall, place = CASE WHEN place % 2 = 0 THEN place - 1 ELSE place + 1 END",
    ],
    ids=["rotation", "rotation of what may be empty", "shift", "both columns"],
)
def test_old_rows_change_places(seats: World, change: str, level: str) -> None:
    with seats.session(level) as session:
        session.execute(change.encode())
        session.commit()
    _same(seats)


def test_old_rows_change_places_in_two_statements(seats: World) -> None:
    with seats.session("READ COMMITTED") as session:
        session.execute("SET CONSTRAINTS ALL DEFERRED")
        session.execute("UPDATE seats SET place = 3, guest = 'g4' WHERE id = 1")
        session.execute("UPDATE seats SET place = 1, guest = 'new' WHERE id = 3")
        session.execute("UPDATE seats SET guest = 'g1' WHERE id = 4")
        session.commit()
    _same(seats)


def test_more_rows_move_than_a_drain_takes(seats: World) -> None:
    seats.do(
        "INSERT INTO seats SELECT i, 7, i, 'x' || i, NULL FROM generate_series(100, 160) i",
        "INSERT INTO public.notes SELECT id, 'of ' || id FROM public.new_seats WHERE id >= 100",
        "UPDATE seats SET place = place + 1 WHERE hall = 7",
    )
    (source,) = seats.sources
    while seats.call(seats.conn, source, "drain", 3)[0][1]:
        seats.do("UPDATE changeover.queue SET not_before = NULL")
    _same(seats)


@pytest.mark.parametrize("level", LEVELS)
def test_new_rows_change_places(seats: World, level: str) -> None:
    """The old table does not take the values one after the other; what waits is written back together."""
    change = (
        "UPDATE new_seats SET badge = CASE badge WHEN 'b1' THEN 'b2' WHEN 'b2' THEN 'b3' ELSE 'b1' END WHERE id <= 3"
    )
    with seats.session(level) as session:
        session.execute(change.encode())
        session.commit()
    _same(seats)
    assert seats.rows("SELECT badge FROM seats WHERE id <= 3 ORDER BY id") == [("b2",), ("b3",), ("b1",)]


def test_a_value_that_two_rows_have_rejects_one_and_no_other(seats: World) -> None:
    seats.do(
        "ALTER TABLE seats DROP CONSTRAINT seats_guest_key",
        "UPDATE seats SET guest = 'twice', place = CASE place WHEN 1 THEN 3 ELSE 1 END WHERE id IN (1, 3)",
    )
    seats.check()
    assert [reason for _, reason in seats.rows(REJECTS)] == ["unique_violation"]
    assert seats.value("SELECT count(*) FROM new_seats") == 11


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("INSERT INTO orders VALUES (3, 'three', 'unknown', 'ann')", "foreign_key_violation"),
        ("INSERT INTO orders VALUES (3, 'two', 'a', 'ann')", "unique_violation"),
        ("UPDATE orders SET id = 3, kind = 'unknown' WHERE id = 2", "foreign_key_violation"),
    ],
)
def test_what_is_checked_late_is_a_reject_and_no_failed_commit(
    orders: World, change: str, reason: str, level: str
) -> None:
    with orders.session(level) as session:
        session.execute("SET CONSTRAINTS ALL DEFERRED")
        session.execute(change.encode())
        session.commit()
    orders.check()
    assert orders.rows(REJECTS) == [("3", reason)]


def test_the_application_keeps_its_own_deferred_constraints(orders: World) -> None:
    with orders.session("READ COMMITTED") as session:
        session.execute("INSERT INTO orders VALUES (3, 'three', 'b', 'bob')")
        session.execute("UPDATE orders SET kind = 'a' WHERE id = 3")
        session.execute("INSERT INTO people VALUES ('bob')")
        session.commit()
    orders.check()
    assert orders.value("SELECT count(*) FROM new_orders") == 3
    with orders.session("READ COMMITTED") as session:
        session.execute("INSERT INTO orders VALUES (4, 'four', 'b', 'nobody')")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            session.commit()


def test_a_write_of_the_new_side_commits_while_old_rows_that_changed_places_wait(orders: World) -> None:
    """Its mirror derives its own row anew, whose value another row has until the drain comes to that one."""
    with orders.session("SERIALIZABLE") as session:
        session.execute("UPDATE orders SET code = CASE code WHEN 'one' THEN 'two' ELSE 'one' END")
        session.commit()
    with orders.session("READ COMMITTED") as session:
        session.execute("UPDATE new_orders SET kind = 'b' WHERE id = 1")
        session.commit()
    orders.check()
    for table in ("orders", "new_orders"):
        assert orders.rows(f"SELECT id, code, kind FROM {table} ORDER BY id") == [(1, "two", "b"), (2, "one", "b")]


def test_a_deferred_constraint_of_the_old_table_lets_the_new_application_commit(orders: World) -> None:
    with orders.session("READ COMMITTED") as session:
        session.execute("UPDATE new_orders SET owner = 'nobody' WHERE id = 1")
        session.commit()
    assert orders.rows("SELECT direction, cause FROM changeover.queue") == [("reverse", "23503")]
    orders.do("INSERT INTO people VALUES ('nobody')")
    orders.check()
    assert orders.value("SELECT owner FROM orders WHERE id = 1") == "nobody"


def test_a_batch_meets_a_deferred_constraint(databases: Databases) -> None:
    world = open_world(databases, ORDERS, copied=False)
    world.do(
        "ALTER TABLE orders DISABLE TRIGGER USER",
        "INSERT INTO orders VALUES (3, 'three', 'unknown', 'ann')",
        "ALTER TABLE orders ENABLE TRIGGER USER",
    )
    (source,) = world.sources
    with world.session() as session:
        session.execute("SET CONSTRAINTS ALL DEFERRED")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            world.call(session, source, "batch", 0, 10)
    world.call(world.conn, source, "isolate", 0, 10)
    world.state("copied")
    world.check()
    assert world.rows(REJECTS) == [("3", "foreign_key_violation")]
