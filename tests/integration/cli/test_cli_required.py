"""A required column that some rows have no value for: contract says so before it changes anything, and goes on when they are mended."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.support.cli import Cli
from tests.support.database import Database

_PLAN = """
plan: crates
version: 1
stages:
  - stage: sizes
    flag: USE_SIZES
    mappings:
      - in_place: public.crates
        columns:
          litres: {type: integer, from: "changeover.try_integer(s.size)", required: true}
        reverse: {size: "t.litres::text"}
        rejects: {no_size: s.size IS NULL}
    contract: {gates: {flag: none}, archive: none}
"""
_TABLES = """
    CREATE TABLE public.crates (id integer PRIMARY KEY, size text);
    INSERT INTO public.crates SELECT i, CASE i % 10 WHEN 0 THEN NULL WHEN 1 THEN 'big' ELSE i::text END FROM generate_series(1, 100) i;
"""


def test_contract_waits_for_values_that_are_required(database: Database, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(_PLAN)
    database.run(_TABLES)
    cli, plan = Cli(database.dsn), str(tmp_path)
    cli.ok("init")
    cli.ok("start", plan, "--until", "verify")
    cli.ok("rejects", "waive", "--all", "--plan", plan, "--reason", "of no size")
    before = database.schema_dump(["changeover"])
    refused = cli("start", plan)
    said = " ".join(refused.err.split())
    assert (refused.code, "There are 20 rows without public.crates.litres." in said) == (3, True), said
    assert "Nothing was changed" in said
    assert database.schema_dump(["changeover"]) == before
    # Nobody is bound yet: the old version says no size, and the new one has none for it.
    database.run("UPDATE public.crates SET size = NULL WHERE id = 5")
    database.run("UPDATE public.crates SET size = '7' WHERE size IS NULL OR size = 'big'")
    cli.ok("start", plan)
    with pytest.raises(psycopg.errors.NotNullViolation):
        database.run("UPDATE public.crates SET size = NULL WHERE id = 5")
    assert database.value("SELECT count(*) FROM public.crates WHERE litres IS NULL") == 0
    cli.ok("rollback", "--yes", "--plan", plan)
    database.run("UPDATE public.crates SET size = NULL WHERE id = 5")
