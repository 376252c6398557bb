"""An index of the application under the name of one that the plan makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cli import Cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database

PLAN = """\
plan: yards
version: 1
stages:
  - stage: yards
    expand: [new.sql]
    alter:
      - table: public."Yard"
        add: {region: text}
        indexes:
          '"Yard_place"': (lat, lon)
          yard_region: (region)
        constraints:
          yard_keeper: {foreign_key: (keeper) REFERENCES public.keeper (id)}
          yard_code: {unique: [code]}
    indexes: [indexes.sql]
    keys: [keys.sql]
"""
OLD = """\
CREATE TABLE public.keeper (id integer PRIMARY KEY);
CREATE TABLE public."Yard" (id integer PRIMARY KEY, lat numeric, lon numeric, code text, keeper integer, heir integer);
"""
INDEXES = 'CREATE INDEX yard_code_low ON public."Yard" (lower(code)) WHERE code IS NOT NULL;'
KEYS = 'ALTER TABLE public."Yard" ADD CONSTRAINT yard_heir FOREIGN KEY (heir) REFERENCES public.keeper (id);'


@pytest.fixture
def plan(database: Database, tmp_path: Path) -> str:
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "new.sql").write_text("CREATE TABLE public.visits (id integer PRIMARY KEY);")
    (tmp_path / "indexes.sql").write_text(INDEXES)
    (tmp_path / "keys.sql").write_text(KEYS)
    database.run(OLD)
    return str(tmp_path)


def test_one_as_the_plan_has_it_stays_and_is_told(database: Database, plan: str) -> None:
    database.run('CREATE INDEX "Yard_place" ON public."Yard" USING btree (lat, lon)')
    database.run('CREATE INDEX yard_code_low ON public."Yard" (lower(code)) WHERE (code IS NOT NULL)')
    before, cli = database.schema_dump(), Cli(database.dsn)
    cli.ok("init")
    told = cli.ok("plan", "check", plan).out
    assert (
        "alter public.Yard makes index public.Yard_place, which is there already as the plan has it: it stays" in told
    )
    assert "index public.yard_code_low, which is there already as the plan has it" in told
    cli.ok("start", plan)
    cli.ok("rollback", "--plan", plan, "--yes")
    assert database.schema_dump(["changeover"]) == before


@pytest.mark.parametrize(
    ("stands", "words"),
    [
        ('CREATE INDEX "Yard_place" ON public."Yard" (lon, lat)', "another index has that name: CREATE INDEX"),
        ("CREATE INDEX yard_code_low ON public.keeper (id)", "another index has that name"),
        ("CREATE INDEX yard_region ON public.keeper (id)", "another index has that name"),
        ("CREATE VIEW public.yard_code_low AS SELECT 1", "something that is no index has that name"),
        ('CREATE UNIQUE INDEX yard_code ON public."Yard" (code)', "this plan has not made it"),
        (KEYS, "keys.sql:1 makes constraint public.Yard.yard_heir, which is there already"),
    ],
)
def test_any_other_is_refused_before_the_first_change(database: Database, plan: str, stands: str, words: str) -> None:
    database.run(stands)
    cli = Cli(database.dsn)
    cli.ok("init")
    before = database.schema_dump()
    done = cli("plan", "check", plan)
    assert done.code == 5, done.out + done.err
    assert words in done.out
    assert database.schema_dump() == before
