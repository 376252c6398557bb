"""What the first trigger of a table says to the second one stands in a setting that everybody may write."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.support.cli import Cli
from tests.support.database import Database, Databases

pytestmark = pytest.mark.every

PLAN = """
plan: seats
version: 1
stages:
  - stage: lower
    mappings:
      - in_place: public.seats
        where: s.word <> lower(s.word)
        columns: {word: lower(s.word)}
"""
ROWS = "SELECT id, word, note FROM public.seats ORDER BY 1"
FORGED = '{"source": 1, "key": "2", "said": {"filled": {"word": ["stolen", "two"]}}}\n'


@pytest.fixture
def plan(tmp_path: Path) -> str:
    tmp_path.joinpath("plan.yaml").write_text(PLAN)
    return str(tmp_path)


@pytest.fixture
def seats(databases: Databases, plan: str) -> Database:
    """Filled. The application's role may insert, and change notes and nothing else."""

    def build(made: Database) -> None:
        made.run(
            "CREATE TABLE public.seats (id integer PRIMARY KEY, word text, note text DEFAULT '');"
            "INSERT INTO public.seats VALUES (1, 'One'), (2, 'two'), (3, 'Three'), (4, 'four')"
        )
        cli = Cli(made.dsn)
        cli.ok("init")
        cli.ok("start", plan, "--until", "verify")

    database = databases.clone("words to fill", build)
    database.run(
        f'GRANT USAGE ON SCHEMA public TO "{database.app_role}"; '
        f'GRANT SELECT, INSERT, UPDATE (note) ON public.seats TO "{database.app_role}"'
    )
    return database


def _taken_back(seats: Database) -> list[tuple[object, ...]]:
    Cli(seats.dsn).ok("rollback", "--yes", "--plan", "seats")
    return seats.rows(ROWS)


def _forge(app: psycopg.Connection, said: str, *, local: bool = False) -> None:
    """Puts a line wherever one may be looked for."""
    app.execute("SELECT set_config('changeover.said', '1', %s)", (local,))
    app.execute("SELECT set_config('changeover.said_' || i, %s, %s) FROM generate_series(0, 63) i", (said, local))


def _lines(app: psycopg.Connection, key: int) -> str:
    """What a write of this role says, as it can read it itself before the second trigger does."""
    row = app.execute(
        "INSERT INTO public.seats (id, word) VALUES (%s, 'Mine') RETURNING "
        "(SELECT string_agg(current_setting('changeover.said_' || i, true), '') FROM generate_series(0, 63) i)",
        (key,),
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_what_somebody_else_puts_there_counts_for_nothing(seats: Database) -> None:
    app = seats.connect("app")
    for said in (
        FORGED,
        "nonsense",
        '\n1 UPDATE "2"\t{}\t',
        '\n1 UPDATE "2"\t{"filled": {"word": ["stolen", "two"]}}\tx',
    ):
        _forge(app, said)
        app.execute("UPDATE public.seats SET note = 'x' WHERE id IN (2, 4)")
    assert _taken_back(seats) == [(1, "One", ""), (2, "two", "x"), (3, "Three", ""), (4, "four", "x")]


def test_a_line_counts_once_for_its_own_row_in_its_own_transaction(seats: Database) -> None:
    app = seats.connect("app")
    with app.transaction():
        line = _lines(app, 10)
    assert '"10"' in line
    for said in (
        line,
        line.replace('"10"', '"4"'),
        line.replace("INSERT", "UPDATE"),
        line.replace('["Mine"', '["Evil"'),
    ):
        _forge(app, said)
        app.execute("INSERT INTO public.seats (id, word) VALUES (11, 'mine') ON CONFLICT (id) DO UPDATE SET note = 'y'")
        app.execute("UPDATE public.seats SET note = 'y' WHERE id IN (4, 10)")
    with app.transaction():
        line = _lines(app, 12)
        _forge(app, line.replace('"Mine"', '"Evil"'), local=True)
    rows = {row[0]: row[1] for row in _taken_back(seats)}
    assert (rows[4], rows[10], rows[11]) == ("four", "Mine", "mine")
    # Its own line of the same moment: who spoils it loses what was kept of the own row, and nothing more.
    assert rows[12] in {"Mine", "mine"}


def test_a_row_that_was_not_stored_says_nothing(seats: Database) -> None:
    """An upsert asks the first trigger about the row that it proposes, and stores another one."""
    app = seats.connect("app")
    app.execute(
        "INSERT INTO public.seats (id, word) VALUES (1, 'oNE'), (20, 'New') ON CONFLICT (id) DO UPDATE SET note = 'up'"
    )
    app.execute("INSERT INTO public.seats (id, word) VALUES (3, 'thREE'), (21, 'Newer') ON CONFLICT (id) DO NOTHING")
    assert _taken_back(seats) == [
        *[(1, "One", "up"), (2, "two", ""), (3, "Three", ""), (4, "four", "")],
        *[(20, "New", ""), (21, "Newer", "")],
    ]  # fmt: skip
