"""`same`: a column that keeps its name and type is written once, and means what the three entries mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cli import Cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database

OLD = """
CREATE TYPE public.size AS ENUM ('s', 'm', 'l');
CREATE TABLE public.boxes (
    id bigint PRIMARY KEY, code varchar(9), weight integer, "Made On" timestamp, size public.size, tags text[], note text
);
INSERT INTO public.boxes VALUES
    (1, 'a', 1, '2024-01-01', 's', '{x,y}', 'n'), (2, NULL, NULL, NULL, NULL, NULL, NULL), (3, 'c ', -3, 'infinity', 'l', '{}', '');
"""
NEW = """
CREATE TABLE public.parcels (
    id bigint PRIMARY KEY, code varchar(9), weight bigint, "Made On" timestamp, size public.size, tags text[], words text,
    old jsonb
);
"""
PLAN = """
plan: boxes
version: 1
stages:
  - stage: parcels
    flag: USE_PARCELS
    expand: [new.sql]
    mappings:
      - unify: public.parcels
        sources: [public.boxes]
        key: {{column: id}}
        originals: old
        types: {{note: text}}
{given}
        reverse: {{note: t.words}}
    contract: {{keep_days: 0}}
"""
GIVEN = {
    "listed": """
        same: [code, weight, Made On, size, tags]
        columns: {words: s.note}""",
    "in columns": """
        columns: {words: s.note, code: same, weight: same, Made On: same, size: same, tags: same}""",
    "both, and one written out": """
        same: [code, weight, Made On]
        columns: {words: s.note, size: same, tags: same, weight: s.weight}""",
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_what_is_the_same_is_written_once(database: Database, tmp_path: Path, given: str) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.format(given=given.lstrip("\n")))
    (tmp_path / "new.sql").write_text(NEW)
    database.run(OLD)
    cli, plan = Cli(database.dsn), str(tmp_path)
    before = database.rows("SELECT b::text FROM public.boxes b ORDER BY id")
    cli.ok("init")
    cli.ok("start", plan, "--until", "verify")
    both = 'SELECT code, weight, "Made On"::text, size, tags FROM public.{0} ORDER BY id'
    assert database.rows(both.format("parcels")) == database.rows(both.format("boxes"))
    database.run("UPDATE public.parcels SET weight = 7, tags = '{z}', size = 'm' WHERE id = 2")
    database.run("INSERT INTO public.parcels (id, code, weight) VALUES (9, 'nine', 9999999999)")
    assert database.rows(both.format("boxes"))[1][1:] == (7, None, "m", ["z"])
    # What the old column cannot hold is NULL there and stays as it is on the new side.
    assert database.rows("SELECT code, weight FROM public.boxes WHERE id = 9") == [("nine", None)]
    assert database.value("SELECT weight FROM public.parcels WHERE id = 9") == 9_999_999_999
    cli.ok("verify", "--plan", plan)
    database.run(
        "DELETE FROM public.parcels WHERE id = 9; UPDATE public.boxes SET weight = NULL, tags = NULL, size = NULL WHERE id = 2"
    )
    cli.ok("verify", "--plan", plan)
    cli.ok("rollback", "--plan", plan)
    assert database.rows("SELECT b::text FROM public.boxes b ORDER BY id") == before


def test_a_column_that_is_not_there_is_named(database: Database, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.format(given="        same: [colour]\n        columns: {words: s.note}"))
    (tmp_path / "new.sql").write_text(NEW)
    database.run(OLD)
    refused = Cli(database.dsn)("plan", "check", str(tmp_path))
    assert refused.code == 5
    assert "colour" in refused.out + refused.err
