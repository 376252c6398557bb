"""Code of others on an old table: a mirror writes as the table's owner, so their triggers would run with the owner's rights."""

from __future__ import annotations

from pathlib import Path

import pytest

import orchestrator
from tests.support.cli import Cli
from tests.support.database import Database, Databases

LEGACY = Path(orchestrator.__file__).parent / "plans" / "example" / "legacy.sql"


@pytest.fixture
def shops(databases: Databases) -> Database:
    return databases.clone("trigger code", lambda made: made.run(LEGACY.read_text()))


def _as_admin(database: Database, statements: str) -> None:
    database.connect("admin").execute(statements)


def _function_of(database: Database, role: str) -> None:
    _as_admin(database, f'CREATE SCHEMA theirs AUTHORIZATION "{role}"')
    _as_admin(
        database,
        "CREATE FUNCTION theirs.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
        f'ALTER FUNCTION theirs.look() OWNER TO "{role}"',
    )


def test_a_trigger_whose_function_is_somebody_elses_is_refused_before_anything_is_changed(shops: Database) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    _function_of(shops, shops.app_role)
    made = "CREATE TRIGGER look AFTER UPDATE ON public.customers_west FOR EACH ROW EXECUTE FUNCTION theirs.look()"
    _as_admin(shops, made)
    before = shops.schema_dump()
    checked, started = cli("plan", "check", "example"), cli("start", "example")
    assert (checked.code, started.code) == (5, 5)
    assert "trigger look calls theirs.look()" in checked.out
    assert f"role {shops.app_role} can change" in started.err.replace('"', "")
    assert shops.schema_dump() == before
    # With its own owner's rights, whoever writes: nobody gains any.
    _as_admin(shops, "ALTER FUNCTION theirs.look() SECURITY DEFINER")
    cli.ok("start", "example", "--until", "verify")


def test_who_may_put_a_trigger_there_is_told(shops: Database) -> None:
    cli = Cli(shops.dsn)
    assert "may put triggers" not in cli.ok("plan", "check", "example").out
    shops.run(f'GRANT ALL ON public.customers_west TO "{shops.app_role}"')
    told = cli.ok("plan", "check", "example").out
    assert "may put triggers on public.customers_west" in " ".join(told.split())
    shops.run(f'REVOKE TRIGGER ON public.customers_west FROM "{shops.app_role}"')
    assert "may put triggers" not in cli.ok("plan", "check", "example").out
