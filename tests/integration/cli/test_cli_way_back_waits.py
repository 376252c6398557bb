"""What waits in the queue and cannot be drained holds up the way back only where a write would be lost."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg import IsolationLevel

from tests.support.cli import Cli
from tests.support.database import Database

BOATS = """\
CREATE TABLE public.boats (id integer PRIMARY KEY, name text, berth text);
INSERT INTO public.boats SELECT n, 'boat ' || n, 'B' || n FROM generate_series(1, 12) n;
"""
VESSELS = """\
CREATE TABLE public.vessels (id integer PRIMARY KEY, name text, place text, legacy jsonb NOT NULL DEFAULT '{}');
"""
PLAN = """\
plan: harbour
version: 1
stages:
  - stage: vessels
    flag: USE_VESSELS
    expand: [new.sql]
    mappings:
      - unify: public.vessels
        sources: [public.boats]
        key: {column: id, target: id}
        originals: legacy
        types: {name: text, berth: text}
        columns: {name: s.name, place: s.berth}
        reverse: {name: t.name, berth: t.place}
    contract: {keep_days: 30}
"""


@pytest.fixture
def harbour(shops: Database, tmp_path: Path) -> tuple[Database, str]:
    """Boats that are vessels too, up to verify; and the plan's folder."""
    shops.run(BOATS)
    folder = tmp_path / "harbour"
    folder.mkdir()
    for name, text in {"plan.yaml": PLAN, "new.sql": VESSELS}.items():
        (folder / name).write_text(text)
    cli = Cli(shops.dsn)
    cli.ok("init")
    cli.ok("start", str(folder), "--kind", "rehearsal", "--until", "verify")
    return shops, str(folder)


def test_a_column_of_the_new_table_that_was_dropped_does_not_hold_up_the_way_back(
    harbour: tuple[Database, str],
) -> None:
    database, folder = harbour
    cli = Cli(database.dsn)
    database.run(
        "ALTER TABLE public.vessels DROP COLUMN place CASCADE; UPDATE public.boats SET berth = 'C9' WHERE id < 4"
    )
    assert database.value("SELECT count(*) FROM changeover.queue WHERE direction = 'forward'") >= 3
    refused = cli("drain", "--json")
    assert refused.code == 1
    assert ("put it back" in refused.error["todo"], "place" in refused.error["todo"]) == (True, True)
    assert "pg_stat_activity" not in refused.error["todo"]
    cli.ok("rollback", "--yes", "--plan", folder)
    assert database.rows("SELECT count(*) FROM public.boats WHERE berth = 'C9'") == [(3,)]
    assert database.value("SELECT to_regclass('public.vessels')") is None
    assert database.value("SELECT count(*) FROM changeover.queue") == 0


def test_a_write_of_the_new_side_that_cannot_be_drained_holds_it_up(harbour: tuple[Database, str]) -> None:
    database, folder = harbour
    cli = Cli(database.dsn)
    with database.connect() as conn:
        conn.isolation_level = IsolationLevel.SERIALIZABLE
        with conn.transaction():
            conn.execute("UPDATE public.vessels SET place = 'new' WHERE id = 5")
    database.run("ALTER TABLE public.boats ADD CHECK (berth <> 'new')")
    refused = cli("rollback", "--yes", "--plan", folder, "--json")
    assert refused.code == 4
    assert "Mend the rows" in refused.error["todo"]
    database.run("ALTER TABLE public.boats DROP CONSTRAINT boats_berth_check")
    cli.ok("rollback", "--yes", "--plan", folder)
    assert database.rows("SELECT berth FROM public.boats WHERE id = 5") == [("new",)]


def test_a_lock_in_the_way_of_a_drain_is_told_as_one(harbour: tuple[Database, str]) -> None:
    database, _ = harbour
    with database.connect() as conn:
        conn.isolation_level = IsolationLevel.SERIALIZABLE
        with conn.transaction():
            conn.execute("UPDATE public.boats SET name = 'other' WHERE id = 5")
    with psycopg.connect(database.dsn) as other:
        other.execute("SELECT FROM public.boats WHERE id = 5 FOR UPDATE")
        refused = Cli(database.dsn)("drain", "--json")
    assert (refused.code, "pg_stat_activity" in refused.error["todo"]) == (1, True)


def test_what_was_taken_back_before_a_refusal_is_told(harbour: tuple[Database, str]) -> None:
    database, folder = harbour
    cli = Cli(database.dsn)
    for step in ("dualwrite", "shadow", "live"):
        cli.ok("flag", "set", "USE_VESSELS", "--stage", step, "--yes")
    cli.ok("start", folder, "--kind", "rehearsal")
    database.run("CREATE VIEW public.moored AS SELECT * FROM public.boats WHERE berth IS NOT NULL")
    back = ("rollback", "--yes", "--plan", folder, "--json")
    refused = cli(*back)
    assert refused.code == 5
    assert "flag USE_VESSELS was lowered from live to dualwrite" in refused.error["kept"].replace("Flag", "flag")
    assert "Nothing was changed" not in refused.error["kept"]
    # The flag is low by now.
    assert "USE_VESSELS" not in cli(*back).error["kept"]
    database.run("DROP VIEW public.moored")
    cli.ok(*back)
