"""A later stage makes a schema and fills tables in it, when earlier ones are done and their seeds are in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

PLAN = """\
plan: depots
version: 1
stages:
  - stage: kinds
    expand: [kinds.sql]
    seed: [kinds_seed.sql]
  - stage: depots
    after: kinds
    expand: [depots.sql]
    seed: [depots_seed.sql]
    indexes: [depots_indexes.sql]
    checks:
      - {check: two, query: SELECT count(*) FROM depot.shelf, is: 2}
"""
FILES = {
    "kinds_seed.sql": "INSERT INTO public.kind (name) VALUES ('box'), ('pallet') ON CONFLICT (name) DO NOTHING;",
    "depots.sql": """
        CREATE SCHEMA depot;
        CREATE TABLE depot.shelf (id integer PRIMARY KEY, kind text NOT NULL);
        CREATE FUNCTION depot.kinds() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM depot.shelf $$;
    """,
    "depots_seed.sql": "INSERT INTO depot.shelf VALUES (1, 'box'), (2, 'pallet') ON CONFLICT DO NOTHING;",
    "depots_indexes.sql": "CREATE INDEX shelf_kind ON depot.shelf (kind);",
}


@pytest.mark.parametrize("number", ["serial", "integer GENERATED ALWAYS AS IDENTITY"])
def test_a_seed_that_takes_numbers_is_no_hindrance(database: Database, tmp_path: Path, number: str) -> None:
    """The lock of a sequence outlives the savepoint in which the seed of the stage before is tried."""
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "kinds.sql").write_text(
        f"CREATE TABLE public.kind (id {number} PRIMARY KEY, name text NOT NULL UNIQUE);"
    )
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    cli, plan, before = Cli(database.dsn), str(tmp_path), database.schema_dump()
    cli.ok("init")
    cli.ok("start", plan, "--stage", "kinds", "--until", "verify")
    cli.ok("plan", "check", plan)
    cli.ok("start", plan, "--stage", "depots", "--until", "verify")
    assert database.value("SELECT depot.kinds()") == 2
    cli.ok("rollback", "--yes", "--plan", plan)
    cli.ok("uninstall")
    assert database.schema_dump() == before
