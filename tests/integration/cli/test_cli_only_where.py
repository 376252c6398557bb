"""`only_where`: files for the databases that have certain roles, functions or tables; left out elsewhere, and said so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

PLAN = """\
plan: rooms
version: 1
stages:
  - stage: rooms
    expand: [rooms.sql]
    only_where:
      - {{title: policies, roles: [{role}], functions: ["app.who()"], expand: [policies.sql]}}
      - {{tables: [app.log, '"App".log'], expand: [logged.sql]}}
"""
ROOMS = "CREATE TABLE public.rooms (id integer PRIMARY KEY, who text);"
POLICIES = """
CREATE FUNCTION public.mine(who text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' RETURN who = app.who();
ALTER TABLE public.rooms ENABLE ROW LEVEL SECURITY;
CREATE POLICY my_rooms ON public.rooms TO {role} USING (public.mine(who));
GRANT SELECT ON public.rooms TO {role};
"""
LOGGED = "CREATE VIEW public.logged AS SELECT l.line FROM app.log AS l;"
WHO = "CREATE SCHEMA app; CREATE FUNCTION app.who() RETURNS text LANGUAGE sql RETURN current_setting('app.who', true);"
MADE = "SELECT (SELECT count(*) FROM pg_policies), to_regprocedure('public.mine(text)') IS NOT NULL, to_regclass('public.logged') IS NOT NULL"


@pytest.fixture
def plan(database: Database, tmp_path: Path) -> Path:
    role = database.app_role
    for name, text in (("plan.yaml", PLAN.format(role=role)), ("rooms.sql", ROOMS), ("policies.sql", POLICIES.format(role=role)), ("logged.sql", LOGGED)):  # fmt: skip
        (tmp_path / name).write_text(text)
    return tmp_path


def test_each_is_done_where_all_of_it_is_there_and_goes_back_when_it_is_gone(database: Database, plan: Path) -> None:
    cli, name = Cli(database.dsn), str(plan)
    cli.ok("plan", "lint", name)
    told = " ".join(cli.ok("plan", "check", name).out.split())
    assert "stage rooms: policies is left out: this database has no function app.who()" in told
    assert 'stage rooms: logged.sql is left out: this database has no table "App".log, no table app.log' in told
    shown = cli.ok("plan", "show", name).out
    assert "policy my_rooms on public.rooms" not in shown
    cli.ok("init")
    cli.ok("start", name)
    assert database.rows(MADE) == [(0, False, False)]
    cli.ok("rollback", "--yes", "--plan", name)

    database.run(WHO + 'CREATE TABLE app.log (line text); CREATE SCHEMA "App"; CREATE TABLE "App".log ()')
    before = database.schema_dump(exclude_schemas=["changeover"])
    assert "left out" not in cli.ok("plan", "check", name).out
    cli.ok("start", name)
    assert database.rows(MADE) == [(1, True, True)]
    database.run("INSERT INTO public.rooms VALUES (1, 'ann'), (2, 'ben'); GRANT USAGE ON SCHEMA public TO PUBLIC")
    with database.connect("app") as conn:
        conn.execute("SET app.who = 'ben'")
        assert conn.execute("SELECT id FROM public.rooms").fetchall() == [(2,)]
    database.run('DELETE FROM public.rooms; DROP TABLE "App".log')
    cli.ok("rollback", "--yes", "--plan", name)
    database.run('CREATE TABLE "App".log ()')
    assert database.schema_dump(exclude_schemas=["changeover"]) == before


def test_what_is_there_already_is_not_taken_for_ours(database: Database, plan: Path) -> None:
    database.run(WHO + "CREATE FUNCTION public.mine(who text) RETURNS boolean LANGUAGE sql RETURN true")
    told = Cli(database.dsn)("plan", "check", str(plan))
    assert (told.code, "function public.mine(text), which is there already" in told.out) == (5, True), told.out


@pytest.mark.parametrize(
    ("part", "text", "says"),
    [
        ("policies.sql", "CREATE TABLE public.more (id integer);", "tables are for every database"),
        ("policies.sql", "DROP TABLE public.rooms;", "expand only adds"),
        ("policies.sql", "CREATE POLICY p ON rooms USING (true);", "without its schema"),
    ],
)
def test_its_files_are_judged_like_expand_files(
    database: Database, plan: Path, part: str, text: str, says: str
) -> None:
    (plan / part).write_text(text)
    told = Cli(database.dsn)("plan", "lint", str(plan))
    assert (told.code, says in " ".join(told.out.split())) == (2, True), told.out


def test_it_says_what_must_be_there(database: Database, plan: Path) -> None:
    text = (plan / "plan.yaml").read_text().replace("tables: [app.log, '\"App\".log'], ", "")
    (plan / "plan.yaml").write_text(text)
    told = Cli(database.dsn)("plan", "lint", str(plan))
    assert "name the roles, functions or tables that must be there" in told.out + told.err
