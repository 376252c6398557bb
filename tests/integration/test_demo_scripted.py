"""The demo of a plan that brings a demo.yaml: the command, and that a write that is lost or comes back is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.demo.application import counters_of
from orchestrator.demo.scripted import database as scripted
from orchestrator.demo.scripted.process import Clients, ScriptedApplication
from orchestrator.demo.scripted.script import load_script
from orchestrator.plan.loader import load
from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.running import eventually


@pytest.mark.newest
@pytest.mark.timeout(300)
def test_the_demo_of_the_smallest_plan(tmp_path: Path) -> None:
    done = Cli(None).ok("demo", "--plan", "example", "--rows", "40", "--report", str(tmp_path / "r.md"), "--json")
    told = done.json
    assert told["good"]
    assert (told["lost"], told["failed"], told["rollback_equal"]) == (0, 0, True)
    assert told["requests"] > 50
    page = (tmp_path / "r.md").read_text()
    assert page.startswith("# Changeover: Customers of two shops into one table\n\n**good**")
    for title in ("Rows per table", "Rejected rows", "Verification", "Acknowledged writes", "A second copy"):
        assert f"## {title}" in page
    assert "| customers | contract |" in page


@pytest.mark.newest
def test_a_write_that_is_lost_or_there_twice_is_seen(database: Database, tmp_path: Path) -> None:
    plan = load("example")
    script = load_script(plan)
    scripted.build(database.dsn, plan, script, 10)
    scripted.grant(database.dsn, database.app_role)
    database.run("CREATE TABLE public.customers AS TABLE public.customers_old WITH NO DATA")  # the other place
    with ScriptedApplication(database.app_dsn, tmp_path, "example", Clients(old=2, new=0, rate=200)) as application:
        rows = "SELECT count(*) FROM public.customers_old WHERE name LIKE 'app-%'"
        eventually(lambda: min(database.value(rows), database.value(rows.replace("_old", "_west"))) > 2)
    assert counters_of(application.requests()).errors == {}
    places = ("public.customers_old", "public.customers_west")
    before = application.check(database.dsn, script, places=places)
    assert (before.lost, before.differences) == (0, ())
    assert before.rows > 1
    mine = "name LIKE 'app-%'"
    database.run(f"DELETE FROM public.customers_old WHERE id = (SELECT min(id) FROM public.customers_old WHERE {mine})")
    assert application.check(database.dsn, script, places=places).lost == 1
    again = f"SELECT -id, name FROM public.customers_west WHERE {mine} LIMIT 1"
    database.run(f"INSERT INTO public.customers_west (id, name) {again}")
    lost = application.check(database.dsn, script, places=places)
    assert sorted(each.wrong for each in lost.differences) == [("is not there",), ("is there too often",)]
