"""`changeover retire`: the old tables go for good, and only when nothing and nobody needs them."""

from __future__ import annotations

import pytest

from tests.support.cases import EXAMPLE, TICKETS, Case
from tests.support.cli import Cli
from tests.support.database import Database, Databases

OURS = """
SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'changeover'::regnamespace AND proname ~ '^[mx][0-9]+_'
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname LIKE 'changeover%'
UNION ALL SELECT 'view ' || oid::regclass FROM pg_class WHERE relkind = 'v' AND relnamespace::regnamespace::text
    IN ('public', 'branch', 'compat')
UNION ALL SELECT 'table ' || oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text
    LIKE 'archive%'
UNION ALL SELECT 'waits ' || key FROM changeover.queue
"""


def _contracted(databases: Databases, case: Case) -> tuple[Database, Cli]:
    def build(database: Database) -> None:
        case.build(database)
        cli = Cli(database.dsn)
        cli.ok("init")
        cli.ok("start", case.plan, "--kind", "rehearsal")

    database = databases.clone(f"contracted {case.name}", build)
    return database, Cli(database.dsn)


@pytest.mark.newest
@pytest.mark.parametrize("case", [EXAMPLE, TICKETS], ids=lambda case: case.name)
def test_everything_of_the_old_side_goes(databases: Databases, case: Case) -> None:
    database, cli = _contracted(databases, case)
    rows = database.rows(case.new_tags)
    assert len(database.rows(OURS)) > 20

    shown = cli.ok("retire", case.plan, "--dry-run", "--json").json
    assert (shown["done"], len(shown["tables"])) == (False, len(case.tables))
    assert cli("retire", case.plan).code == 2, "there is nobody to ask"
    assert cli.ok("retire", case.plan, "--yes", "--json").json["done"] is True

    assert database.rows(OURS) == []
    assert database.rows(case.new_tags) == rows
    assert cli.ok("retire", case.plan, "--yes", "--json").json["done"] is True
    for command in (["rollback"], ["verify"]):
        refused = cli(*command, "--plan", case.plan)
        assert refused.code == 5
        assert "were dropped on" in refused.err
    cli.ok("start", case.plan)
    cli.ok("status")
    cli.ok("drain")
    cli.ok("uninstall")


@pytest.mark.newest
def test_what_depends_on_an_old_table_keeps_them_all(databases: Databases) -> None:
    database, cli = _contracted(databases, EXAMPLE)
    database.run("CREATE VIEW public.monthly AS SELECT count(*) FROM archive.customers_west")
    before = database.schema_dump()
    shown = cli.ok("retire", "example", "--dry-run", "--json").json
    assert shown["dependents"] == ["view monthly depends on table archive.customers_west"]
    assert "monthly" in cli.ok("retire", "example", "--dry-run").out
    refused = cli("retire", "example", "--yes")
    assert refused.code == 5
    assert "view monthly depends on table archive.customers_west" in refused.err
    assert database.schema_dump() == before
    cli.ok("rollback", "--plan", "example", "--to", "verify")


DEPENDENTS = {
    "CREATE TABLE public.b (c archive.customers_old)": "column c of table b",
    "CREATE TABLE public.b (c int REFERENCES archive.customers_old (id))": "constraint b_c_fkey on table b",
    "CREATE FUNCTION public.b() RETURNS SETOF archive.customers_old LANGUAGE plpgsql AS 'BEGIN RETURN; END'": "function b()",
    "CREATE MATERIALIZED VIEW public.b AS SELECT name FROM public.customers_old": "b",
    "CREATE FUNCTION public.b() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM archive.customers_old; END": (
        "function b()"
    ),
    "CREATE SEQUENCE archive.b OWNED BY archive.customers_old.id; ALTER TABLE public.customers ALTER number SET DEFAULT "
    "nextval('archive.b')": "default value for column number of table customers",
}


@pytest.mark.newest
@pytest.mark.parametrize("statement", DEPENDENTS)
def test_a_dry_run_finds_what_the_drop_would_refuse(databases: Databases, statement: str) -> None:
    database, cli = _contracted(databases, EXAMPLE)
    database.run(statement)
    shown = cli.ok("retire", "example", "--dry-run", "--json").json["dependents"]
    assert shown
    assert all(DEPENDENTS[statement] in each for each in shown)
    assert cli("retire", "example", "--yes").code == 5


@pytest.mark.newest
def test_what_differs_keeps_them_all(databases: Databases) -> None:
    database, cli = _contracted(databases, EXAMPLE)
    database.run("ALTER TABLE public.customers DISABLE TRIGGER USER; UPDATE public.customers SET name = 'no' || name;")
    database.run("ALTER TABLE public.customers ENABLE TRIGGER USER")
    before = database.schema_dump()
    shown = cli.ok("retire", "example", "--dry-run", "--json").json["unmet"]
    assert len(shown) == 1
    assert shown[0].startswith("Stage customers: 5 differences")
    assert cli("retire", "example", "--yes").code == 4
    assert database.schema_dump() == before


@pytest.mark.newest
def test_they_are_kept_as_long_as_the_plan_says(databases: Databases) -> None:
    database = databases.clone(f"lifecycle {EXAMPLE.name}", EXAMPLE.build)
    cli = Cli(database.dsn)
    cli.ok("init")
    assert cli("start", "example").code == 3
    assert cli("retire", "example", "--yes").code == 5, "there was no contract yet"

    cli.ok("rejects", "waive", "--all", "--reason", "test")
    flag = "USE_UNIFIED_CUSTOMERS"
    cli.ok("flag", "set", flag, "--stage", "live", "--rollout", "100", "--yes")
    cli.ok("start", "example")
    kept = cli("retire", "example", "--yes")
    assert kept.code == 3
    assert "kept until" in kept.err
    assert f"flag {flag} is live" in kept.err
    assert cli.ok("retire", "example", "--if-due", "--yes").out.splitlines()[-1].startswith("Kept: ")

    cli.ok("flag", "set", flag, "--stage", "rampdown", "--yes")
    cli.ok("flag", "set", flag, "--stage", "complete", "--yes")
    database.run("UPDATE changeover.phase SET ended_at = ended_at - interval '91 days' WHERE phase = 'contract'")
    assert "has been left alone for" in cli.ok("retire", "example", "--if-due", "--yes").out
    database.run("UPDATE changeover.old_use SET quiet_since = quiet_since - interval '25 hours'")
    cli.ok("retire", "example", "--if-due", "--yes")
    assert database.rows(OURS) == []
