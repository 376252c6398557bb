"""Old columns of a narrower numeric type than the plan reads them as, and a way back that gives whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.mapping import Setup, World, open_world

if TYPE_CHECKING:
    from tests.support.database import Databases

pytestmark = pytest.mark.every

LOADS = Setup(
    name="loads with narrow numbers",
    legacy="""
        CREATE TABLE public.loads (id integer PRIMARY KEY, hours numeric(6, 2), share real, weight double precision, pieces smallint);
    """,
    new="""
        CREATE TABLE public.cargo (
            id uuid PRIMARY KEY, hours integer, share integer, weight bigint, pieces integer, legacy jsonb NOT NULL DEFAULT '{}'
        );
    """,
    rows="""
        INSERT INTO public.loads VALUES (1, 2.75, 0.5, 1e6, 3), (2, NULL, 'NaN', '-Infinity', NULL), (3, 'NaN', 7, 12, -1), (4, 77.5, 1, 1, 1);
    """,
    mappings=(
        {
            "unify": "public.cargo",
            "sources": ["public.loads"],
            "key": {"column": "id"},
            "originals": "legacy",
            "types": {"hours": "numeric", "share": "numeric", "weight": "numeric", "pieces": "numeric"},
            "columns": {
                "hours": "CASE WHEN s.hours <> 'NaN' THEN s.hours::integer END",
                "share": "CASE WHEN abs(s.share) < 1000 THEN s.share::integer END",
                "weight": "CASE WHEN abs(s.weight) < 1e12 THEN s.weight::bigint END",
                "pieces": "CASE WHEN s.pieces = -7 THEN s.share ELSE s.pieces END::integer",
            },
            "reverse": {"hours": "t.hours", "share": "t.share", "weight": "t.weight", "pieces": "t.pieces"},
        },
    ),
    sources=((("public.loads", ""),),),
)


@pytest.fixture
def world(databases: Databases) -> World:
    """Copied."""
    return open_world(databases, LOADS)


def test_every_value_comes_back(world: World) -> None:
    world.check()
    assert world.rows("SELECT hours::text, share::text, weight::text FROM compat.loads ORDER BY id") == [
        ("2.75", "0.5", "1000000"), (None, "NaN", "-Infinity"), ("NaN", "7", "12"), ("77.50", "1", "1"),
    ]  # fmt: skip


def test_what_the_new_side_writes_is_told_or_is_null_where_there_is_no_room(world: World) -> None:
    app = world.session(role="app")
    app.execute("UPDATE public.cargo SET hours = 12, share = 16777217, weight = 5, pieces = 40000 WHERE hours = 3")
    app.execute("UPDATE public.cargo SET hours = 20000 WHERE hours = 78")
    world.check()
    assert world.rows("SELECT hours::text, weight::text, pieces FROM public.loads WHERE id IN (1, 4) ORDER BY id") == [
        ("12.00", "5", None), (None, "1", 1),
    ]  # fmt: skip


LAST = "SELECT key, reason FROM changeover.reject"


def test_what_is_no_whole_number_is_a_reject_and_goes_with_the_row_that_is_mended(world: World) -> None:
    """PostgreSQL says 0A000 of it, "feature not supported", and no error of a value."""
    app = world.session(role="app")
    app.execute("INSERT INTO public.loads VALUES (9, 1, 1, 1, 1), (10, 'NaN', 1, 1, 1)")
    world.check()
    app.execute("UPDATE public.loads SET share = 'NaN', weight = 'Infinity' WHERE id = 9")
    world.check()
    assert world.rows(LAST) == []
    app.execute("UPDATE public.loads SET pieces = -7 WHERE id = 9")
    world.check()
    assert world.rows(LAST) == [("9", "feature_not_supported")]
    app.execute("UPDATE public.loads SET pieces = 7 WHERE id = 9")
    world.check()
    assert world.rows(LAST) == []
