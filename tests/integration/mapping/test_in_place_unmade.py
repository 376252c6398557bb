"""A lookup's row that the server does not take: what leads to it is a reject, there and for the comparison, until it is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.mapping import Setup, World, open_world

if TYPE_CHECKING:
    from tests.support.database import Databases

pytestmark = pytest.mark.every

BOXES = Setup(
    name="boxes in place",
    legacy="""
        CREATE TABLE public.boxes (id integer PRIMARY KEY, shelf text, colour text, note text);
        CREATE TABLE public.colours (id serial PRIMARY KEY, word text UNIQUE);
    """,
    new="""
        CREATE TABLE public.shelves (
            id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code varchar(4) NOT NULL UNIQUE CHECK (code <> 'bad')
        );
        ALTER TABLE public.boxes ADD COLUMN shelf_id integer, ADD COLUMN colour_id integer;
    """,
    rows="""
        INSERT INTO public.boxes VALUES
            (1, 'A1', 'red', 'n'), (2, 'A2', 'red', 'n'), (3, 'A3', 'blue', 'n'), (4, NULL, 'green', 'n'), (5, 'B2', NULL, 'n');
    """,
    mappings=(
        {
            "in_place": "public.boxes",
            "columns": {
                "shelf_id": "shelf.id",
                "colour_id": "colour.id",
            },
            "reverse": {"shelf": "shelf.code", "colour": "colour.word"},
            "lookups": {
                "shelf": {
                    "table": "public.shelves",
                    "match": "shelf.code = s.shelf",
                    "join": "shelf.id = t.shelf_id",
                    "create": {"when": "s.shelf IS NOT NULL", "columns": {"code": "s.shelf"}},
                },
                "colour": {
                    "table": "public.colours",
                    "match": "colour.word = s.colour",
                    "join": "colour.id = t.colour_id",
                    "create": {"when": "s.colour IS NOT NULL", "columns": {"word": "s.colour"}},
                },
            },
        },
    ),
    sources=((("public.boxes", ""),),),
)
REJECTS = "SELECT key, reason FROM changeover.reject ORDER BY key"
BOTH = [("2", "string_data_right_truncation"), ("3", "check_violation")]


@pytest.fixture
def world(databases: Databases) -> World:
    """Filled, and then two shelves come of which no row can be made."""
    world = open_world(databases, BOXES)
    world.do("UPDATE public.boxes SET shelf = 'much too long', colour = 'pink' WHERE id = 2")
    world.do("UPDATE public.boxes SET shelf = 'bad', colour = 'pink' WHERE id = 3")
    return world


def test_it_is_a_reject_with_its_reason_and_the_comparison_agrees(world: World) -> None:
    world.check()
    assert world.rows(REJECTS) == BOTH
    assert world.rows("SELECT id, colour_id IS NULL FROM public.boxes WHERE shelf_id IS NULL ORDER BY id") == [
        (2, True), (3, True), (4, False),
    ]  # fmt: skip


def test_it_stays_one_through_other_writes_and_goes_with_the_row_that_is_mended(world: World) -> None:
    app = world.session(role="app")
    app.execute("UPDATE public.boxes SET note = 'other' WHERE id IN (2, 3)")
    app.execute("UPDATE public.boxes SET shelf = 'far too long' WHERE id = 1")
    world.check()
    assert world.rows(REJECTS) == [("1", "string_data_right_truncation"), *BOTH]
    app.execute("UPDATE public.boxes SET shelf = 'C3' WHERE id IN (1, 2, 3)")
    world.check()
    assert world.rows(REJECTS) == []
    assert world.rows(
        "SELECT count(*) FROM public.boxes b JOIN public.shelves s ON s.id = b.shelf_id WHERE s.code = 'C3'"
    ) == [(3,)]


def test_a_reject_of_a_row_that_says_something_else_by_now_is_told(world: World) -> None:
    world.check()
    with world.database.connect("admin") as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("UPDATE public.boxes SET shelf = 'D4' WHERE id = 2")
    assert [row[1:3] for row in world.differences()] == [("2", "stale_reject")]


@pytest.mark.parametrize("way", ["replica", "disabled"])
def test_a_row_that_nobody_has_seen_is_told_and_its_lookup_is_made(world: World, way: str) -> None:
    world.check()
    off, on = {
        "replica": ("SET session_replication_role = replica", "RESET session_replication_role"),
        "disabled": ("ALTER TABLE public.boxes DISABLE TRIGGER USER", "ALTER TABLE public.boxes ENABLE TRIGGER USER"),
    }[way]
    with world.database.connect("admin") as admin:
        admin.execute(off)
        admin.execute(
            "INSERT INTO public.boxes VALUES (6, 'E6', 'red', 'n'), (7, 'A1', 'grey', 'n'), (8, '?', NULL, 'n')"
        )
        admin.execute("UPDATE public.boxes SET shelf = 'E5', shelf_id = NULL WHERE id = 5")
        admin.execute(on)
    assert sorted((key, kind, set(columns)) for _, key, kind, columns, *_ in world.differences()) == [
        ("5", "missing", {"shelf_id"}),
        ("6", "different", {"shelf_id", "colour_id"}),
        ("7", "different", {"shelf_id", "colour_id"}),
        ("8", "missing", {"shelf_id"}),
    ]
    world.call(world.conn, world.source("boxes"), "sync", ["5", "6", "7", "8"])
    world.check()
    assert world.rows(
        "SELECT b.id, c.code, o.word FROM public.boxes b LEFT JOIN public.shelves c ON c.id = b.shelf_id "
        "LEFT JOIN public.colours o ON o.id = b.colour_id WHERE b.id >= 5 ORDER BY b.id"
    ) == [(5, "E5", None), (6, "E6", "red"), (7, "A1", "grey"), (8, "?", None)]
