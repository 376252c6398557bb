"""Rows of a split refer to the old table ON DELETE CASCADE: what goes with its old row leaves nothing to write back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.mapping import Setup, World, open_world

if TYPE_CHECKING:
    from tests.support.database import Databases

VOTES = Setup(
    name="votes",
    legacy="CREATE TABLE public.ballots (id integer PRIMARY KEY, red integer, blue numeric, green smallint);",
    new="""
        CREATE TABLE public.votes (
            ballot integer NOT NULL REFERENCES public.ballots ON DELETE CASCADE, color text NOT NULL, votes numeric,
            PRIMARY KEY (ballot, color)
        );
    """,
    rows="INSERT INTO public.ballots SELECT i, i, i / 2.0, 3 FROM generate_series(1, 30) i;",
    sources=((("public.ballots", "ballots"),),),
    mappings=(
        {
            "split": "public.votes",
            "sources": ["-"],
            "key": {"column": "id", "target": "ballot"},
            "item": "color",
            "except": ["id"],
            "when": "v.number IS NOT NULL",
            "columns": {"votes": "v.number"},
            "value": "t.votes",
        },
    ),
)


@pytest.fixture
def votes(databases: Databases) -> World:
    return open_world(databases, VOTES)


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_an_old_row_that_goes_takes_its_rows_with_it(votes: World, level: str) -> None:
    with votes.session(level) as session:
        session.execute("DELETE FROM ballots WHERE id <= 20")
        session.commit()
    assert votes.value("SELECT count(*) FROM changeover.queue WHERE direction = 'reverse'") == 0
    assert votes.value("SELECT count(*) FROM changeover.queue") <= 20
    votes.check()
    assert votes.value("SELECT count(*) FROM votes") == 30


def test_a_row_that_the_new_application_takes_away_is_written_back(votes: World) -> None:
    votes.do("DELETE FROM votes WHERE ballot = 7 AND color = 'blue'")
    assert votes.rows("SELECT red, blue, green FROM ballots WHERE id = 7") == [(7, None, 3)]
    votes.check()
