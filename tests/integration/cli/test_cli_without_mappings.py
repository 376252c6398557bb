"""A stage without any mapping: status, verify and contract say what is true of it."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli import Cli
from tests.support.database import Database

PLAN = """\
plan: lists
version: 1
stages:
  - stage: lists
    expand: [new.sql]
    seed: [seed.sql]
    indexes: [indexes.sql]
"""
NEW = 'CREATE TABLE public."Level" (id serial PRIMARY KEY, code text NOT NULL UNIQUE, rank numeric(4, 1), note json, at date);'
SEED = """\
INSERT INTO public."Level" (code, rank, note) VALUES ('a', 1, '{"x": 1}'), ('b', 2.5, NULL), ('c', 3, NULL)
ON CONFLICT (code) DO NOTHING;
INSERT INTO public."Level" (code, at) VALUES ('today', current_date) ON CONFLICT DO NOTHING;
INSERT INTO public."Level" (code) SELECT 'z' WHERE NOT EXISTS (SELECT FROM public."Level" l WHERE l.code = 'z');
"""


def test_it_is_verified_and_its_seeds_are_compared(database: Database, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "new.sql").write_text(NEW)
    (tmp_path / "seed.sql").write_text(SEED)
    (tmp_path / "indexes.sql").write_text('CREATE INDEX by_rank ON public."Level" (rank);')
    plan, cli = str(tmp_path), Cli(database.dsn)
    cli.ok("init")
    done = cli.ok("start", plan)
    assert "Stage lists has no contract in the plan: what it has changed stays, and can be taken back." in done.out
    first = cli.ok("verify", "--plan", plan).out
    assert "lists: clean, nothing to compare; 5 checks passed" in first
    assert "3 seed rows of public.Level as the plan has them" in first
    status = cli.ok("status", "--plan", plan).out
    assert "nothing to compare; 5 checks passed" in status
    assert "contract not in the plan" in status
    number = database.value("""SELECT nextval('public."Level_id_seq"')""")
    database.run("UPDATE public.\"Level\" SET rank = 9 WHERE code = 'b'; DELETE FROM public.\"Level\" WHERE code = 'c'")
    done = cli.ok("verify", "--plan", plan)
    assert "lists: clean" in done.out
    assert "warning: 2 of 3 seed rows of public.Level changed or deleted by somebody" in done.out
    assert '"code": "b"' in done.out
    assert database.value("""SELECT nextval('public."Level_id_seq"')""") == number + 1


def test_a_table_that_is_gone_is_not_as_promised(database: Database, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("plan: one\nversion: 1\nstages:\n  - stage: one\n    expand: [new.sql]\n")
    (tmp_path / "new.sql").write_text("CREATE TABLE public.one (id integer);")
    plan, cli = str(tmp_path), Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", plan)
    database.run("DROP TABLE public.one")
    done = cli("verify", "--plan", plan)
    assert done.code == 4
    assert "not so: table public.one" in done.out


def test_a_seed_that_asks_the_old_tables_later_stands_behind_one_that_names_its_rows(
    database: Database, tmp_path: Path
) -> None:
    """The old tables have a word by then that the plan has seeded by itself, and the new one of it another rank."""
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "new.sql").write_text(NEW)
    (tmp_path / "seed.sql").write_text(
        "INSERT INTO public.\"Level\" (code, rank, note) VALUES ('none', 0, '{}') ON CONFLICT DO NOTHING;\n"
        'INSERT INTO public."Level" (rank, code) SELECT DISTINCT 5, w.word FROM public.words w ON CONFLICT DO NOTHING;'
    )
    (tmp_path / "indexes.sql").write_text('CREATE INDEX by_rank ON public."Level" (rank);')
    database.run("CREATE TABLE public.words (word text); INSERT INTO public.words VALUES ('high'), ('low')")
    plan, cli = str(tmp_path), Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", plan)
    database.run("INSERT INTO public.words VALUES ('none')")
    assert "3 seed rows of public.Level as the plan has them" in cli.ok("verify", "--plan", plan).out
    database.run("UPDATE public.\"Level\" SET rank = 7 WHERE code IN ('none', 'low')")
    assert "2 of 3 seed rows of public.Level changed or deleted" in cli.ok("verify", "--plan", plan).out
