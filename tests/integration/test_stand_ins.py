"""A required old column that the new schema has no word for: a row of the new side goes over all the same."""

from __future__ import annotations

import pytest

from tests.support.cases import EXAMPLE, PERSONS, Case
from tests.support.cli import Cli
from tests.support.database import Databases

COLUMNS = """
CREATE TYPE public.colour AS ENUM ('red', 'blue');
ALTER TABLE {table} ADD a text NOT NULL DEFAULT 'x', ADD b int NOT NULL DEFAULT 7, ADD c boolean NOT NULL DEFAULT true,
    ADD d timestamptz NOT NULL DEFAULT '2000-01-01', ADD e jsonb NOT NULL DEFAULT '[]', ADD f char(3) NOT NULL DEFAULT 'abc',
    ADD g public.colour NOT NULL DEFAULT 'blue', ADD h text[] NOT NULL DEFAULT '{{x}}', ADD i date NOT NULL DEFAULT '2000-01-01';
ALTER TABLE {table} ALTER a DROP DEFAULT, ALTER b DROP DEFAULT, ALTER c DROP DEFAULT, ALTER d DROP DEFAULT,
    ALTER e DROP DEFAULT, ALTER f DROP DEFAULT, ALTER g DROP DEFAULT, ALTER h DROP DEFAULT, ALTER i DROP DEFAULT;
"""
BORN = {
    "example": "INSERT INTO public.customers (shop, number, email, name) VALUES ('main', 4711, 'n@x.org', 'born')",
    "persons": "INSERT INTO public.persons (email, name) VALUES ('n@x.org', 'born')",
}


@pytest.mark.parametrize("case", [EXAMPLE, PERSONS], ids=lambda case: case.name)
def test_what_nobody_says_gets_the_emptiest_value(databases: Databases, case: Case) -> None:
    database = databases.clone(f"lifecycle {case.name}", case.build)
    table = case.tables[0]
    database.run(COLUMNS.format(table=table))
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", case.plan, "--until", "verify")
    database.run(BORN[case.name])
    cli.ok("drain")
    found = database.rows(f"SELECT a, b, c, e, f, g::text, h FROM {table} WHERE name = 'born'")
    assert found == [("", 0, False, {}, "   ", "red", [])]
    assert (
        database.rows(f"SELECT * FROM {table} WHERE name = 'born' EXCEPT ALL SELECT * FROM {case.views[table]}") == []
    )
    database.run(f"UPDATE {table} SET a = 'said' WHERE name = 'born'")
    cli.ok("verify", "--plan", case.plan)
    assert database.rows(f"SELECT a FROM {case.views[table]} WHERE name = 'born'") == [("said",)]
    cli.ok("rollback", "--yes", "--plan", case.plan)
    assert database.rows(f"SELECT a FROM {table} WHERE name = 'born'") == [("said",)]
