"""What the way back of a table changed in place cannot compute is a reject: it holds nothing up, and is settled as the row is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.mapping import PAGES, Setup, World, open_world

if TYPE_CHECKING:
    from tests.support.database import Databases

pytestmark = pytest.mark.every

# Three errors of class 22: a number out of range, a division by zero, a text that is no date.
TRIPS = Setup(
    name="trips in place",
    legacy="""
        CREATE TABLE public.trips (id integer PRIMARY KEY, seconds smallint NOT NULL, pace numeric, day date, note text);
    """,
    new="""
        ALTER TABLE public.trips ADD COLUMN hours numeric, ADD COLUMN speed numeric, ADD COLUMN starts text;
    """,
    rows="""
        INSERT INTO public.trips SELECT i, i * 36, 1 + i % 4, date '2024-01-01' + i, 'n' FROM generate_series(1, 40) i;
    """,
    mappings=(
        {
            "in_place": "public.trips",
            "columns": {
                "hours": {"from": "s.seconds / 3600.0", "required": True},
                "speed": "1 / nullif(s.pace, 0)",
                "starts": {"from": "to_char(s.day, 'YYYY-MM-DD')", "required": True},
            },
            "reverse": {"seconds": "(t.hours * 3600)::smallint", "pace": "1 / t.speed", "day": "t.starts::date"},
        },
    ),
    sources=((("public.trips", ""),),),
)
ROW = "SELECT seconds, hours, pace, speed, day::text, starts FROM public.trips WHERE id = {}"


@pytest.fixture
def world(databases: Databases) -> World:
    """Filled."""
    return open_world(databases, TRIPS)


def rejects(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT key, reason FROM changeover.reject ORDER BY 1")


def test_it_is_rejected_and_the_write_succeeds(world: World) -> None:
    app = world.session(role="app")
    app.execute("UPDATE public.trips SET hours = 1000 WHERE id = 1")
    app.execute("UPDATE public.trips SET speed = 0 WHERE id = 2")
    app.execute("INSERT INTO public.trips (id, hours, speed, starts) VALUES (100, 1, 0.25, 'soon')")
    world.check()
    assert rejects(world) == [
        ("1", "numeric_value_out_of_range"),
        ("100", "invalid_datetime_format"),
        ("2", "division_by_zero"),
    ]
    assert world.rows(ROW.format(1))[0][:2] == (36, 1000)
    assert world.rows(ROW.format(100))[0] == (3600, 1, 4, 0.25, None, "soon")  # what can be said is said
    app.execute("UPDATE public.trips SET note = 'of no concern' WHERE id = 1")
    app.execute("UPDATE public.trips SET pace = 8, note = 'another column' WHERE id = 100")
    world.check()
    assert [key for key, _ in rejects(world)] == ["1", "100", "2"]
    assert world.rows(ROW.format(100))[0][2:4] == (8, 0.125)


@pytest.mark.parametrize(
    ("write", "left"),
    [
        ("UPDATE public.trips SET hours = 2 WHERE id = 1", []),
        ("UPDATE public.trips SET seconds = 720 WHERE id = 1", []),
        ("UPDATE public.trips SET hours = NULL WHERE id = 1", []),
        ("DELETE FROM public.trips WHERE id = 1", []),
        ("UPDATE public.trips SET hours = 2000 WHERE id = 1", ["1"]),
        ("UPDATE public.trips SET starts = 'never' WHERE id = 1", ["1"]),
        ("UPDATE public.trips SET id = 500 WHERE id = 1", ["500"]),
        ("TRUNCATE public.trips", []),
    ],
)
def test_it_is_settled_as_the_row_is_mended(world: World, write: str, left: list[str]) -> None:
    app = world.session(role="app")
    app.execute("UPDATE public.trips SET hours = 1000 WHERE id = 1")
    world.check()
    app.execute(write.encode())
    world.check()
    assert [key for key, _ in rejects(world)] == left


def test_what_the_new_version_writes_before_the_batch_does_not_hold_it_up(databases: Databases) -> None:
    world = open_world(databases, TRIPS, copied=False)
    app = world.session(role="app")
    app.execute("UPDATE public.trips SET hours = 999 WHERE id % 10 = 1")
    world.call(world.conn, world.sources[0], "isolate", 0, PAGES)
    world.state("copied")
    world.check()
    assert [key for key, _ in rejects(world)] == ["1", "11", "21", "31"]
    assert world.value("SELECT count(*) FROM public.trips WHERE speed IS NULL OR starts IS NULL") == 0


def test_after_contract_only_what_has_no_new_value_is_refused(world: World) -> None:
    """NOT NULL of the new column: the way back is not its concern."""
    world.do("ALTER TABLE public.trips ALTER COLUMN hours SET NOT NULL, ALTER COLUMN starts SET NOT NULL")
    app = world.session(role="app")
    app.execute("UPDATE public.trips SET hours = 1000, starts = 'one day' WHERE id = 1")
    app.execute("INSERT INTO public.trips (id, hours, speed, starts) VALUES (100, 1000, 1, '2024-02-01')")
    world.check()
    assert rejects(world) == [("1", "numeric_value_out_of_range"), ("100", "numeric_value_out_of_range")]
